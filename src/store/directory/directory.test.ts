import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { domainKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEdit } from './check-edits.ts'
import { SqliteDirectoryLog } from './directory-log.ts'
import { DirectoryMaster } from './directory-master.ts'
import type { DirectoryRow } from './directory.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { SqliteReplica } from './replica.ts'
import { rowKey } from './row-key.ts'
import { readChanges, readRows, readWhole } from './rows-text.ts'

const at = (text: string): Address => {
  const cut = text.lastIndexOf('@')
  return { localpart: text.slice(0, cut), domain: text.slice(cut + 1) }
}
const domain = (name: string, convertTo?: string): DirectoryRow => ({
  kind: 'domain',
  domain: { name, ...(convertTo !== undefined && { convertTo }) },
})
const account = (
  username: string,
  more: Partial<Account> = {},
): DirectoryRow & { kind: 'account' } => ({
  kind: 'account',
  account: {
    id: `a-${username}` as AccountId,
    username,
    domain: 'campus.example',
    admin: false,
    disabled: false,
    credentialVersion: 1,
    addresses: [],
    delegated: [],
    ...more,
  },
})
const alias = (from: string, ...to: string[]): DirectoryRow => ({
  kind: 'alias',
  alias: { from: at(from), to: to.map(at) },
})
const put = (row: DirectoryRow): DirectoryEdit => ({ kind: 'put', row })
const by = { who: 'admin', from: 'cli' }
const ROWS = [
  domain('campus.example'),
  domain('lab.campus.example', 'campus.example'),
  account('hanako', { name: '山田 花子', addresses: [at('yamada.hanako@campus.example')] }),
  account('太郎', { name: '鈴木 太郎' }),
]

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watari-directory-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function master(name: string): Promise<{ log: SqliteDirectoryLog; master: DirectoryMaster }> {
  const log = new SqliteDirectoryLog(join(folder, name))
  const made = new DirectoryMaster({ log, clock: new FakeClock() })
  await made.load()
  return { log, master: made }
}

describe('the directory in memory', () => {
  const directory = new MemoryDirectory(ROWS)

  test('a login is a bare name of the first domain, or any address, also of a converted domain', () => {
    for (const login of [
      'hanako',
      'HANAKO',
      'hanako@campus.example',
      'Hanako@Campus.Example',
      'yamada.hanako@campus.example',
      'yamada.hanako',
      'hanako@lab.campus.example',
    ])
      assert.equal(directory.byLogin(login)?.username, 'hanako', login)
    for (const login of [
      '',
      'hanako@',
      '@campus.example',
      'hanako@other.example',
      'hanak',
      'hanako ',
    ])
      assert.equal(directory.byLogin(login), undefined, login)
  })

  test('names compare in NFC', () => {
    const decomposed = new MemoryDirectory([domain('campus.example'), account('がくせい')])
    assert.equal(decomposed.byLogin('がくせい'.normalize('NFD'))?.username, 'がくせい')
    assert.equal(directory.byLogin('太郎@campus.example')?.name, '鈴木 太郎')
  })

  test('a change of an account takes its old addresses away', () => {
    const moving = new MemoryDirectory(ROWS)
    const row = account('hanako', { addresses: [at('h@campus.example')] })
    moving.apply([{ seq: 5, key: rowKey(row), row }])
    assert.equal(moving.byLogin('yamada.hanako'), undefined)
    assert.equal(moving.byLogin('h')?.username, 'hanako')
    moving.apply([{ seq: 5, key: rowKey(row), row: null }])
    assert.equal(moving.byLogin('h')?.username, 'hanako', 'a known change is passed over')
    moving.apply([{ seq: 6, key: rowKey(row), row: null }])
    assert.equal(moving.byLogin('h'), undefined)
    assert.equal(moving.seq, 6)
  })
})

