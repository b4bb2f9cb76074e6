import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { FakeClock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { SqliteDirectoryLog } from './directory-log.ts'
import type { DirectoryChange, DirectoryRow } from './directory.ts'
import { ImageKeeper } from './image-keeper.ts'
import { loadDirectory, saveImage } from './load-directory.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { SqliteReplica } from './replica.ts'
import { rowKey } from './row-key.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watari-image-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const person = (number: number, more: Partial<Account> = {}): DirectoryRow => {
  const text = `利用者${number}@campus.example`
  const account = fakeAccount(text, [`hanako.${number}@lab.campus.example`])
  return { kind: 'account', account: { ...account, name: `渡辺 ${number}`, ...more } }
}

/** One row of each kind; a new kind does not compile before it stands here. */
const EACH_KIND: { readonly [K in DirectoryRow['kind']]: DirectoryRow & { readonly kind: K } } = {
  domain: { kind: 'domain', domain: { name: 'campus.example' } },
  account: {
    kind: 'account',
    account: {
      ...fakeAccount('花子@campus.example', ['hanako@campus.example']),
      credential: '$argon2id$…',
      scram: 'SCRAM-SHA-256$65536:c2FsdA==$a2V5:a2V5',
      externalId: '社員-1',
    },
  },
  alias: {
    kind: 'alias',
    alias: { from: addr('受付@campus.example'), to: [addr('花子@campus.example')] },
  },
  forward: {
    kind: 'forward',
    forward: {
      accountId: 'id-花子@campus.example' as AccountId,
      to: [addr('x@else.example')],
      keep: true,
    },
  },
  choices: {
    kind: 'choices',
    choices: {
      accountId: 'id-花子@campus.example' as AccountId,
      revision: 3,
      junk: { spam: 'junk', suspected: 'inbox' },
      filters: [
        {
          name: '会議',
          match: 'any',
          conditions: [{ field: 'subject', is: 'contains', value: '会議' }],
          folder: '会議',
        },
      ],
    },
  },
  route: { kind: 'route', route: { match: 'else.example', nextHop: { kind: 'local' } } },
  source: {
    kind: 'source',
    source: {
      name: 'campus-ldap',
      order: 1,
      servers: [{ host: 'ldap.example', port: 636, tls: 'implicit' }],
      base: 'dc=example',
      key: 'entryUUID',
      auth: 'bind',
    },
  },
  plan: {
    kind: 'plan',
    plan: {
      id: 'p1',
      title: '進級',
      on: '2028-04-01',
      where: { tags: ['1年'] },
      change: { addTags: ['2年'] },
      by: 'admin',
      byRole: 'administrator',
    },
  },
  list: { kind: 'list', list: { ...fakeList('ゼミ@campus.example'), name: '情報工学ゼミ' } },
  member: {
    kind: 'member',
    member: fakeMember('ゼミ@campus.example', {
      kind: 'account',
      id: 'id-花子@campus.example' as AccountId,
    }),
  },
}

const changesOf = (rows: readonly DirectoryRow[], after = 0): DirectoryChange[] =>
  rows.map((row, index) => ({ seq: after + index + 1, key: rowKey(row), row }))

/** A node's copy with an image of its first rows, and the path of the image. */
async function imaged(name: string, rows: readonly DirectoryRow[], recentMax?: number) {
  const replica = new SqliteReplica(join(folder, `${name}.db`), recentMax)
  const directory = new MemoryDirectory()
  const take = async (changes: readonly DirectoryChange[]): Promise<void> => {
    await replica.apply({ changes })
    directory.apply(changes)
  }
  await take(changesOf(rows))
  await saveImage(directory, replica, () => true)
  return { replica, directory, take, image: join(folder, `${name}.image`) }
}

const load = async (replica: SqliteReplica) => {
  const directory = new MemoryDirectory()
  const { fromImage } = await loadDirectory(directory, {
    rows: (ask) => replica.load(ask),
    images: replica,
  })
  return { directory, fromImage }
}

/** All that can be asked of a directory, in one order. */
const told = (directory: MemoryDirectory): unknown => ({
  seq: directory.seq,
  scram: directory.scram,
  counts: directory.counts,
  few: [directory.defaultDomain, directory.domains(), directory.routes(), directory.sources()],
  accounts: directory.accounts().toArray().map(sorted).toSorted(),
  aliases: directory.aliases().toArray().map(sorted).toSorted(),
  forwards: directory.forwards().toArray().map(sorted).toSorted(),
  lists: directory.lists().toArray().map(sorted).toSorted(),
  members: directory
    .lists()
    .toArray()
    .map(({ id }) => directory.members(id).toArray().map(sorted).toSorted()),
})

