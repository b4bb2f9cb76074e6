import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import { openDatabase } from '#store/db/database.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { MemoryBlobs } from '#test/fake/memory-blobs.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type {
  AccountCommit,
  CommitRequest,
  MailboxChange,
  OutboxEntry,
} from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { isNamed, namedFiles, namedSegments } from '#store/mailbox/rows/named.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { Sql } from '#store/mailbox/rows/sql.ts'
import { SqliteMailboxes } from '#store/mailbox/sqlite-mailboxes.ts'

const hanako = 'hanako' as AccountId
const root = mkdtempSync(join(tmpdir(), 'watari-leftovers-'))
const folder = (): string => mkdtempSync(join(root, 'v-'))
const opened: OpenMailboxes[] = []
const open = async (dir: string): Promise<OpenMailboxes> => {
  const store = await openMailboxes({
    dir,
    clock: new FakeClock(),
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
    reserveBytes: 0,
  })
  opened.push(store)
  return store
}
afterEach(async () => {
  armFailpoints('')
  for (const store of opened.splice(0)) await store.close()
})
after(() => rmSync(root, { recursive: true, force: true }))

const TEXT = fromUtf8('Subject: 大きな手紙\r\n\r\n'.padEnd(300_000, '渡り'))

async function large(store: MailboxStore): Promise<LargeHandle> {
  const { handle } = await store.openLarge()
  await store.appendLarge({ handle, octets: TEXT })
  return handle
}

const append = (content: number, ...path: readonly string[]): MailboxChange => ({
  kind: 'append',
  mailbox: { path: path.length === 0 ? ['INBOX'] : path, create: false },
  content,
  flags: 0,
  keywords: [],
  internalDateMs: 0,
})

const commitOf = (...changes: readonly MailboxChange[]): AccountCommit => ({
  accountId: hanako,
  changes,
})

const rejection = (id: string, content: number | Uint8Array = TEXT): OutboxEntry => ({
  id,
  kind: 'reject',
  reversePath: null,
  recipients: [{ localpart: '太郎', domain: 'b.example' }],
  body: '8bitmime',
  smtpUtf8: true,
  content,
})

/** A content whose parsed meta is too large for a record. */
const MANY_PARTS = fromUtf8(
  [
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n',
    ...Array.from(
      { length: 900 },
      (_, i) =>
        `--b\r\nContent-Type: text/plain; name="${'添付'.repeat(30)}${i}"\r\n\r\n本文${i}\r\n`,
    ),
    '--b--\r\n',
  ].join(''),
)

