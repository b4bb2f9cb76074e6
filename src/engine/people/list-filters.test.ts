import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { ListMember } from '#model/list-member.ts'
import { ALL_PEOPLE } from '#model/list-words.ts'
import type { DirectorySource } from '#model/source.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { ListBench, fieldOf, submitted } from '#test/fake/list-bench.ts'
import { FakeSource } from '#test/fake/ldap-source.ts'
import { ListFilters } from './list-filters.ts'

const D = 'campus.example'
const LIST = `学生@${D}`
const SOURCE: DirectorySource = {
  name: 'campus',
  order: 1,
  servers: [{ host: 'ldap.example', port: 389, tls: 'starttls' }],
  base: 'dc=campus',
  key: 'uid',
  auth: 'bind',
}
const person = (uid: string, more: Partial<Account> = {}): DirectoryRow => ({
  kind: 'account',
  account: {
    ...fakeAccount(`${uid}@${D}`),
    origins: [{ source: 'campus', key: `uid=${uid}`, dn: `uid=${uid},dc=campus` }],
    ...more,
  },
})
const put = (row: DirectoryRow): DirectoryEdit => ({ kind: 'put', row })
const ofFilter = (filter: string, source = 'campus', base?: string): ListMember['who'] => ({
  kind: 'filter',
  source,
  filter,
  ...(base !== undefined && { base }),
})
const BY = { who: 'test', from: 'test' } as const

let clock: FakeClock
let log: ReturnType<typeof memoryLog>
let master: DirectoryMaster
let server: FakeSource
let filters: ListFilters

async function begin(uids: readonly string[], ...members: readonly ListMember['who'][]) {
  server = new FakeSource()
  await write(
    put({ kind: 'domain', domain: { name: D } }),
    put({ kind: 'source', source: SOURCE }),
    ...uids.map((uid) => put(person(uid))),
    put({ kind: 'list', list: { ...fakeList(LIST), owners: [idOf(uids[0]!)] } }),
    ...members.map((who) => put({ kind: 'member', member: fakeMember(LIST, who) })),
  )
  filters = new ListFilters({ directory: master, clock, log, hostsOf: () => server })
  await asked()
}
async function write(...edits: readonly DirectoryEdit[]): Promise<void> {
  const written = await master.write(edits, BY)
  assert.ok(written.ok, written.ok ? '' : written.error.message)
}
/** All that is due is asked and written. */
async function asked(ms = 3 * SECOND_MS): Promise<void> {
  clock.advance(ms)
  await filters.settled()
}
const idOf = (uid: string): AccountId => `id-${uid}@${D}` as AccountId
const rows = (): readonly ListMember[] =>
  master.directory.membersOfMany(fakeList(LIST).id).toArray()
const row = (): ListMember => rows()[0]!
const named = (): readonly string[] =>
  (row().resolved?.accounts ?? []).map((id) => id.slice(3).split('@')[0]!)

beforeEach(async () => {
  clock = new FakeClock()
  log = memoryLog()
  master = new DirectoryMaster({ log: new SqliteDirectoryLog(':memory:'), clock })
  await master.load()
})
afterEach(() => filters.close())