describe('the master of the directory', () => {
  test('what is written is there after a restart, in the order of creation', async () => {
    const first = await master('restart.db')
    const written = await first.master.write(ROWS.map(put), by)
    assert.deepEqual(written, { ok: true, value: { seq: 4 } })
    // The first domain stays the default one when it is changed later.
    await first.master.write([put(domain('zoo.example')), put(domain('campus.example'))], by)
    first.log.close()
    const second = await master('restart.db')
    assert.equal(second.master.directory.seq, 6)
    assert.equal(second.master.directory.defaultDomain, 'campus.example')
    assert.equal(second.master.directory.byLogin('太郎')?.name, '鈴木 太郎')
    second.log.close()
  })

  test('a batch is written whole or not at all, and a refusal leaves the copy as it was', async () => {
    const { log, master: directory } = await master('batch.db')
    await directory.write(ROWS.map(put), by)
    const refused = await directory.write(
      [
        { kind: 'remove', key: 'domain:lab.campus.example' },
        put(account('jiro')),
        put(account('saburo', { addresses: [at('hanako@campus.example')] })),
      ],
      by,
    )
    assert.equal(!refused.ok && refused.error.code, 'conflict')
    assert.match(!refused.ok ? refused.error.message : '', /belongs to hanako/)
    assert.equal(directory.directory.byLogin('jiro'), undefined)
    assert.deepEqual(
      directory.directory.domains().map(({ name }) => name),
      ['campus.example', 'lab.campus.example'],
    )
    assert.equal(directory.directory.seq, 4)
    assert.equal((await log.history({ limit: 10 })).items.length, 4)
    log.close()
  })

  test('an external id is of one account alone, and comes free with it; facts have limits', async () => {
    const { log, master: directory } = await master('facts.db')
    await directory.write([...ROWS, account('jiro', { externalId: 'B1' })].map(put), by)
    assert.equal(directory.directory.byExternalId('B1')?.username, 'jiro')
    const second = account('saburo', { externalId: 'B1' })
    const refused = await directory.write([put(second)], by)
    assert.match(refused.ok ? '' : refused.error.message, /B1 is the external id of jiro@/)
    const endless = await directory.write([put(account('jiro', { tags: ['a,b'] }))], by)
    assert.equal(!endless.ok && endless.error.code, 'invalid')
    await directory.write([put(account('jiro', { tags: ['法学部'] })), put(second)], by)
    assert.equal(directory.directory.byExternalId('B1')?.username, 'saburo')
    log.close()
  })

  test('rows that would leave mail without an owner are refused, with a remedy', async () => {
    const { log, master: directory } = await master('refused.db')
    await directory.write(
      [...ROWS.map(put), put(alias('info@campus.example', 'hanako@campus.example'))],
      by,
    )
    const refused: [DirectoryEdit, RegExp][] = [
      [put(domain('campus.example', 'lab.campus.example')), /accounts of its own/],
      [put(domain('new.example', 'nowhere.example')), /no local domain/],
      [put(domain('new.example', 'new.example')), /itself/],
      [put(domain('New.example')), /no domain name/],
      [put(account('x', { domain: 'other.example' })), /no local domain/],
      [put(account('x', { domain: 'lab.campus.example' })), /those of campus\.example/],
      [put(account('a+b')), /no address for an account/],
      [put(account('Hanako')), /no address for an account/],
      [put(account('info')), /is an alias/],
      [put(account('h2', { username: 'hanako', id: 'other' as AccountId })), /belongs to/],
      [put(alias('hanako@campus.example', 'x@y.example')), /is an address of/],
      [put(alias('y@campus.example')), /leads nowhere/],
      [put(alias('y@campus.example', 'a@b.example', 'A@b.example')), /twice/],
      [
        put({ kind: 'route', route: { match: 'bad match', nextHop: { kind: 'local' } } }),
        /neither/,
      ],
      [
        put({
          kind: 'route',
          route: { match: 'x.example', nextHop: { kind: 'smtp', host: '', port: 25 } },
        }),
        /no next hop/,
      ],
      [
        put({
          kind: 'forward',
          forward: { accountId: 'none' as AccountId, to: [at('a@b.example')], keep: true },
        }),
        /no account/,
      ],
      [{ kind: 'remove', key: 'domain:campus.example' }, /is converted to/],
      [{ kind: 'remove', key: 'alias:none@campus.example' }, /there is no alias/],
      [{ kind: 'remove', key: 'account:none' }, /there is no account/],
    ]
    for (const [edit, reason] of refused) {
      const result = await directory.write([edit], by)
      assert.match(result.ok ? 'written' : result.error.message, reason)
      assert.notEqual(result.ok ? '' : result.error.remedy, '')
    }
    assert.equal(directory.directory.seq, 5)
    log.close()
  })

  test('history tells who, from where, before and after, and no hash', async () => {
    const { log, master: directory } = await master('history.db')
    await directory.write(
      [put(domain('campus.example')), put(account('hanako', { credential: '$argon2id$old' }))],
      by,
    )
    await directory.write([put(account('hanako', { credential: '$argon2id$new', name: '花子' }))], {
      who: '管理者',
      from: 'api 192.0.2.7',
    })
    const { items } = await log.history({ key: 'account:a-hanako', limit: 10 })
    assert.deepEqual(
      items.map(({ seq }) => seq),
      [3, 2],
    )
    assert.deepEqual(items[0]?.by, { who: '管理者', from: 'api 192.0.2.7' })
    assert.equal(items[0]?.after?.kind === 'account' && items[0].after.account.name, '花子')
    assert.equal(JSON.stringify(items).includes('argon2id'), false)
    log.close()
  })

  test('writes that come at once are written one after the other', async () => {
    const { log, master: directory } = await master('parallel.db')
    await directory.write([put(domain('campus.example'))], by)
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        directory.write([put(account(`u${i % 25}`, { id: `id-${i}` as AccountId }))], by),
      ),
    )
    assert.equal(results.filter(({ ok }) => ok).length, 25)
    assert.equal(directory.directory.counts.accounts, 25)
    log.close()
  })

  test('a write whose answer was lost is known before the next one', async () => {
    const log = new SqliteDirectoryLog(join(folder, 'lost.db'))
    let isLost = true
    const lossy = {
      rows: log.rows.bind(log),
      changes: log.changes.bind(log),
      history: log.history.bind(log),
      write: async (write: Parameters<SqliteDirectoryLog['write']>[0]) => {
        const written = await log.write(write)
        if (isLost) throw new Fault('stalled', 'no answer')
        return written
      },
    }
    const directory = new DirectoryMaster({ log: lossy, clock: new FakeClock() })
    await directory.load()
    const told: number[] = []
    directory.onChange((changes) => told.push(...changes.map(({ seq }) => seq)))
    await assert.rejects(directory.write([put(domain('campus.example'))], by), { code: 'stalled' })
    isLost = false
    const second = await directory.write([put(account('花子'))], by)
    assert.deepEqual(second, { ok: true, value: { seq: 2 } })
    assert.deepEqual(told, [1, 2])
    log.close()
  })

  test('a log that ends elsewhere is a conflict', async () => {
    const { log } = await master('elsewhere.db')
    await assert.rejects(log.write({ baseSeq: 3, edits: [], by, atMs: 0 }), { code: 'conflict' })
    log.close()
  })
})