describe('a commit that comes to nothing leaves no file', () => {
  const left = ({ blobs }: FakeMailboxStore): number => blobs.files.size + blobs.writing.size

  const refusals: readonly {
    readonly name: string
    readonly set: (store: FakeMailboxStore) => void
    readonly code: 'full' | 'io'
  }[] = [
    { name: 'below the reserve', set: ({ blobs }) => (blobs.full = true), code: 'full' },
    {
      name: 'where the octets cannot be read back for parsing',
      set: ({ blobs }) => (blobs.faults.read = new Fault('io', 'EIO')),
      code: 'io',
    },
    {
      name: 'where the disk is full at the sync',
      set: ({ blobs }) => (blobs.faults.flush = new Fault('full', 'ENOSPC')),
      code: 'full',
    },
    {
      name: 'where a file of its own cannot be opened',
      set: ({ blobs }) => (blobs.faults.openLarge = new Fault('full', 'ENOSPC')),
      code: 'full',
    },
    {
      name: 'where a file of its own cannot be written',
      set: ({ blobs }) => (blobs.faults.appendLarge = new Fault('full', 'ENOSPC')),
      code: 'full',
    },
  ]
  for (const { name, set, code } of refusals)
    it(name, async () => {
      const store = new FakeMailboxStore()
      const handles = [await large(store), await large(store)]
      set(store)
      await assert.rejects(
        store.commit({
          contents: [
            { prefix: fromUtf8('R: x\r\n'), large: handles[0]! },
            { octets: [TEXT] },
            { prefix: fromUtf8('R: y\r\n'), large: handles[1]! },
          ],
          commits: [
            {
              ...commitOf(append(0), append(1), append(2)),
              outbox: [rejection('一'), rejection('二')],
            },
          ],
        }),
        (thrown) => isFault(thrown, code),
      )
      assert.equal(left(store), 0)
      const { messages, outbox } = await store.status()
      assert.deepEqual([messages, outbox], [0, 0])
      await store.close()
    })

  it('nor one of its contents that no commit took, was delivered before, or is gone from the outbox', async () => {
    const dir = folder()
    const store = await open(dir)
    const files = (): number => readdirSync(join(dir, 'large')).length
    const request = async (): Promise<CommitRequest> => ({
      contents: [
        { prefix: fromUtf8('R: x\r\n'), large: await large(store) },
        { prefix: fromUtf8('R: y\r\n'), large: await large(store) },
        { prefix: fromUtf8('R: z\r\n'), large: await large(store) },
      ],
      commits: [
        { ...commitOf(append(0)), deliveryId: 'D1', outbox: [rejection('D1:reject')] },
        { ...commitOf(append(1, '無い')), accountId: 'taro' as AccountId },
      ],
    })
    const first = await store.commit(await request())
    assert.deepEqual(
      first.results.map(({ kind }) => kind),
      ['committed', 'refused'],
    )
    assert.equal(files(), 2, 'the message and the rejection')
    const second = await store.commit(await request())
    assert.deepEqual(
      second.results.map(({ kind }) => kind),
      ['duplicate', 'refused'],
    )
    assert.equal(files(), 2)
    await store.outboxDone({ ids: ['D1:reject'] })
    assert.equal(files(), 1)
  })

  it('nor where one content of several is unknown, or the segment fails', async () => {
    const dir = folder()
    const store = await open(dir)
    const unknown = { prefix: TEXT, large: '999' as LargeHandle }
    await assert.rejects(
      store.commit({
        contents: [{ octets: [TEXT] }, unknown, { prefix: TEXT, large: await large(store) }],
        commits: [commitOf(append(0))],
      }),
      (thrown) => isFault(thrown, 'notFound'),
    )
    assert.deepEqual(readdirSync(join(dir, 'large')), [])
    const handle = await large(store)
    armFailpoints('mailbox.written=throw')
    await assert.rejects(
      store.commit({
        contents: [{ prefix: TEXT, large: handle }],
        commits: [{ ...commitOf(append(0)), outbox: [rejection('D2')] }],
      }),
      (thrown) => isFault(thrown, 'io'),
    )
    // A start after a kill could find the commit in the segment; one after this end knows that it was none.
    armFailpoints('')
    for (const each of opened.splice(0)) await each.close()
    await open(dir)
    assert.deepEqual(readdirSync(join(dir, 'large')), [])
  })
})

/** A database whose disk gives way at the row of the octets. */
class FailingSql extends Sql {
  errcode = 0
  override run(...args: Parameters<Sql['run']>): number {
    if (this.errcode !== 0 && args[0].startsWith('INSERT INTO email'))
      throw Object.assign(new Error('disk'), { errcode: this.errcode })
    return super.run(...args)
  }
}

describe('a commit whose rows cannot be written', () => {
  for (const [errcode, code, left] of [
    [13, 'full', 0],
    // The COMMIT may come true when its WAL is read again: the next start knows, and deletes what is not named.
    [10, 'io', 1],
  ] as const)
    it(`answers ${code} and ${left === 0 ? 'leaves no file' : 'keeps its file until the next start'}`, async () => {
      const db = openDatabase({ path: ':memory:', kind: 'mailbox', migrations: MIGRATIONS })
      const sql = new FailingSql(db)
      const blobs = new MemoryBlobs()
      const store = new SqliteMailboxes({
        db,
        sql,
        blobs,
        clock: new FakeClock(),
        parser: () => new MimeIndexer(),
        onChange: () => undefined,
      })
      sql.errcode = errcode
      const request = { contents: [{ octets: [TEXT] }], commits: [commitOf(append(0))] }
      await assert.rejects(store.commit(request), (thrown) => isFault(thrown, code))
      assert.equal(blobs.files.size, left)
      sql.errcode = 0
      assert.equal((await store.commit(request)).results[0]?.kind, 'committed')
      assert.equal(blobs.files.size, left + 1)
      await store.close()
    })
})

