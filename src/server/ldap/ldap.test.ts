import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { concatOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import type { LdapEntry, LdapRequest } from '#codec/ldap/message.ts'
import { nextPage, pagedControl } from '#codec/ldap/paged.ts'
import { encodeRequest } from '#codec/ldap/request.ts'
import { messageLength, readResponse } from '#codec/ldap/response.ts'
import type { Account } from '#model/account.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { hashPassword } from '#store/directory/password.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { find, filterOf, LdapBook, simpleBind } from '#test/fake/ldap-book.ts'

const PASSWORD = 'ひみつ & "合言葉" <渡り> '
const SUFFIX = 'dc=campus,dc=example'
const HANAKO = `uid=hanako,ou=people,${SUFFIX}`

let book: LdapBook
let credential = ''

const person = (address: string, more: Partial<Account> = {}): Account => ({
  ...fakeAccount(address),
  credential,
  ...more,
})
const values = ({ attributes }: LdapEntry, type: string): readonly string[] =>
  attributes.find((each) => each.type === type)?.values.map(toUtf8) ?? []
const uids = (entries: readonly LdapEntry[]): readonly string[] =>
  entries.map(({ dn }) => dn.split(',')[0]!).toSorted()

describe('the address book by LDAP', () => {
  before(async () => {
    credential = await hashPassword(fromUtf8(PASSWORD))
    const rows: readonly DirectoryRow[] = [
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'domain', domain: { name: '大学.example' } },
      {
        kind: 'account',
        account: person('hanako@campus.example', {
          name: '髙橋 花子',
          reading: 'タカハシ ハナコ',
          addresses: [addr('h.takahashi@campus.example')],
        }),
      },
      { kind: 'account', account: person('taro@campus.example', { name: 'Taro Yamada' }) },
      { kind: 'account', account: person('花@大学.example', { name: '山﨑, 花' }) },
      {
        kind: 'account',
        account: person('secret@campus.example', { name: '秘密 花子', tags: ['hidden'] }),
      },
      {
        kind: 'account',
        account: person('left@campus.example', { name: '去った 花子', disabled: true }),
      },
      {
        kind: 'account',
        account: person('old@campus.example', { name: '去った 太郎', expiresOn: '2020-03-31' }),
      },
      {
        kind: 'account',
        account: person('soon@campus.example', { name: '来る 太郎', startsOn: '9999-04-01' }),
      },
      {
        kind: 'alias',
        alias: {
          from: addr('staff@campus.example'),
          to: ['hanako@campus.example', 'secret@campus.example', 'x@elsewhere.example'].map(addr),
        },
      },
      {
        kind: 'alias',
        alias: { from: addr('away@campus.example'), to: [addr('x@elsewhere.example')] },
      },
    ]
    book = new LdapBook(rows, { loginFailuresMax: 3 })
    await book.start()
  })
  after(() => book.stop())
  beforeEach(() => {
    book.resultsMax = 1_000
    book.withGroups = true
  })

  test('takes no password before TLS, and tells those who are not logged in what it is, nothing else', async () => {
    const plain = await book.connect('none')
    assert.equal(await simpleBind(plain, HANAKO, PASSWORD), 13)
    const sasl = { kind: 'sasl', mechanism: 'PLAIN', credentials: fromUtf8('\0hanako\0x') } as const
    assert.equal((await plain.ask({ op: 'bind', dn: '', by: sasl })).result.code, 13)
    assert.equal(await simpleBind(plain, '', ''), 0)
    assert.equal(await simpleBind(plain, HANAKO, ''), 53)
    const root = await find(plain, '(objectClass=*)', { scope: 'base', attributes: ['+'] })
    assert.deepEqual(values(root.entries[0]!, 'namingContexts'), [SUFFIX])
    assert.deepEqual(values(root.entries[0]!, 'supportedExtension').length, 2)
    assert.deepEqual(values(root.entries[0]!, 'supportedSASLMechanisms'), [])
    const named = { scope: 'base', attributes: ['NAMINGCONTEXTS'] } as const
    const one = await find(plain, '(objectClass=*)', named)
    assert.deepEqual(
      one.entries[0]?.attributes.map(({ type }) => type),
      ['namingContexts'],
    )
    for (const base of ['', SUFFIX, 'ou=nowhere', 'no name'])
      assert.deepEqual(await find(plain, '(mail=*)', { base }), {
        entries: [],
        code: 50,
        controls: [],
      })
    const asked = { op: 'compare', dn: HANAKO, type: 'cn', value: fromUtf8('x') } as const
    assert.equal((await plain.ask(asked)).result.code, 50)
  })

  test('lets in by any name: an entry’s, a user’s, an address; passwords are octets', async () => {
    const connection = await book.connect('implicit')
    for (const name of [
      HANAKO,
      'UID=Hanako, OU=People; DC=campus, dc=example',
      'hanako',
      'HANAKO@campus.example',
      'h.takahashi@campus.example',
      `mail=hanako@campus.example,${SUFFIX}`,
    ]) {
      assert.equal(await simpleBind(connection, name, PASSWORD), 0, name)
      assert.deepEqual(await whoAmI(connection), `dn:${HANAKO}`)
    }
    const other = 'uid=花@大学.example,ou=people,dc=campus,dc=example'
    assert.equal(await simpleBind(connection, other, PASSWORD), 0)
    assert.equal(await whoAmI(connection), `dn:${other}`)
    for (const [name, password] of [
      [HANAKO, PASSWORD.trim()],
      ['left@campus.example', PASSWORD],
      ['nobody', PASSWORD],
      [`uid=hanako,ou=people,dc=other`, PASSWORD],
    ] as const) {
      const wrong = await book.connect()
      assert.equal(await simpleBind(wrong, name, password), 49, name)
    }
    assert.equal((await find(connection, '(uid=hanako)')).entries.length, 1)
    assert.equal(await simpleBind(connection, HANAKO, 'wrong'), 49)
    assert.equal(await whoAmI(connection), '')
    assert.equal((await find(connection, '(uid=hanako)')).code, 50)
  })

  test('SASL PLAIN: in one step or two; under nobody else’s name; no other mechanism', async () => {
    const connection = await book.connect()
    const sasl = async (text: string | undefined, mechanism = 'PLAIN') => {
      const credentials = text === undefined ? {} : { credentials: fromUtf8(text) }
      const by = { kind: 'sasl', mechanism, ...credentials } as const
      return (await connection.ask({ op: 'bind', dn: '', by })).result.code
    }
    assert.equal(await sasl(`\0hanako\0${PASSWORD}`), 0)
    assert.equal(await sasl(`u:hanako\0hanako\0${PASSWORD}`), 0)
    assert.equal(await sasl(undefined), 14)
    assert.equal(await sasl(`\0hanako\0${PASSWORD}`), 0)
    assert.equal(await sasl(`u:taro\0hanako\0${PASSWORD}`), 49)
    assert.equal(await sasl('nonsense'), 49)
    assert.equal(await sasl('', 'GSSAPI'), 7)
  })

  test('entries are what address books know: names in parts, readings, all addresses', async () => {
    const connection = await book.login('taro', PASSWORD)
    const { entries, code } = await find(connection, '(uid=hanako)')
    assert.equal(code, 0)
    const told = Object.fromEntries(
      entries[0]!.attributes.map(({ type, values: each }) => [type, each.map(toUtf8)]),
    )
    assert.equal(entries[0]!.dn, HANAKO)
    assert.deepEqual(told, {
      objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson'],
      uid: ['hanako'],
      cn: ['髙橋 花子'],
      sn: ['髙橋'],
      givenName: ['花子'],
      displayName: ['髙橋 花子'],
      'cn;lang-ja': ['髙橋 花子'],
      'sn;lang-ja': ['髙橋'],
      'givenName;lang-ja': ['花子'],
      'cn;lang-ja;phonetic': ['タカハシ ハナコ'],
      'sn;lang-ja;phonetic': ['タカハシ'],
      'givenName;lang-ja;phonetic': ['ハナコ'],
      mail: ['hanako@campus.example', 'h.takahashi@campus.example'],
    })
    const group = (await find(connection, '(cn=staff)')).entries[0]!
    assert.equal(group.dn, `cn=staff,ou=groups,${SUFFIX}`)
    assert.deepEqual(values(group, 'member'), [HANAKO])
    const away = (await find(connection, '(mail=away@campus.example)')).entries[0]!
    assert.deepEqual(values(away, 'member'), [away.dn])
    const english = (await find(connection, '(sn=yamada)')).entries[0]!
    assert.deepEqual(values(english, 'givenName'), ['Taro'])
  })

  test('finds as mail programs ask, whatever the width, case, kana or form of a sign', async () => {
    const connection = await book.login('taro', PASSWORD)
    const thunderbird = (text: string): string =>
      `(|(mail=*${text}*)(cn=*${text}*)(givenName=*${text}*)(sn=*${text}*))`
    const outlook = (text: string): string =>
      `(&(mail=*)(|(mail=${text}*)(cn=${text}*)(sn=${text}*)(givenName=${text}*)(displayName=${text}*)))`
    const contacts = (text: string): string =>
      `(&(objectClass=inetOrgPerson)(|(givenName=${text}*)(sn=${text}*)(cn=${text}*)(mail=${text}*)(telephoneNumber=${text}*)))`
    for (const [filter, wanted] of [
      [thunderbird('高橋'), ['uid=hanako']],
      [thunderbird('たかはし'), ['uid=hanako']],
      [thunderbird('ﾀｶﾊｼ'), ['uid=hanako']],
      [thunderbird('橋花'), ['uid=hanako']],
      [thunderbird('ＴＡＲＯ'), ['uid=taro']],
      [thunderbird('花'), ['uid=hanako', 'uid=花@大学.example']],
      [thunderbird('山崎'), ['uid=花@大学.example']],
      [outlook('h.'), ['uid=hanako']],
      [outlook('ハナ'), ['uid=hanako']],
      ['(&(mail=*)(anr=yama))', ['uid=taro']],
      [contacts('はな'), ['uid=hanako']],
      ['(mail=staff*)', ['cn=staff']],
      ['(mail=h*@campus.example)', ['uid=hanako']],
      ['(mail=h*x*@campus.example)', []],
      ['(&(objectClass=person)(!(cn=*花*)))', ['uid=taro']],
      ['(cn~=橋花子)', ['uid=hanako']],
      ['(cn:caseIgnoreMatch:=髙橋花子)', ['uid=hanako']],
      ['(cn:caseExactMatch:=髙橋 花子)', []],
      ['(&(objectClass=person)(uid>=taro)(uid<=taro))', ['uid=taro']],
      [`(member=${HANAKO.toUpperCase()})`, ['cn=staff']],
      ['(&)', undefined],
      ['(|)', []],
      // What there is not is neither true nor false (RFC 4511 §4.5.1.7).
      ['(!(carLicense=*))', []],
      ['(|(carLicense=*)(uid=taro))', ['uid=taro']],
    ] as const) {
      const { entries, code } = await find(connection, filter)
      assert.equal(code, 0, filter)
      if (wanted === undefined) assert.equal(entries.length, 8, filter)
      else assert.deepEqual(uids(entries), [...wanted], filter)
    }
    const octets = { kind: 'equal', type: 'cn', value: Uint8Array.of(0xff, 0xfe) } as const
    assert.deepEqual((await find(connection, octets)).entries, [])
    for (const text of ['秘密', '去った', '来る', 'secret', 'left'])
      assert.deepEqual((await find(connection, thunderbird(text))).entries, [], text)
  })

  test('gives the attributes that were asked for; places of the tree are entries as well', async () => {
    const connection = await book.login('taro', PASSWORD)
    const types = async (attributes: readonly string[], more = {}) => {
      const { entries } = await find(connection, '(uid=hanako)', { attributes, ...more })
      return entries[0]?.attributes.map(({ type, values: each }) => `${type}=${each.length}`)
    }
    assert.deepEqual(await types(['MAIL']), ['mail=2'])
    assert.deepEqual(await types(['rfc822Mailbox', '2.5.4.4;lang-ja;phonetic']), [
      'sn;lang-ja;phonetic=1',
      'mail=2',
    ])
    assert.deepEqual(await types(['1.1']), [])
    assert.deepEqual(await types(['+']), [
      'entryDN=1',
      'structuralObjectClass=1',
      'hasSubordinates=1',
    ])
    assert.equal((await types(['*', '+']))?.length, 16)
    assert.deepEqual(await types(['mail'], { typesOnly: true }), ['mail=0'])
    const at = async (base: string, scope: 'base' | 'one' | 'subtree') => {
      const { entries, code } = await find(connection, '(objectClass=*)', { base, scope })
      return code === 0 ? uids(entries) : code
    }
    const all = ['cn=away', 'cn=staff', 'dc=campus', 'ou=groups', 'ou=people']
    const people = ['uid=hanako', 'uid=taro', 'uid=花@大学.example']
    assert.deepEqual(await at(SUFFIX, 'subtree'), [...all, ...people])
    assert.deepEqual(await at('', 'subtree'), [...all, ...people])
    assert.deepEqual(await at(SUFFIX, 'one'), ['ou=groups', 'ou=people'])
    assert.deepEqual(await at(SUFFIX, 'base'), ['dc=campus'])
    assert.deepEqual(await at(`ou=people,${SUFFIX}`, 'one'), people)
    assert.deepEqual(await at(`OU=Groups, ${SUFFIX}`, 'one'), ['cn=away', 'cn=staff'])
    assert.deepEqual(await at(HANAKO, 'base'), ['uid=hanako'])
    assert.deepEqual(await at(HANAKO, 'one'), [])
    assert.equal(await at(`uid=secret,ou=people,${SUFFIX}`, 'base'), 32)
    assert.equal(await at('dc=other', 'subtree'), 32)
    assert.equal(await at('hanako', 'base'), 34)
    book.withGroups = false
    assert.deepEqual(await at(SUFFIX, 'subtree'), ['dc=campus', 'ou=people', ...people])
    assert.equal(await at(`cn=staff,ou=groups,${SUFFIX}`, 'base'), 32)
  })

  test('compares, and changes nothing for anybody', async () => {
    const connection = await book.login('taro', PASSWORD)
    const compare = async (dn: string, type: string, value: string) =>
      (await connection.ask({ op: 'compare', dn, type, value: fromUtf8(value) })).result.code
    assert.equal(await compare(HANAKO, 'cn', '高橋花子'), 6)
    assert.equal(await compare(HANAKO, 'cn', '花'), 5)
    assert.equal(await compare(HANAKO, 'o', '花'), 16)
    assert.equal(await compare(HANAKO, 'userPassword', PASSWORD), 16)
    assert.equal(await compare('uid=nobody', 'cn', '花'), 32)
    const changed = [{ kind: 'replace', type: 'cn', values: [fromUtf8('x')] }] as const
    for (const request of [
      { op: 'modify', dn: HANAKO, changes: changed },
      { op: 'add', dn: `uid=x,${SUFFIX}`, attributes: [] },
      { op: 'delete', dn: HANAKO },
      { op: 'rename', dn: HANAKO, rdn: 'uid=x', deleteOldRdn: true },
    ] as const satisfies readonly LdapRequest[])
      assert.equal((await connection.ask(request)).result.code, 53, request.op)
    const unknown = { op: 'extended', oid: '1.3.6.1.4.1.4203.1.11.1' } as const
    assert.equal((await connection.ask(unknown)).result.code, 2)
  })

  test('pages, limits, and controls that it does not know', async () => {
    const connection = await book.login('taro', PASSWORD)
    const page = async (size: number, cookie?: Uint8Array, more = {}) => {
      const controls = [{ ...pagedControl(size, cookie), critical: true }]
      const found = await find(connection, '(mail=*)', { controls, ...more })
      const next = nextPage(found.controls)
      assert.ok(next.ok)
      return { ...found, cookie: next.value }
    }
    const seen: string[] = []
    let at = await page(2)
    for (;;) {
      assert.equal(at.code, 0)
      seen.push(...uids(at.entries))
      if (at.cookie === undefined) break
      assert.equal(at.entries.length, 2)
      at = await page(2, at.cookie)
    }
    assert.deepEqual(seen.toSorted(), [
      'cn=away',
      'cn=staff',
      'uid=hanako',
      'uid=taro',
      'uid=花@大学.example',
    ])
    const first = await page(2)
    assert.equal((await page(2, first.cookie, { base: SUFFIX })).code, 53, 'another search')
    assert.equal((await page(2, first.cookie)).code, 53, 'a cookie works once')
    assert.equal((await page(2, fromUtf8('made up'))).code, 53)
    const limited = await find(connection, '(mail=*)', { sizeLimit: 3 })
    assert.deepEqual([limited.entries.length, limited.code], [3, 4])
    assert.equal((await find(connection, '(mail=*)', { sizeLimit: 5 })).code, 0)
    book.resultsMax = 2
    assert.deepEqual((await find(connection, '(mail=*)')).code, 4)
    const capped = await page(100)
    assert.deepEqual([capped.entries.length, capped.code], [2, 0])
    const sized = await page(2, capped.cookie, {})
    assert.equal(sized.entries.length, 2)
    const sorting = { oid: '1.2.840.113556.1.4.473', value: fromUtf8('x') } // RFC 2891
    const views = { oid: '2.16.840.1.113730.3.4.9', critical: true }
    assert.equal((await find(connection, '(uid=taro)', { controls: [sorting] })).code, 0)
    assert.equal((await find(connection, '(uid=taro)', { controls: [views] })).code, 12)
  })

  test('a change of the directory counts at once, for what is found and for who may look', async () => {
    const connection = await book.login('taro', PASSWORD)
    const put = (account: Account): void => {
      const key = `account:${account.id}`
      const row = { kind: 'account', account } as const
      book.directory.apply([{ seq: book.directory.seq + 1, key, row }])
      book.tell([key])
    }
    const count = async (filter: string): Promise<number> =>
      (await find(connection, filter)).entries.length
    assert.equal(await count('(cn=*新人*)'), 0)
    const made = person('new@campus.example', { name: '新人' })
    put(made)
    assert.equal(await count('(cn=*新人*)'), 1)
    put({ ...made, name: '古株' })
    assert.deepEqual([await count('(cn=*新人*)'), await count('(cn=*古株*)')], [0, 1])
    put({ ...made, disabled: true })
    assert.equal(await count('(uid=new)'), 0)
    const alias = { from: addr('list@campus.example'), to: [addr('taro@campus.example')] }
    const key = 'alias:list@campus.example'
    book.directory.apply([{ seq: book.directory.seq + 1, key, row: { kind: 'alias', alias } }])
    book.tell([key])
    assert.equal(await count('(mail=list@*)'), 1)
    book.directory.apply([{ seq: book.directory.seq + 1, key, row: null }])
    book.tell([key])
    assert.equal(await count('(mail=list@*)'), 0)
    book.tell('all')
    assert.equal(await count('(uid=taro)'), 1)
  })

  test('who may not stay is told so and cut off, whether it waits or asks (RFC 4511 §4.4.1)', async () => {
    const put = (account: Account, isTold: boolean): void => {
      const key = `account:${account.id}`
      book.directory.apply([
        { seq: book.directory.seq + 1, key, row: { kind: 'account', account } },
      ])
      if (isTold) book.tell([key])
    }
    const leaver = person('jiro@campus.example', { name: '次郎' })
    put(leaver, true)
    const other = await book.login('hanako', PASSWORD)
    for (const fallen of [
      { ...leaver, disabled: true },
      { ...leaver, credentialVersion: leaver.credentialVersion + 1 },
    ]) {
      put(leaver, true)
      const client = await BareClient.open(book.tlsListener!.port, book.certificate)
      const by = { kind: 'simple', password: fromUtf8(PASSWORD) } as const
      client.send(encodeRequest(1, { op: 'bind', dn: 'jiro', by }))
      assert.deepEqual(await client.next(), { id: 1, code: 0, oid: undefined })
      // Before anybody is told, it is nobody already.
      put(fallen, false)
      client.send(encodeRequest(2, { op: 'search', ...NAMES }))
      assert.deepEqual(await client.next(), { id: 2, code: 50, oid: undefined })
      book.tell([`account:${leaver.id}`])
      assert.deepEqual(await client.next(), { id: 0, code: 8, oid: '1.3.6.1.4.1.1466.20036' })
      assert.equal(await client.next(), 'end')
    }
    put({ ...book.directory.byLogin('hanako')!, name: '花子' }, true)
    assert.equal(await whoAmI(other), `dn:${HANAKO}`)
  })

  test('STARTTLS: not twice, and nothing that was sent in clear goes on under it', async () => {
    const connection = await book.connect()
    const again = await connection.ask({ op: 'extended', oid: '1.3.6.1.4.1.1466.20037' })
    assert.equal(again.result.code, 1)
    const socket = connect({ host: '127.0.0.1', port: book.port })
    const by = { kind: 'simple', password: fromUtf8('x') } as const
    socket.write(
      concatOctets([
        encodeRequest(1, { op: 'extended', oid: '1.3.6.1.4.1.1466.20037' }),
        encodeRequest(2, { op: 'bind', dn: 'hanako', by }),
      ]),
    )
    const chunks: Buffer[] = await socket.toArray()
    const told = readResponse(Buffer.concat(chunks))
    assert.ok(told.ok && told.value.id === 1) // and nothing behind it
  })

  test('what is no LDAP, too long or malformed ends with a notice', async () => {
    const request = encodeRequest(1, {
      op: 'search',
      base: '',
      scope: 'base',
      attributes: [],
      filter: { kind: 'not', filter: filterOf(`${'(!'.repeat(49)}(a=b)${')'.repeat(49)}`) },
    })
    for (const octets of [
      fromUtf8('GET / HTTP/1.1\r\n\r\n'),
      Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff),
      Uint8Array.of(0x30, 0x80, 0x00, 0x00),
      Uint8Array.of(0x30, 0x00),
      request,
    ]) {
      const socket = connect({ host: '127.0.0.1', port: book.port })
      socket.write(octets)
      const told = readResponse(Buffer.concat(await socket.toArray()))
      assert.ok(told.ok && told.value.response.op === 'result', String(octets))
      assert.deepEqual(
        [told.value.id, told.value.response.result.code, told.value.response.oid],
        [0, 2, '1.3.6.1.4.1.1466.20036'],
      )
    }
    assert.deepEqual(
      book.log.lines.filter(({ event }) => event === 'ldap.failed'),
      [],
    )
  })

  test('several wrong passwords end the connection', async () => {
    const connection = await book.connect()
    const codes: number[] = []
    for (let count = 0; count < 3; count++)
      codes.push(await simpleBind(connection, 'hanako', `wrong ${count}`))
    assert.deepEqual(codes, [49, 49, 49])
    await assert.rejects(simpleBind(connection, 'hanako', PASSWORD))
  })
})

