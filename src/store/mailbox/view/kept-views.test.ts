import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { openDatabase } from '#store/db/database.ts'
import { append, Bench, expunging, hanako, uidsOf } from '#store/mailbox/contract/contract-bench.ts'
import { KEPT_ROWS_MIN } from './kept-views.ts'
import { ROWS_PER_TURN } from './view-rows.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-kept-'))
after(() => rmSync(root, { recursive: true, force: true }))
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const clock = new FakeClock()

type Opened = Bench & { readonly store: OpenMailboxes; end(): Promise<void> }

async function open(dir: string): Promise<Opened> {
  const store = await openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
  })
  let hasEnded = false
  const end = async (): Promise<void> => {
    if (!hasEnded) await store.close()
    hasEnded = true
  }
  ends.push(end)
  return Object.assign(new Bench({ store, clock, changes: [], end }), { end }) as Opened
}

const ROWS = KEPT_ROWS_MIN + 200
const filesIn = (dir: string): string[] => readdirSync(join(dir, 'view')).toSorted()

/** A mailbox that is large enough, seen once and kept. */
async function keptFolder(): Promise<{ readonly dir: string; readonly inbox: MailboxId }> {
  const dir = mkdtempSync(join(root, 'v-'))
  const at = await open(dir)
  const inbox = await at.fill(ROWS, { keywords: ['$work'] })
  await seen(at, inbox)
  await at.end()
  assert.equal(filesIn(dir).length, 1)
  return { dir, inbox }
}

const seen = async (at: Bench, mailboxId: MailboxId) => {
  const view = await at.store.view({ accountId: hanako, mailboxId, emails: true })
  assert.ok(view !== undefined)
  return view
}

/** The same mailbox seen after its kept view was taken away. */
async function seenFromRows(dir: string, mailboxId: MailboxId) {
  const copy = mkdtempSync(join(root, 'c-'))
  cpSync(dir, copy, { recursive: true })
  rmSync(join(copy, 'view'), { recursive: true, force: true })
  const at = await open(copy)
  const view = await seen(at, mailboxId)
  await at.end()
  return view
}