describe('below the reserve', () => {
  it('octets of an outbox entry are refused like all others; what makes room goes on', async () => {
    const store = new FakeMailboxStore()
    const small = { contents: [{ octets: [fromUtf8('件名')] }], commits: [commitOf(append(0))] }
    await store.commit(small)
    store.blobs.full = true
    const isFull = (thrown: unknown): boolean => isFault(thrown, 'full')
    await assert.rejects(store.commit(small), isFull)
    await assert.rejects(store.openLarge(), isFull)
    for (const content of [TEXT, fromUtf8('お断り')])
      await assert.rejects(
        store.commit({
          contents: [],
          commits: [{ ...commitOf(), outbox: [rejection('D3', content)] }],
        }),
        isFull,
      )
    assert.equal((await store.status()).outbox, 0)
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    const { results } = await store.commit({
      contents: [],
      commits: [
        commitOf({
          kind: 'expunge',
          mailboxId: mailboxes[0]!.id,
          uids: [1 as Uid],
          deletedOnly: false,
        }),
      ],
    })
    assert.equal(results[0]?.kind, 'committed')
    await store.close()
  })
})

describe('what a crash leaves', () => {
  it('is deleted at the next start where no row names it, and nothing else', async () => {
    const dir = folder()
    const first = await open(dir)
    await first.commit({
      contents: [{ octets: [MANY_PARTS] }, { octets: [fromUtf8('小さな手紙')] }],
      commits: [
        {
          ...commitOf(append(0), append(1)),
          outbox: [rejection('D4'), rejection('D5', fromUtf8('お断り'))],
        },
      ],
    })
    const mailboxId = (await first.mailboxes({ accountId: hanako })).mailboxes[0]!.id
    await first.close()
    const kept = ['large', 'seg'].map((name) => readdirSync(join(dir, name)))
    assert.deepEqual(kept, [['1', '2'], ['00000001.seg']], 'meta, rejection; the rest')
    writeFileSync(join(dir, 'large', '7'), TEXT)
    writeFileSync(join(dir, 'large', '8.part'), TEXT)
    writeFileSync(join(dir, 'seg', '00000002.seg'), TEXT)
    const store = await open(dir)
    assert.deepEqual(readdirSync(join(dir, 'large')), kept[0])
    assert.deepEqual(readdirSync(join(dir, 'seg')), ['00000001.seg', '00000003.seg'])
    const ask = { accountId: hanako, mailboxId }
    const metas = await Array.fromAsync(storedMetas(store, { ...ask, uids: [1 as Uid, 2 as Uid] }))
    assert.equal(metas[0]?.meta.root.parts.length, 900)
    assert.equal(metas[1]?.meta.sizeBytes, 15)
    const { octets } = await store.readOutbox({ id: 'D4', offset: 0, length: 1_000_000 })
    assert.deepEqual(Buffer.from(octets), Buffer.from(TEXT))
  })

  it('a file is named by a body, a meta, an outbox entry or an upload, a segment likewise', () => {
    const db = openDatabase({ path: ':memory:', kind: 'mailbox', migrations: MIGRATIONS })
    const sql = new Sql(db)
    const place = (eid: number, blob: string, meta: string): number =>
      sql.run(`INSERT INTO email VALUES (1, ${eid}, 1, ${blob}, 0, 9, ${meta}, 0, 9, NULL)`)
    place(1, '1, 11', '0, 3')
    place(2, '0, 1', '1, 12')
    place(3, '0, 5', '0, 5')
    sql.run(`INSERT INTO outbox VALUES (1, 1, 'a', '{}', 1, 13, 0, 9, 0, 0)`)
    sql.run(`INSERT INTO outbox VALUES (2, 1, 'b', '{}', 0, 8, 0, 9, 0, 0)`)
    sql.run(`INSERT INTO upload VALUES (1, 'U1', 'text/plain', 14, 9, 0)`)
    assert.deepEqual(namedFiles(sql), new Set([11, 12, 13, 14]))
    assert.deepEqual(namedSegments(sql), new Set([1, 3, 5, 8]))
    assert.deepEqual(
      [1, 3, 5, 8, 10, 11, 12, 13, 14, 15].filter((file) => isNamed(sql, file)),
      [11, 12, 13, 14],
    )
    db.close()
  })
})
