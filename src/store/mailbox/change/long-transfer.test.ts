import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { SEEN } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { append, Bench, expunging, hanako, uidsOf } from '#store/mailbox/contract/contract-bench.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import { openMailboxes } from '#store/mailbox/open.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-transfer-'))
after(() => rmSync(root, { recursive: true, force: true }))
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  armFailpoints('')
  for (const end of ends.splice(0)) await end()
})

/** Called after each COMMIT. */
type Listener = (change: StoreChanged) => void

async function open(dir: string, onChange: Listener = () => undefined): Promise<Bench> {
  const clock = new FakeClock()
  const parser = (): MimeIndexer => new MimeIndexer()
  const store = await openMailboxes({ dir, clock, parser, onChange, reserveBytes: 0 })
  let isOpen = true
  const end = async (): Promise<void> => {
    if (isOpen) await store.close()
    isOpen = false
  }
  ends.push(end)
  return new Bench({ store, clock, changes: [], end })
}

const ROWS = 2 * MESSAGES_AT_ONCE + 7
const all = uidsOf(...Array.from({ length: ROWS }, (_, n) => n + 1))

/** A full INBOX, and a mailbox with a message beside it. */
async function filled(onChange?: Listener) {
  const dir = mkdtempSync(join(root, 'v-'))
  const at = await open(dir, onChange)
  const inbox = await at.fill(ROWS, { flags: SEEN, keywords: ['$work'] })
  await at.done([append(['Archive'])])
  const archive = await at.idOf('Archive')
  return { dir, at, inbox, archive }
}

const transfer = (kind: 'copy' | 'move', from: MailboxId, to: MailboxId): MailboxChange => ({
  kind,
  from,
  // As a client may name them.
  uids: [...all.toReversed(), ...all],
  to: { id: to },
})

/** What a crash at this moment would leave. */
function crashed(dir: string): string {
  const copy = mkdtempSync(join(root, 'c-'))
  cpSync(dir, copy, { recursive: true })
  return copy
}

const namedIn = (dir: string): number => {
  const db = new DatabaseSync(join(dir, 'mailbox.db'))
  const { count } = db.prepare('SELECT count(*) AS count FROM copying').get()!
  db.close()
  return Number(count)
}

/** The UIDs that the mailbox shows, after its counters were compared with them. */
async function uidsIn(at: Bench, mailboxId: MailboxId): Promise<number[]> {
  const { mailbox, uids } = await at.view(mailboxId)
  assert.equal(mailbox.messages, uids.length)
  const { recounted } = await at.store.recount({ accountId: hanako })
  assert.deepEqual(recounted, [])
  return [...uids]
}

