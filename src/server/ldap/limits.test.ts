import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { LdapRequest } from '#codec/ldap/message.ts'
import { search } from '#client/ldap/search.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { encodeRequest } from '#codec/ldap/request.ts'
import { messageLength, readResponse } from '#codec/ldap/response.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { hashPassword } from '#store/directory/password.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { find, filterOf, LdapBook, simpleBind } from '#test/fake/ldap-book.ts'

const PEOPLE = 20_000
/** Looks at each entry, and finds the three that are no people. */
const LONG = '(!(cn=*))'

let book: LdapBook

describe('the address book of many', () => {
  before(async () => {
    const credential = await hashPassword(fromUtf8('合言葉'))
    const rows: DirectoryRow[] = [{ kind: 'domain', domain: { name: 'campus.example' } }]
    for (let number = 0; number < PEOPLE; number++) {
      const account = fakeAccount(`u${number}@campus.example`)
      rows.push({
        kind: 'account',
        account: {
          ...account,
          name: `山田 花子${number}`,
          ...(number === 0 && { credential }),
        },
      })
    }
    book = new LdapBook(rows, {}, { allowPlaintext: true })
    await book.start()
  })
  after(() => book.stop())

  test('is all found page by page, each once; a cut answer says so', async () => {
    const connection = await book.login('u0', '合言葉')
    const cut = await find(connection, '(mail=*)', { attributes: ['mail'] })
    assert.deepEqual([cut.entries.length, cut.code], [1_000, 4])
    const some = await find(connection, '(|(mail=*1999*)(cn=*1999*))', { attributes: ['1.1'] })
    assert.equal(some.entries.length, 12)
    const seen = new Set<string>()
    let count = 0
    for await (const { dn } of search(connection, {
      base: 'ou=people,dc=campus,dc=example',
      scope: 'one',
      filter: filterOf('(cn=山田*)'),
      attributes: ['uid'],
    })) {
      seen.add(dn)
      count++
    }
    assert.deepEqual([count, seen.size], [PEOPLE, PEOPLE])
  })

  test('a long search holds up neither others nor its own connection', async () => {
    const [busy, other] = await Promise.all([
      book.login('u0', '合言葉'),
      book.login('u0', '合言葉'),
    ])
    let isDone = false
    const long = find(busy, LONG).then((found) => {
      isDone = true
      return found
    })
    assert.equal((await find(other, '(uid=u7)', { scope: 'base' })).code, 0)
    assert.equal((await whoAmI(busy)).result.code, 0)
    assert.equal(isDone, false)
    assert.equal((await long).entries.length, 3)
  })

  test('what is abandoned is not answered, and more than eight searches at once wait for nobody', async () => {
    const search = (filter: string): LdapRequest => ({
      op: 'search',
      base: 'dc=campus,dc=example',
      scope: 'subtree',
      filter: filterOf(filter),
      attributes: [],
    })
    const by = { kind: 'simple', password: fromUtf8('合言葉') } as const
    const login = [encodeRequest(1, { op: 'bind', dn: 'u0', by })]
    const whoAmI = { op: 'extended', oid: '1.3.6.1.4.1.4203.1.11.3' } as const
    const abandoned = await talk([
      ...login,
      encodeRequest(2, search(LONG)),
      encodeRequest(3, { op: 'abandon', id: 2 }),
      encodeRequest(4, { op: 'abandon', id: 77 }),
      encodeRequest(5, whoAmI),
      encodeRequest(6, { op: 'unbind' }),
    ])
    assert.deepEqual(abandoned, ['1:0', '5:0'])
    const nine = Array.from({ length: 9 }, (_, at) => encodeRequest(10 + at, search(LONG)))
    const told = await talk([
      ...login,
      ...nine,
      encodeRequest(5, whoAmI),
      encodeRequest(6, { op: 'unbind' }),
    ])
    assert.deepEqual(told, ['1:0', '18:51', '5:0'])
    const again = { op: 'bind', dn: '', by: { kind: 'simple', password: fromUtf8('') } } as const
    const rebound = await talk([
      ...login,
      encodeRequest(2, search(LONG)),
      encodeRequest(3, again),
      encodeRequest(4, search('(uid=u1)')),
      encodeRequest(5, { op: 'unbind' }),
    ])
    assert.deepEqual(rebound, ['1:0', '3:0', '4:50'])
  })

  test('before the directory is there, logins are unavailable, never wrong', async () => {
    const empty = new LdapBook([])
    await empty.start()
    assert.equal(await simpleBind(await empty.connect(), 'u0', '合言葉'), 52)
    await empty.stop()
  })
})

/** Sends all at once in clear; `ID:CODE` of each result. */
async function talk(messages: readonly Octets[]): Promise<readonly string[]> {
  const socket = connect({ host: '127.0.0.1', port: book.port })
  socket.write(concatOctets(messages))
  let rest: Octets = Buffer.concat(await socket.toArray())
  const results: string[] = []
  while (rest.length > 0) {
    const length = messageLength(rest)
    assert.ok(length.ok && length.value !== undefined)
    const read = readResponse(rest.subarray(0, length.value))
    assert.ok(read.ok)
    const { id, response } = read.value
    if (response.op === 'result') results.push(`${id}:${response.result.code}`)
    rest = rest.subarray(length.value)
  }
  return results
}

const whoAmI = (connection: LdapConnection) =>
  connection.ask({ op: 'extended', oid: '1.3.6.1.4.1.4203.1.11.3' })