describe('a replica', () => {
  test('a node finds its last copy, with the order of creation', async () => {
    const path = join(folder, 'replica.db')
    const first = new SqliteReplica(path)
    assert.equal((await first.load({ after: 0, limit: 10 })).seq, 0)
    const keyed = ROWS.map((row) => ({ key: rowKey(row), row }))
    await first.gather({ first: true, rows: [{ key: 'domain:stale', row: domain('stale') }] })
    await first.gather({ first: true, rows: keyed.slice(0, 2) })
    assert.equal(
      readRows(await first.load({ after: 0, limit: 10 })).length,
      0,
      'half a copy is no copy',
    )
    await first.gather({ first: false, rows: keyed.slice(2) })
    await first.replace({ seq: 4 })
    const row = alias('窓口@campus.example', 'hanako@campus.example')
    const renamed = domain('campus.example')
    await first.apply({
      changes: [
        { seq: 4, key: 'domain:campus.example', row: null },
        { seq: 5, key: rowKey(row), row },
        { seq: 6, key: rowKey(renamed), row: renamed },
        { seq: 7, key: 'account:a-太郎', row: null },
      ],
    })
    first.close()
    const second = new SqliteReplica(path)
    const page = await second.load({ after: 0, limit: 3 })
    const rest = await second.load({ after: page.next ?? 0, limit: 3 })
    assert.equal(page.seq, 7)
    assert.deepEqual(
      [...readRows(page), ...readRows(rest)].map((each) => each.row),
      [...ROWS.slice(0, 3), row],
    )
    second.close()
  })

  test('a second copy takes the place of the first, whose rows go in steps', async () => {
    const path = join(folder, 'swapped.db')
    const replica = new SqliteReplica(path)
    const keyed = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => domain(`${name}${i}.example`)).map((row) => ({
        key: rowKey(row),
        row,
      }))
    await replica.gather({ first: true, rows: keyed(5_000, '古い') })
    await replica.replace({ seq: 1 })
    await replica.gather({ first: true, rows: keyed(3, '新しい') })
    await replica.replace({ seq: 2 })
    const { seq, maps } = await readWhole((ask) => replica.load(ask))
    assert.deepEqual([seq, maps.size, maps.domains.size], [2, 3, 3])
    for (let step = 0; step < 10; step++) await new Promise((resolve) => setImmediate(resolve))
    replica.close()
    const db = new DatabaseSync(path)
    assert.equal(db.prepare('SELECT count(*) AS old FROM incoming').get()?.['old'], 0)
    db.close()
    const again = new SqliteReplica(path)
    await again.gather({ first: true, rows: keyed(1, '最後') })
    await again.replace({ seq: 3 })
    const { maps: last } = await readWhole((ask) => again.load(ask))
    assert.deepEqual([...last.domains.keys()], ['最後0.example'])
    again.close()
  })
})