describe('a copy of thousands', () => {
  it('is one to who asks: each message once, in order, under numbers of the target', async () => {
    const { dir, at, inbox, archive } = await filled()
    const copied = await at.one('copy', transfer('copy', inbox, archive))
    assert.deepEqual([...copied.sources], all)
    assert.deepEqual(
      [...copied.targets],
      [...all].map((uid) => uid + 1),
    )
    const { mailbox, flags } = await at.view(archive)
    assert.equal(mailbox.highestModSeq, copied.modSeq)
    assert.deepEqual([mailbox.unseen, mailbox.keywords], [1, ['$work']])
    assert.equal(flags.at(-1), SEEN | 32)
    assert.equal((await uidsIn(at, archive)).length, ROWS + 1)
    await ends.pop()!()
    assert.equal(namedIn(dir), 0)
  })

  it('lets a delivery in between its steps', async () => {
    const { at, inbox, archive } = await filled()
    const order: string[] = []
    const copying = at.one('copy', transfer('copy', inbox, archive)).then((copied) => {
      order.push('copied')
      return copied
    })
    await at.done([append(['Archive'])]).then(() => order.push('delivered'))
    const { targets } = await copying
    assert.deepEqual(order, ['delivered', 'copied'])
    assert.equal(targets.at(-1)! - targets[0]!, ROWS, 'one number in between is of the delivery')
    assert.equal((await uidsIn(at, archive)).length, ROWS + 2)
  })

  it('that a crash cuts short is not there after the next start, with all its traces', async () => {
    let copy: string | undefined
    let watched: MailboxId | undefined
    const made = await filled((change) => {
      if ('mailboxId' in change && change.mailboxId === watched) copy ??= crashed(made.dir)
    })
    const { at, inbox, archive } = made
    const before = await at.view(archive)
    watched = archive
    await at.one('copy', transfer('copy', inbox, archive))
    assert.ok(copy !== undefined)
    assert.equal(namedIn(copy), 1)
    const later = await open(copy)
    const { mailbox } = await later.view(archive)
    assert.deepEqual(await uidsIn(later, archive), [...before.uids])
    assert.equal(mailbox.uidNext, before.mailbox.uidNext + MESSAGES_AT_ONCE)
    assert.equal((await later.store.usage({ accountId: hanako })).messages, ROWS + 1)
    await ends.pop()!()
    assert.equal(namedIn(copy), 0)
  })

  it('that is refused at a later step is taken back, and told so', async () => {
    const { at, inbox, archive } = await filled()
    const { messages } = await at.store.usage({ accountId: hanako })
    const quota = { bytes: 0, messages: messages + ROWS, warnPercent: 100 }
    const copying = at.refused([transfer('copy', inbox, archive)], { quota })
    await at.done([append(['INBOX'])]) // takes the last room
    assert.equal(await copying, 'quota')
    assert.deepEqual(await uidsIn(at, archive), [1])
  })

  it('that the account has no room for is refused before any of it is there', async () => {
    const touched: StoreChanged[] = []
    const { at, inbox, archive } = await filled((change) => touched.push(change))
    const { messages } = await at.store.usage({ accountId: hanako })
    touched.length = 0
    const quota = { bytes: 0, messages: messages + ROWS - 1, warnPercent: 100 }
    assert.equal(await at.refused([transfer('copy', inbox, archive)], { quota }), 'quota')
    assert.deepEqual(touched, [])
    assert.deepEqual(await uidsIn(at, archive), [1])
  })

  it('that the disk fails is taken back once the disk works again', async () => {
    const { dir, at, inbox, archive } = await filled()
    armFailpoints('mailbox.applied=throw@2')
    await assert.rejects(at.commit([transfer('copy', inbox, archive)]), { code: 'io' })
    assert.equal((await at.view(archive)).uids.length, MESSAGES_AT_ONCE + 1)
    armFailpoints('')
    await (at.store as Awaited<ReturnType<typeof openMailboxes>>).trial()
    assert.deepEqual(await uidsIn(at, archive), [1])
    await ends.pop()!()
    assert.equal(namedIn(dir), 0)
  })
})

describe('a move of thousands', () => {
  it('that its target is taken away from stands as far as it has come: each message is in one place', async () => {
    const { at, inbox, archive } = await filled()
    const moving = at.commit([transfer('move', inbox, archive)])
    const others = await at.idOf('Drafts')
    await at.done([{ kind: 'delete', mailboxId: archive }])
    const result = await moving
    assert.equal(result.kind, 'refused')
    const left = await uidsIn(at, inbox)
    assert.ok(left.length > 0 && left.length < ROWS)
    assert.deepEqual(left, all.slice(-left.length))
    await at.done([expunging(inbox, 'all'), append(['Drafts'])])
    assert.equal((await uidsIn(at, others)).length, 1)
  })

  it('leaves nothing behind', async () => {
    const { at, inbox, archive } = await filled()
    const moved = await at.one('move', transfer('move', inbox, archive))
    assert.equal(moved.targets.length, ROWS)
    assert.deepEqual(await uidsIn(at, inbox), [])
    assert.equal((await uidsIn(at, archive)).length, ROWS + 1)
  })
})