const sorted = (row: object): string => JSON.stringify(row)

describe('a directory with an image', () => {
  test('is read from it as it is read row by row, every kind of row, with what came after it', async () => {
    const people = Array.from({ length: 300 }, (_, i) => person(i))
    const rows = [...Object.values(EACH_KIND), ...people]
    const { replica, directory, take } = await imaged('kinds', rows)
    const later: DirectoryChange[] = [
      { seq: rows.length + 1, key: rowKey(people[7]!), row: null },
      ...changesOf([person(8, { addresses: [], externalId: '社員-8' })], rows.length + 1),
      ...changesOf([person(301)], rows.length + 2),
    ]
    await take(later)
    const { directory: read, fromImage } = await load(replica)
    assert.equal(fromImage, true)
    assert.deepEqual(told(read), told(directory))
    const byRow = new MemoryDirectory()
    await loadDirectory(byRow, { rows: (ask) => replica.load(ask) })
    assert.deepEqual(told(read), told(byRow))
    assert.equal(read.byAddress(addr('HANAKO.301@Lab.Campus.example'))?.name, '渡辺 301')
    assert.equal(read.byAddress(addr('hanako.7@lab.campus.example')), undefined)
    assert.equal(read.byAddress(addr('hanako.8@lab.campus.example')), undefined)
    assert.equal(read.byExternalId('社員-8')?.name, '渡辺 8')
    assert.equal(read.byExternalId('社員-1')?.username, '花子')
    const { list, purpose } = read.listByAddress(addr('ゼミ-Owner@Campus.example'))!
    assert.deepEqual([list.name, purpose], ['情報工学ゼミ', 'owner'])
    assert.deepEqual(
      read.members(list.id).toArray(),
      read.listsOf(EACH_KIND.forward.forward.accountId).toArray(),
    )
    assert.equal(read.counts.members, 1)
    replica.close()
  })

  test('holds as many routes as somebody may have', async () => {
    const routes = Array.from({ length: 20_000 }, (_, n): DirectoryRow => {
      const match = `研究室${n}.else.example`
      return { kind: 'route', route: { match, nextHop: { kind: 'smtp', host: match, port: 25 } } }
    })
    const { replica, directory } = await imaged('routes', [EACH_KIND.domain, ...routes, person(1)])
    const { directory: read, fromImage } = await load(replica)
    assert.equal(fromImage, true)
    assert.equal(read.routes().length, routes.length)
    assert.deepEqual(read.routes(), directory.routes())
    replica.close()
  })

  test('is read row by row where the image is cut off, damaged or of another form', async () => {
    const { replica, directory, image } = await imaged('damaged', [
      EACH_KIND.domain,
      ...Array.from({ length: 500 }, (_, i) => person(i)),
    ])
    const whole = await readFile(image)
    const flipped = (at: number): Buffer => {
      const octets = Buffer.from(whole)
      octets[at]! ^= 1
      return octets
    }
    const damaged = [
      ...[0, 1, 7, 8, 100, whole.length >> 1, whole.length - 1].map((at) => whole.subarray(0, at)),
      ...[0, 4, 9, 200, whole.length >> 1, whole.length - 1].map(flipped),
    ]
    for (const octets of damaged) {
      await writeFile(image, octets)
      const { directory: read, fromImage } = await load(replica)
      assert.equal(fromImage, false)
      assert.deepEqual(told(read), told(directory))
    }
    await writeFile(image, whole)
    assert.equal((await load(replica)).fromImage, true)
    replica.close()
  })

  test('is not believed about another database, or one that knows less', async () => {
    const rows = [EACH_KIND.domain, person(1), person(2)]
    const { replica, image } = await imaged('first', rows)
    const older = new SqliteReplica(join(folder, 'older.db'))
    await older.apply({ changes: changesOf(rows.slice(0, 2)) })
    await writeFile(join(folder, 'older.image'), await readFile(image))
    const { directory, fromImage } = await load(older)
    assert.equal(fromImage, false)
    assert.equal(directory.seq, 2)
    await assert.rejects(stat(join(folder, 'older.image')), 'it is gone before the numbers meet')
    // A whole new copy that happens to end at the same number.
    await replica.gather({
      first: true,
      rows: [EACH_KIND.domain, person(3), person(4)].map((row) => ({ key: rowKey(row), row })),
    })
    await replica.replace({ seq: 3 })
    const replaced = await load(replica)
    assert.equal(replaced.fromImage, false)
    assert.equal(replaced.directory.byLogin('利用者3')?.name, '渡辺 3')
    assert.equal(replaced.directory.byLogin('利用者1'), undefined)
    replica.close()
    older.close()
  })

  test('is not kept where another copy took its place while it was written', async () => {
    const rows = [EACH_KIND.domain, person(1)]
    const { replica, directory, image } = await imaged('meanwhile', rows)
    const before = await readFile(image)
    await saveImage(directory, replica, () => false)
    assert.deepEqual(await readFile(image), before)
    replica.close()
  })

  test('tells what came after it for as many changes as a start reads one by one', async () => {
    const { replica, take } = await imaged('far', [EACH_KIND.domain, person(0)], 100)
    const many = Array.from({ length: 300 }, (_, i) => person(i % 50, { name: `名前 ${i}` }))
    await take(changesOf(many.slice(0, 90), 2))
    const near = await load(replica)
    assert.equal(near.fromImage, true)
    assert.equal(near.directory.byLogin('利用者39')?.name, '名前 89')
    for (let at = 90; at < many.length; at += 30)
      await take(changesOf(many.slice(at, at + 30), 2 + at))
    const { directory, fromImage } = await load(replica)
    assert.equal(fromImage, false)
    assert.equal(directory.byLogin('利用者49')?.name, '名前 299')
    replica.close()
  })

  test("control's log tells what came after its image in the same way", async () => {
    const log = new SqliteDirectoryLog(join(folder, 'control.db'))
    const directory = new MemoryDirectory()
    const write = async (rows: readonly DirectoryRow[]): Promise<void> => {
      const { changes } = await log.write({
        baseSeq: directory.seq,
        edits: rows.map((row) => ({ key: rowKey(row), row })),
        by: { who: 'admin', from: 'cli' },
        atMs: 0,
      })
      directory.apply(changes)
    }
    await write([...Object.values(EACH_KIND), person(1)])
    await saveImage(directory, log, () => true)
    await write([person(2), person(1, { name: '新しい名前' })])
    const read = new MemoryDirectory()
    const { fromImage } = await loadDirectory(read, { rows: (ask) => log.rows(ask), images: log })
    assert.equal(fromImage, true)
    assert.deepEqual(told(read), told(directory))
    log.close()
  })

  test('has one some seconds after it has become large, and again when that is far behind', async () => {
    const replica = new SqliteReplica(join(folder, 'kept.db'))
    const directory = new MemoryDirectory()
    const clock = new FakeClock()
    const saved: number[] = []
    let told = Promise.withResolvers<void>()
    const images = {
      readImage: (ask: { readonly at: number }) => replica.readImage(ask),
      writeImage: (piece: Parameters<SqliteReplica['writeImage']>[0]) => replica.writeImage(piece),
      since: (ask: Parameters<SqliteReplica['since']>[0]) => replica.since(ask),
      dropImage: () => replica.dropImage(),
      keepImage: async (end: { readonly seq: number }) => {
        await replica.keepImage(end)
        saved.push(end.seq)
        told.resolve()
        told = Promise.withResolvers()
      },
    }
    const keeper = new ImageKeeper({ directory, images, clock, log: silentLog })
    const take = async (rows: readonly DirectoryRow[]): Promise<void> => {
      const changes = changesOf(rows, directory.seq)
      await replica.apply({ changes })
      directory.apply(changes)
      keeper.look()
    }
    keeper.loaded({ fromImage: false })
    await take([EACH_KIND.domain, ...Array.from({ length: 4_000 }, (_, i) => person(i))])
    clock.advance(60_000)
    assert.deepEqual(saved, [], 'a small one has none')
    await take(Array.from({ length: 1_500 }, (_, i) => person(4_000 + i)))
    const first = told.promise
    clock.advance(60_000)
    await first
    assert.deepEqual(saved, [5_501])
    await take(Array.from({ length: 1_000 }, (_, i) => person(i, { name: '改名' })))
    clock.advance(60_000)
    const second = told.promise
    await take(Array.from({ length: 1_000 }, (_, i) => person(i, { name: '再改名' })))
    clock.advance(60_000)
    await second
    assert.deepEqual(saved, [5_501, 7_501])
    // While many come it waits for their end.
    const renamed = (name: string) => Array.from({ length: 2_500 }, (_, i) => person(i, { name }))
    await take(renamed('旧姓'))
    clock.advance(4_000)
    await take(renamed('新姓'))
    clock.advance(2_000)
    assert.equal(saved.length, 2)
    const third = told.promise
    clock.advance(60_000)
    await third
    assert.deepEqual(saved, [5_501, 7_501, 12_501])
    keeper.stop()
    replica.close()
  })
})
