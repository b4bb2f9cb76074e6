import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { DELETED } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { openDatabase } from '#store/db/database.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { storedMetas } from './meta-records.ts'
import {
  append,
  Bench,
  hanako,
  largeContent,
  taro,
} from '#store/mailbox/contract/contract-bench.ts'
import type { MailboxesUnderTest } from '#store/mailbox/contract/contract-bench.ts'
import { mailboxContract } from '#store/mailbox/contract/mailbox.contract.ts'
import type { StoreChanged } from './mailbox-view.ts'
import { openMailboxes } from './open.ts'
import { annotationId, annotationValue, SCRIPT_ENTRY } from '#store/mailbox/kept-object.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-mailbox-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))

async function open(dir = folder()): Promise<MailboxesUnderTest> {
  const changes: StoreChanged[] = []
  const clock = new FakeClock()
  const store = await openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: (change) => changes.push(change),
    reserveBytes: 0,
  })
  return { store, clock, changes, end: () => store.close() }
}

mailboxContract('on a disk', open)

mailboxContract('in memory', async () => {
  const store = new FakeMailboxStore()
  const changes: StoreChanged[] = []
  store.allChanges((change) => changes.push(change))
  return { store, clock: store.clock, changes, end: () => store.close() }
})

describe('the mail store on a disk', () => {
  it('is the same after a restart', async () => {
    const dir = folder()
    const read = async ({ store }: Bench): Promise<unknown> => {
      const { mailboxes, subscriptions } = await store.mailboxes({ accountId: hanako })
      const views = []
      for (const { id } of mailboxes) {
        const view = await store.view({ accountId: hanako, mailboxId: id, since: 1n as never })
        const uids = [...view!.uids, ...view!.vanished] as Uid[]
        const ask = { accountId: hanako, mailboxId: id }
        views.push(
          view,
          await Array.fromAsync(storedMetas(store, { ...ask, uids })),
          await store.ids({ ...ask, uids }),
        )
        for (const uid of uids) {
          const { octets } = await store.read({ ...ask, uid, offset: 0, length: 1_000_000 })
          views.push(Buffer.from(octets!).toString('hex'))
        }
      }
      const upload = { accountId: hanako, id: 'U1', offset: 0, length: 99 }
      return {
        mailboxes,
        subscriptions,
        views,
        outbox: await store.outbox({ limit: 9 }),
        objects: await store.objects({ accountId: hanako, kind: 'Identity' }),
        upload: Buffer.from((await store.readUpload(upload)).octets!).toString(),
      }
    }
    const parts = await open(dir)
    const first = new Bench(parts)
    const inbox = await first.fill(3, {
      keywords: ['$Important'],
      prefix: fromUtf8('To: 花子\r\n'),
    })
    await first.done([
      { kind: 'expunge', mailboxId: inbox, uids: [2 as Uid], deletedOnly: false },
      { kind: 'create', path: ['会議', '来週'] },
      { kind: 'subscribe', path: ['無い'], on: true },
    ])
    const content = await largeContent(first.store, fromUtf8('大'.repeat(100_000)))
    await first.done([append(['会議', '来週'])], { contents: [content] })
    await first.done([{ kind: 'keep', object: 'Identity', id: 'I1', value: { name: '花子' } }])
    const { handle } = await first.store.openLarge()
    await first.store.appendLarge({ handle, octets: fromUtf8('添付') })
    const kept = { id: 'U1', type: 'text/plain', large: handle, bytesMax: 99 }
    await first.store.keepUpload({ accountId: hanako, ...kept })
    const before = await read(first)
    await parts.end()
    const again = await open(dir)
    assert.deepEqual(await read(new Bench(again)), before)
    await again.end()
  })

  it('keeps no row of an account that was removed, but what it still sends', async () => {
    const dir = folder()
    const parts = await open(dir)
    const at = new Bench(parts)
    const inbox = await at.fill(2, { prefix: fromUtf8('To: 花子\r\n') })
    const entry = { id: 'D1:r', kind: 'redirect', reversePath: null, recipients: [] } as const
    await at.done(
      [
        { kind: 'expunge', mailboxId: inbox, uids: [1 as Uid], deletedOnly: false },
        { kind: 'delete', mailboxId: await at.idOf('Archive') },
        append(['INBOX']),
      ],
      {
        deliveryId: 'D1',
        memories: [{ key: 'v:花子', untilMs: 9e12 }],
        outbox: [{ ...entry, body: '8bitmime', smtpUtf8: false, content: 0 }],
        contents: [await largeContent(at.store, fromUtf8('Message-ID: <1@x>\r\n\r\n本文'))],
      },
    )
    const junk = { path: ['Junk'], create: false }
    await at.done([{ kind: 'copy', from: inbox, uids: [2 as Uid], to: junk }])
    const id = annotationId(undefined, SCRIPT_ENTRY)
    await at.done([{ kind: 'keep', object: 'Annotation', id, value: annotationValue('主') }])
    await at.done([{ kind: 'copy', from: inbox, uids: [2 as Uid], to: junk }])
    assert.equal((await at.store.scriptEvents({ limit: 9 })).events.length, 1)
    await at.store.changeScript({
      accountId: hanako,
      change: { kind: 'put', name: '主', text: 'keep;', activate: true },
    })
    await at.store.keepAccounts({ accountIds: [taro], removedIds: [hanako] })
    at.clock.advance(1)
    await at.store.purge({ beforeMs: at.clock.nowMs() })
    assert.deepEqual(readdirSync(join(dir, 'large')), ['1'])
    await parts.end()
    const db = openDatabase({
      path: join(dir, 'mailbox.db'),
      kind: 'mailbox',
      migrations: MIGRATIONS,
    })
    const tables = db
      .arrays<[string]>(
        `SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c ON c.name = 'aid'
         WHERE t.type = 'table' ORDER BY t.name`,
      )
      .all()
      .map(([name]) => name)
    assert.ok(tables.length >= 10, tables.join())
    assert.deepEqual(
      tables.filter((name) => db.query(`SELECT 1 FROM ${name}`).get() !== undefined),
      ['outbox'],
    )
    db.close()
  })

  it('keeps the sums of each account for its quota', async () => {
    const dir = folder()
    const parts = await open(dir)
    const at = new Bench(parts)
    const inbox = await at.fill(4, { flags: DELETED })
    await at.done([append(['INBOX'])], { accountId: taro })
    const to = { path: ['控え'], create: true }
    await at.done([
      { kind: 'copy', from: inbox, uids: [1 as Uid, 2 as Uid], to },
      { kind: 'expunge', mailboxId: inbox, uids: [3 as Uid], deletedOnly: true },
      { kind: 'move', from: inbox, uids: [4 as Uid], to },
    ])
    await at.done([{ kind: 'delete', mailboxId: await at.idOf('Archive') }])
    await parts.end()
    const db = openDatabase({
      path: join(dir, 'mailbox.db'),
      kind: 'mailbox',
      migrations: MIGRATIONS,
    })
    const size = Buffer.byteLength('Subject: 会議\r\n\r\n本文')
    assert.deepEqual(
      db
        .arrays<unknown[]>(
          `SELECT id, used_messages, used_bytes, quota_messages, quota_bytes,
             (SELECT count(*) FROM message m WHERE m.aid = account.aid),
             (SELECT sum(size) FROM message m WHERE m.aid = account.aid) FROM account`,
        )
        .all(),
      [
        ['hanako', 5, 5 * size, null, null, 5, 5 * size],
        ['taro', 1, size, null, null, 1, size],
      ],
    )
    db.close()
  })

  it('heals counters that are wrong, in whichever place, and says whose they were', async () => {
    const dir = folder()
    const parts = await open(dir)
    const at = new Bench(parts)
    await at.fill(4, { flags: DELETED })
    await at.done([append(['INBOX'])], { accountId: taro })
    const right = await at.rows()
    await parts.end()
    const db = openDatabase({
      path: join(dir, 'mailbox.db'),
      kind: 'mailbox',
      migrations: MIGRATIONS,
    })
    db.exec(`UPDATE account SET used_bytes = used_bytes + 7 WHERE id = 'hanako';
      UPDATE mailbox SET messages = 9, unseen = 9, deleted = 0, bytes = 1 WHERE messages = 4;`)
    db.close()
    const again = await open(dir)
    const healed = new Bench(again)
    assert.notDeepEqual(await healed.rows(), right)
    const { recounted } = await again.store.recount()
    const { id, sizeBytes } = right.find(({ messages }) => messages === 4)!
    const wrong = { mailboxId: id, messages: 5, unseen: 5, deleted: -4, bytes: 1 - sizeBytes }
    assert.deepEqual(recounted, [{ accountId: hanako, bytes: 7, messages: 0, mailboxes: [wrong] }])
    assert.deepEqual(await healed.rows(), right)
    assert.deepEqual(await again.store.recount(), { recounted: [] })
    await again.end()
  })
})