describe('a directory read page by page', () => {
  test('holds all rows in order, however long they are; a page that fails ends it', async () => {
    const log = new SqliteDirectoryLog(join(folder, 'pages.db'))
    const rows = Array.from({ length: 4_500 }, (_, i) => domain(`大学${i}.example`))
    const long = Array.from({ length: 120 }, (_, i) =>
      alias(`全員${i}@大学0.example`, `${'長'.repeat(30_000)}@大学1.example`),
    )
    const edits = [...rows, ...long].map((row) => ({ key: rowKey(row), row }))
    await log.write({ baseSeq: 0, edits, by, atMs: 1 })
    let pages = 0
    const { seq, maps } = await readWhole((ask) => {
      pages++
      return log.rows(ask)
    })
    assert.deepEqual([seq, maps.size, maps.aliases.size], [4_620, 4_620, 120])
    assert.equal(maps.domains.keys().next().value, domainKey('大学0.example'))
    assert.ok(pages >= 4, 'long rows make short pages')
    const broken = readWhole(({ after, limit }) =>
      after === 0 ? log.rows({ after, limit }) : Promise.reject(new Error('EIO')),
    )
    await assert.rejects(broken, /EIO/)
    log.close()
  })

  test('the log forgets its oldest changes over a limit, and says so to who comes from there', async () => {
    const log = new SqliteDirectoryLog(join(folder, 'pruned.db'), 1_000)
    for (let i = 0; i < 30; i++)
      await log.write({
        baseSeq: i * 100,
        edits: Array.from({ length: 100 }, (_, n) => {
          const row = domain(`d${i % 3}-${n}.example`)
          return { key: rowKey(row), row }
        }),
        by,
        atMs: i,
      })
    const old = await log.changes({ since: 1_000, limit: 10 })
    assert.deepEqual([old.seq, old.isCut], [3_000, true])
    const near = await log.changes({ since: 2_000, limit: 10 })
    assert.deepEqual([near.seq, near.isCut, near.last], [3_000, false, 2_010])
    assert.deepEqual(
      readChanges(near).map(({ seq }) => seq),
      Array.from({ length: 10 }, (_, i) => 2_001 + i),
    )
    assert.equal(readRows(await log.rows({ after: 0, limit: 1_000 })).length, 300, 'rows stay')
    log.close()
  })

  test('a writer whose lost write is older than the log reads all rows anew', async () => {
    const log = new SqliteDirectoryLog(join(folder, 'far.db'), 10)
    let isLost = true
    const lossy = {
      rows: log.rows.bind(log),
      changes: log.changes.bind(log),
      history: log.history.bind(log),
      write: async (write: Parameters<SqliteDirectoryLog['write']>[0]) => {
        const written = await log.write(write)
        if (isLost) throw new Fault('stalled', 'no answer')
        return written
      },
    }
    const directory = new DirectoryMaster({ log: lossy, clock: new FakeClock() })
    await directory.load()
    let told = 0
    directory.onChange(() => told++)
    const many = Array.from({ length: 200 }, (_, i) => put(domain(`大学${i}.example`)))
    await assert.rejects(directory.write(many, by), { code: 'stalled' })
    isLost = false
    const second = await directory.write([put(domain('campus.example'))], by)
    assert.deepEqual(second, { ok: true, value: { seq: 201 } })
    assert.equal(directory.directory.domains().length, 201)
    assert.equal(told, 2, 'who listens hears of what was lost, too')
    log.close()
  })
})
