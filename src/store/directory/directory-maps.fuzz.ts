import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Alias } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import { DirectoryMaps } from './directory-maps.ts'

const SIGNS = ['\n', '{', '', 'a', '受付', 'é', '𠮷', '\ud83d', ' ', '"', '\\']
const text = fc.array(fc.constantFrom(...SIGNS), { maxLength: 4 }).map((signs) => signs.join(''))
const address = fc.record({ localpart: text, domain: text }, { noNullPrototype: true })
const alias = fc.record<Alias, 'from' | 'to'>(
  {
    from: address,
    to: fc.array(address, { maxLength: 3 }),
    name: text,
    externalId: text,
    origins: fc.constantFrom([], [{ source: '本部', key: 'k', dn: 'cn=k' }]),
  },
  { requiredKeys: ['from', 'to'], noNullPrototype: true },
)

test('an alias comes out of the packed rows as it was put, whatever stands in it', () => {
  fc.assert(
    fc.property(alias, (put) => {
      const maps = new DirectoryMaps()
      maps.put({ kind: 'alias', alias: put })
      const again = new DirectoryMaps(maps.parts())
      for (const each of [maps, again])
        assert.deepEqual(each.aliases.get(addressKey(put.from)), put, JSON.stringify(put))
    }),
    { numRuns: 2_000 },
  )
})
