import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { ALL_PEOPLE } from '#model/list-words.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { FakeSource } from '#test/fake/ldap-source.ts'
import { FilterLook } from './filter-look.ts'

const D = 'campus.example'
const person = (uid: string, tags: readonly string[]): DirectoryRow => ({
  kind: 'account',
  account: {
    ...fakeAccount(`${uid}@${D}`),
    tags,
    origins: [{ source: 'campus', key: `uid=${uid}`, dn: `uid=${uid},dc=campus` }],
  },
})

let server: FakeSource
let looks: FilterLook
beforeEach(async () => {
  const clock = new FakeClock()
  const directory = new DirectoryMaster({ log: new SqliteDirectoryLog(':memory:'), clock })
  await directory.load()
  const rows: readonly DirectoryRow[] = [
    { kind: 'domain', domain: { name: D } },
    {
      kind: 'source',
      source: {
        name: 'campus',
        order: 1,
        servers: [{ host: 'ldap.example', port: 389, tls: 'starttls' }],
        base: 'dc=campus',
        key: 'uid',
        auth: 'bind',
      },
    },
    person('花子', ['学生']),
    person('taro', ['教員', '学生']),
  ]
  const edits = rows.map((row) => ({ kind: 'put', row }) as const)
  assert.ok((await directory.write(edits, { who: 'test', from: 'test' })).ok)
  server = new FakeSource()
  looks = new FilterLook({ directory, clock, hostsOf: () => server as never })
})

const look = async (filter: string, source: string = ALL_PEOPLE, base?: string) => {
  const found = await looks.look({
    kind: 'filter',
    source,
    filter,
    ...(base !== undefined && { base }),
  })
  if (found.ok) return found.value.map((id) => id.slice(3).split('@')[0]!).toSorted()
  return 'at' in found.error ? `${found.error.code} ${found.error.at}` : found.error.code
}

describe('a look at whom a filter names', () => {
  it('asks the people here, or a source, and knows those of it who are here', async () => {
    assert.deepEqual(await look('(tag=学生)'), ['taro', '花子'])
    assert.deepEqual(await look('(&(tag=学生)(!(tag=教員)))'), ['花子'])
    server.named = ['taro', 'somebody else']
    assert.deepEqual(await look('(ou=x)', 'campus', 'ou=y,dc=campus'), ['taro'])
    assert.equal(server.asks[0]!.base, 'ou=y,dc=campus')
  })

  it('says in a code what is wrong, and asks for nothing that lists may not ask', async () => {
    assert.equal(await look('(tag=学生'), 'syntax 8')
    assert.equal(await look('(ou=x)', 'nowhere'), 'noSource')
    assert.equal(await look('(ou=x)', 'campus', 'dc=else'), 'noBase')
    assert.equal(await look('(ou=x)', ALL_PEOPLE, 'dc=campus'), 'noBase')
    assert.equal(await look('(userPassword=a*)', 'campus'), 'secret')
    assert.equal(server.asks.length, 0)
    server.refused = '二'
    assert.equal(await look('(ou=二)', 'campus'), 'refused')
    server.fault = new Fault('unreachable', 'nobody answers')
    assert.equal(await look('(ou=x)', 'campus'), 'away')
  })

  it('lets a few wait for one another, and no more', async () => {
    const asked = await Promise.all(Array.from({ length: 12 }, () => look('(tag=教員)')))
    assert.equal(asked.filter((each) => each === 'away').length, 4)
    assert.deepEqual(await look('(tag=教員)'), ['taro'])
  })
})