const NAMES = {
  base: SUFFIX,
  scope: 'subtree',
  filter: filterOf('(uid=*)'),
  attributes: ['uid'],
} as const

/** A client that reads whatever comes, notices too. */
class BareClient {
  readonly #socket: TLSSocket
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Uint8Array = new Uint8Array(0)

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  static async open(port: number, ca: string): Promise<BareClient> {
    const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    await once(socket, 'secureConnect')
    return new BareClient(socket)
  }

  send(octets: Uint8Array): void {
    this.#socket.write(octets)
  }

  async next() {
    for (;;) {
      const length = messageLength(this.#rest)
      assert.ok(length.ok)
      if (length.value !== undefined && length.value <= this.#rest.length) {
        const told = readResponse(this.#rest.subarray(0, length.value))
        this.#rest = this.#rest.subarray(length.value)
        assert.ok(told.ok && told.value.response.op === 'result')
        const { result, oid } = told.value.response
        return { id: told.value.id, code: result.code, oid }
      }
      const { done, value } = await this.#chunks.next()
      if (done === true) return 'end'
      this.#rest = concatOctets([this.#rest, value])
    }
  }
}

async function whoAmI(connection: LdapConnection): Promise<string> {
  const { value } = await connection.ask({ op: 'extended', oid: '1.3.6.1.4.1.4203.1.11.3' })
  return toUtf8(value ?? new Uint8Array(0))
}