describe('kept views', () => {
  it('are what the next start reads, instead of the rows', async () => {
    const { dir, inbox } = await keptFolder()
    const path = join(dir, 'view', filesIn(dir)[0]!)
    const octets = readFileSync(path)
    octets.writeUInt32LE(SEEN, octets.length - 4) // the flags of the last row, as only the file has them
    writeFileSync(path, octets)
    const db = openDatabase({
      path: join(dir, 'mailbox.db'),
      kind: 'mailbox',
      migrations: MIGRATIONS,
    })
    db.query('UPDATE kept_view SET crc = ?').run(crc32(octets))
    db.close()
    const view = await seen(await open(dir), inbox)
    assert.equal(view.flags.at(-1), SEEN)
  })

  it('are brought up to date with all that happened since', async () => {
    const { dir, inbox } = await keptFolder()
    const at = await open(dir)
    const uids = uidsOf(1, 7, 300, ROWS)
    await at.done([
      {
        kind: 'setFlags',
        mailboxId: inbox,
        uids,
        mode: 'add',
        flags: SEEN | DELETED,
        keywords: [],
      },
      append(['INBOX'], { flags: SEEN }),
      append(['INBOX'], { internalDateMs: 7 }),
      expunging(inbox, [2, 300, ROWS - 1]),
      { kind: 'copy', from: inbox, uids: uidsOf(3), to: { id: inbox } },
    ])
    await at.done([expunging(inbox, [ROWS + 1])])
    const view = await seen(at, inbox)
    await at.end()
    assert.equal(view.uids.length, ROWS - 1)
    assert.deepEqual(view, await seenFromRows(dir, inbox))
  })

  it('that are torn, of another time or not ours are as good as none', async () => {
    const { dir, inbox } = await keptFolder()
    const path = join(dir, 'view', filesIn(dir)[0]!)
    const good = readFileSync(path)
    const expected = await seenFromRows(dir, inbox)
    const flipped = Buffer.from(good)
    flipped[100]! ^= 1
    for (const bad of [
      flipped,
      good.subarray(0, good.length - 8),
      Buffer.alloc(0),
      Buffer.from('渡'),
    ]) {
      writeFileSync(path, bad)
      const at = await open(dir)
      assert.deepEqual(await seen(at, inbox), expected)
      await at.end()
    }
    // Each was replaced by a good one.
    assert.deepEqual(readFileSync(path), good)
  })

  it('that are behind a purge are not brought up to date but read anew', async () => {
    const { dir, inbox } = await keptFolder()
    const at = await open(dir)
    await at.done([expunging(inbox, [1, 2, 3])])
    clock.advance(1)
    await at.store.purge({ beforeMs: clock.nowMs() })
    const view = await seen(at, inbox)
    await at.end()
    assert.equal(view.uids[0], 4)
    assert.deepEqual(view, await seenFromRows(dir, inbox))
  })

  it('of a database that was put back to an earlier time are not believed', async () => {
    const { dir, inbox } = await keptFolder()
    const backup = mkdtempSync(join(root, 'b-'))
    cpSync(dir, backup, { recursive: true })
    const at = await open(dir)
    const all = Array.from({ length: ROWS / 2 }, (_, n) => n + 1)
    const flag = (flags: number) =>
      ({
        kind: 'setFlags',
        mailboxId: inbox,
        uids: uidsOf(...all),
        mode: 'add',
        flags,
        keywords: [],
      }) as const
    await at.done([flag(SEEN)])
    await seen(at, inbox)
    await at.end()
    cpSync(join(dir, 'view'), join(backup, 'view'), { recursive: true })
    const again = await open(backup)
    await again.done([flag(4)])
    const view = await seen(again, inbox)
    await again.end()
    assert.equal(view.flags[0]! & 7, 4)
    assert.deepEqual(view, await seenFromRows(backup, inbox))
  })

  it('go with their mailbox; small mailboxes have none', async () => {
    const { dir, inbox } = await keptFolder()
    let at = await open(dir)
    const archive = await at.idOf('Archive')
    await at.done([{ kind: 'copy', from: inbox, uids: uidsOf(1, 2), to: { id: archive } }])
    await seen(at, archive)
    const to = { path: ['大きい'], create: true }
    const uids = uidsOf(...Array.from({ length: ROWS }, (_, n) => n + 1))
    await at.done([{ kind: 'copy', from: inbox, uids, to }])
    const large = await at.idOf('大きい')
    await seen(at, large)
    await at.end()
    assert.equal(filesIn(dir).length, 2)
    writeFileSync(join(dir, 'view', '9-9'), '知らない')
    at = await open(dir)
    assert.equal(filesIn(dir).length, 2)
    await at.done([{ kind: 'delete', mailboxId: large }])
    await at.end()
    at = await open(dir)
    assert.equal(filesIn(dir).length, 1)
    assert.equal((await seen(at, inbox)).uids.length, ROWS)
  })

  it('that are not there yet are read in turns, and then brought up to date with what came between', async () => {
    const dir = mkdtempSync(join(root, 'v-'))
    const at = await open(dir)
    const inbox = await at.fill(3 * ROWS_PER_TURN, { keywords: ['$work'] })
    let isRead = false
    let turns = 0
    const turn = (): void => {
      turns++
      if (!isRead) setImmediate(turn)
    }
    const reading = seen(at, inbox).finally(() => (isRead = true))
    setImmediate(turn)
    // Rows alone: a commit of them takes one turn.
    const uids = uidsOf(1, ROWS_PER_TURN - 1, 3 * ROWS_PER_TURN)
    const gone = [2, ROWS_PER_TURN, 2 * ROWS_PER_TURN + 1]
    const to = { id: inbox }
    const changed = at.done([
      { kind: 'setFlags', mailboxId: inbox, uids, mode: 'add', flags: SEEN, keywords: [] },
      expunging(inbox, gone),
      { kind: 'copy', from: inbox, uids: uidsOf(3), to },
    ])
    const view = await reading
    await changed
    assert.ok(turns >= 3, `others had ${turns} turns`)
    assert.deepEqual(view, await seenFromRows(dir, inbox))
    assert.equal(view.uids.length, 3 * ROWS_PER_TURN - gone.length + 1)
    // The kept view says the same.
    await at.end()
    assert.equal(filesIn(dir).length, 1)
    assert.deepEqual(await seen(await open(dir), inbox), view)
  })

  it('are written by and by where much has changed, though nobody looked', async () => {
    const dir = mkdtempSync(join(root, 'v-'))
    const at = await open(dir)
    const inbox = await at.fill(ROWS)
    clock.advance(2_000)
    await at.done([append(['INBOX'])]) // not quiet yet
    clock.advance(2_000)
    await at.store.idle()
    assert.deepEqual(filesIn(dir), [])
    clock.advance(1_000)
    await at.store.idle()
    assert.equal(filesIn(dir).length, 1)
    const path = join(dir, 'view', filesIn(dir)[0]!)
    const kept = readFileSync(path)
    // A few changes are put in when somebody comes.
    await at.done([append(['INBOX'])])
    clock.advance(5_000)
    await at.store.idle()
    assert.deepEqual(readFileSync(path), kept)
    assert.deepEqual(await seen(at, inbox), await seenFromRows(dir, inbox))
    const uids = uidsOf(...Array.from({ length: ROWS / 16 }, (_, n) => n + 1))
    const flags = { kind: 'setFlags', mailboxId: inbox, mode: 'add', flags: SEEN } as const
    await at.done([{ ...flags, uids, keywords: [] }])
    clock.advance(5_000)
    await at.store.idle()
    assert.notDeepEqual(readFileSync(path), kept)
    await at.end()
    assert.deepEqual(await seen(await open(dir), inbox), await seenFromRows(dir, inbox))
  })

  it('that are being made when the store is closed hold up nobody, and leave nothing', async () => {
    const dir = mkdtempSync(join(root, 'v-'))
    const at = await open(dir)
    const inbox = await at.fill(2 * ROWS_PER_TURN)
    clock.advance(5_000)
    await new Promise((next) => setImmediate(next)) // it has begun
    const making = at.store.idle()
    await at.end()
    await making
    assert.deepEqual(filesIn(dir), [])
    assert.equal((await seen(await open(dir), inbox)).uids.length, 2 * ROWS_PER_TURN)
  })
})