describe('a filter over a source', () => {
  it('stands for the accounts whose entries it names, asked again and when there are news', async () => {
    await begin(['花子', 'jiro', 'taro'], ofFilter('(ou=情報)'))
    assert.deepEqual(named(), [])
    server.named = ['花子', 'jiro', 'somebody else']
    await asked(5 * MINUTE_MS)
    assert.deepEqual(named(), ['jiro', '花子'])
    server.named = ['taro']
    filters.news('campus')
    await asked()
    assert.deepEqual(named(), ['taro'])
    const { seq } = master.directory
    await asked(HOUR_MS)
    assert.equal(master.directory.seq, seq, 'what is so still is not written')
    await asked(12 * HOUR_MS)
    assert.equal(master.directory.seq, seq + 1, 'but for how new it is')
  })

  it('is sent as it was parsed, below what is read of the source: what somebody wrote is no syntax', async () => {
    await begin(['hanako'], ofFilter('(cn=\\2a\\29\\28uid=\\2a)', 'campus', 'ou=情報,dc=campus'))
    const [ask] = server.asks
    assert.equal(ask?.base, 'ou=情報,dc=campus')
    assert.equal(ask.filter.kind, 'and')
    const [own, theirs] = 'filters' in ask.filter ? ask.filter.filters : []
    assert.match(JSON.stringify(own), /objectClass/)
    assert.ok(theirs?.kind === 'equal')
    assert.equal(Buffer.from(theirs.value).toString(), '*)(uid=*')
  })

  it('is refused where it is none, asks for what is secret, or lies elsewhere', async () => {
    await begin(['hanako'])
    const refusal = async (who: ListMember['who']): Promise<string> => {
      const written = await master.write(
        [put({ kind: 'member', member: fakeMember(LIST, who) })],
        BY,
      )
      return written.ok ? '' : written.error.message
    }
    assert.match(await refusal(ofFilter('(ou=x))(uid=*')), /unexpected text at character 7/)
    assert.match(await refusal(ofFilter('(!(userPassword;x=a*))')), /secret/)
    assert.match(await refusal(ofFilter('(:caseIgnoreMatch:=a)')), /secret/)
    assert.match(await refusal(ofFilter('(ou=x)', 'campus', 'dc=else')), /does not lie below/)
    assert.match(await refusal(ofFilter('(ou=x)', 'nowhere')), /no source nowhere/)
    assert.match(await refusal(ofFilter('(ou=x)', ALL_PEOPLE, 'dc=campus')), /no base/)
    assert.equal(await refusal(ofFilter('(ou=x)', 'campus', 'OU=x, DC=Campus')), '')
  })

  it('keeps whom it named while no server answers, and says so', async () => {
    await begin(['hanako', 'taro'], ofFilter('(ou=x)'))
    server.named = ['hanako']
    await asked(5 * MINUTE_MS)
    server.fault = new Fault('unreachable', 'ldap.example:\nno answer')
    await asked(5 * MINUTE_MS)
    assert.equal(row().trouble, undefined, 'a server that starts anew is no news')
    await asked(3 * MINUTE_MS)
    assert.deepEqual(named(), ['hanako'])
    assert.deepEqual(
      { ...row().trouble, since: '' },
      { why: 'away', since: '', text: 'ldap.example: no answer' },
    )
    server.fault = undefined
    await asked(MINUTE_MS)
    assert.equal(row().trouble, undefined)
  })

  it('that its server refuses leaves the others of the same source alone', async () => {
    await begin(['hanako'], ofFilter('(a=1)'), ofFilter('(b=1)'))
    server.named = ['hanako']
    server.refused = '"a"'
    await asked(5 * MINUTE_MS)
    const of = (filter: string) =>
      rows().find(({ who }) => who.kind === 'filter' && who.filter === filter)
    assert.equal(of('(a=1)')?.trouble?.why, 'refused')
    assert.deepEqual(of('(b=1)')?.resolved?.accounts, [idOf('hanako')])
  })

  it('that names far fewer is held until somebody says that it is meant', async () => {
    const uids = Array.from({ length: 60 }, (_, n) => `u${n}`)
    await begin(uids, ofFilter('(ou=x)'))
    server.named = uids
    await asked(5 * MINUTE_MS)
    server.named = uids.slice(0, 40)
    filters.news('campus')
    await asked(MINUTE_MS)
    assert.equal(named().length, 60)
    assert.equal(row().trouble?.why, 'held')
    assert.match(row().trouble?.text ?? '', /^20 of 60 members would be gone/)
    await filters.ask('campus', { accept: true })
    assert.equal(named().length, 40)
    assert.equal(row().trouble, undefined)
  })

  it('a large one is written less often, and ends up as it is', async () => {
    const uids = Array.from({ length: 400 }, (_, n) => `u${n}`)
    await begin(uids, ofFilter('(ou=x)'))
    server.named = uids
    await asked(5 * MINUTE_MS)
    const { seq } = master.directory
    for (let n = 1; n <= 5; n++) {
      server.named = uids.slice(n)
      filters.news('campus')
      await asked()
    }
    assert.equal(master.directory.seq, seq)
    await asked(20 * SECOND_MS)
    assert.equal(master.directory.seq, seq + 1)
    assert.equal(named().length, 395)
  })
})

describe('a filter over our own directory', () => {
  it('follows people as they change, with all that is known of them', async () => {
    await begin(['hanako', 'jiro'], ofFilter('(&(watariTag=令和8年*)(ou=物理))', ALL_PEOPLE))
    assert.deepEqual(named(), [])
    const facts = { tags: ['令和８年入学'.normalize('NFKC')], profile: { department: '物理' } }
    await write(put(person('hanako', facts)))
    await asked()
    assert.deepEqual(named(), ['hanako'])
    await write(put(person('taro', facts)), put(person('hanako', { ...facts, tags: [] })))
    await asked()
    assert.deepEqual(named(), ['taro'])
  })
})

describe('a list of 10,000 by a filter, posted to while its directory is away', () => {
  it('reaches who was in last, and its owner hears of that; one of nobody bounces to nobody', async () => {
    const uids = ['owner', ...Array.from({ length: 10_000 }, (_, n) => `u${n}`)]
    await begin(uids, ofFilter('(ou=x)'), ofFilter('(ou=nobody)'))
    server.named = uids.slice(1)
    server.empty = 'nobody'
    await asked(5 * MINUTE_MS)
    server.fault = new Fault('unreachable', 'no answer')
    await asked(5 * MINUTE_MS)
    await asked(3 * MINUTE_MS)
    const bench = new ListBench(
      [...allRows()].map((each) =>
        each.kind === 'list' ? { ...each, list: { ...each.list, posting: 'domain' } } : each,
      ),
    )
    try {
      const mail = {
        to: LIST,
        from: `u7@${D}`,
        verdict: submitted(`u7@${D}`),
        text: `From: u7@${D}\nTo: ${LIST}\nSubject: 休講\nMessage-ID: <m@${D}>\n\n本日休講。\n`,
      }
      assert.equal(await bench.mail(mail), '250 2.1.5')
      const sent = await bench.sent()
      assert.equal(sent.find(({ kind }) => kind === 'post')?.to.length, 10_000)
      const told = sent.filter(({ kind }) => kind !== 'post')
      assert.deepEqual(new Set(told.flatMap(({ to }) => to)), new Set([`owner@${D}`]))
      const subjects = told.map(({ text }) => decodeWords(fieldOf(text, 'Subject')!))
      assert.ok(subjects.some((each) => each.startsWith('古い名簿で配送しました')))
      assert.ok(subjects.some((each) => each.startsWith('宛先のないメンバーがいます')))
    } finally {
      await bench.close()
    }
  })
})

function* allRows(): Iterable<DirectoryRow> {
  const { directory } = master
  for (const domain of directory.domains()) yield { kind: 'domain', domain }
  for (const source of directory.sources()) yield { kind: 'source', source }
  for (const account of directory.accounts()) yield { kind: 'account', account }
  for (const list of directory.lists()) {
    yield { kind: 'list', list }
    for (const member of directory.members(list.id)) yield { kind: 'member', member }
  }
}
