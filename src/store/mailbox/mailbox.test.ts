import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'

import fc from 'fast-check'

import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES, DELETED, SEEN } from '#model/mailbox.ts'
import type { MailboxId, ModSeq, Uid } from '#model/mailbox.ts'

import type { MailboxChange, MailboxChanged, MailboxView } from './mailbox-store.ts'
import { openMailboxes } from './open.ts'
import type { OpenMailboxes } from './open.ts'

const hanako = 'hanako' as AccountId
const folders: string[] = []
after(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true })
})

async function open(dir = mkdtempSync(join(tmpdir(), 'watari-mailbox-'))) {
  if (!folders.includes(dir)) folders.push(dir)
  const changes: MailboxChanged[] = []
  const clock = new FakeClock()
  const store = await openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: (change) => changes.push(change),
    reserveBytes: 0,
  })
  return { dir, store, changes, clock }
}

async function commit(store: OpenMailboxes, changes: readonly MailboxChange[], text = 'x') {
  const { results } = await store.commit({
    contents: [{ octets: [fromUtf8(text)] }],
    commits: [{ accountId: hanako, changes }],
  })
  return results[0]!
}

async function done(store: OpenMailboxes, changes: readonly MailboxChange[], text?: string) {
  const result = await commit(store, changes, text)
  assert.ok(result.kind === 'committed', inspect(result))
  return result.results
}

const appendTo = (path: readonly string[], flags = 0): MailboxChange => ({
  kind: 'append',
  mailbox: { path, create: false },
  content: 0,
  flags,
  keywords: [],
  internalDateMs: 1_000,
})

async function idOf(store: OpenMailboxes, ...path: readonly string[]): Promise<MailboxId> {
  const { mailboxes } = await store.mailboxes({ accountId: hanako })
  const row = mailboxes.find((each) => each.path.join('/') === path.join('/'))
  assert.ok(row !== undefined, path.join('/'))
  return row.id
}

async function viewOf(store: OpenMailboxes, mailboxId: MailboxId, since?: ModSeq) {
  const view = await store.view({
    accountId: hanako,
    mailboxId,
    ...(since !== undefined && { since }),
  })
  assert.ok(view !== undefined)
  return view
}

describe('the mail store', () => {
  it('makes the default mailboxes at first use, all subscribed', async () => {
    const { store } = await open()
    const { mailboxes, subscriptions } = await store.mailboxes({ accountId: hanako })
    assert.deepEqual(
      mailboxes.map((row) => row.path.join('/')).toSorted(),
      DEFAULT_MAILBOXES.map(({ path }) => path.join('/')).toSorted(),
    )
    assert.equal(subscriptions.length, DEFAULT_MAILBOXES.length)
    assert.equal(mailboxes.find((row) => row.path[1] === 'SPAM')?.retainDays, 30)
    await store.close()
  })

  it('gives back the octets with the prefix of the delivery in front, also after a restart', async () => {
    const first = await open()
    const text = 'Subject: 会議\n\nbare LF, no end\0 \xff'
    const change = { ...appendTo(['INBOX']), prefix: fromUtf8('Delivered-To: 花子\r\n') }
    await done(first.store, [change], text)
    await first.store.close()
    const { store } = await open(first.dir)
    const mailboxId = await idOf(store, 'INBOX')
    const ask = { accountId: hanako, mailboxId, uid: 1 as Uid }
    const whole = await store.read({ ...ask, offset: 0, length: 1_000 })
    assert.equal(toUtf8(whole.octets!), `Delivered-To: 花子\r\n${text}`)
    const part = await store.read({ ...ask, offset: 16, length: 20 })
    assert.deepEqual(part.octets, fromUtf8(`Delivered-To: 花子\r\n${text}`).subarray(16, 36))
    const { metas } = await store.metas({ accountId: hanako, mailboxId, uids: [1 as Uid] })
    assert.equal(Buffer.from(metas[0]!.meta.envelope.subject ?? '', 'latin1').toString(), '会議')
    await store.close()
  })

  it('stores a message over 256 KiB in a file of its own and reads it in pieces', async () => {
    const { store } = await open()
    const { handle } = await store.openLarge()
    const piece = Buffer.alloc(200_000, 'a')
    await store.appendLarge({ handle, octets: piece })
    await store.appendLarge({ handle, octets: piece })
    const { results } = await store.commit({
      contents: [{ prefix: fromUtf8('R: x\r\n'), large: handle }],
      commits: [{ accountId: hanako, changes: [appendTo(['INBOX'])] }],
    })
    assert.equal(results[0]?.kind, 'committed')
    const mailboxId = await idOf(store, 'INBOX')
    const view = await viewOf(store, mailboxId)
    assert.equal(view.sizes[0], 400_006)
    const tail = await store.read({
      accountId: hanako,
      mailboxId,
      uid: 1 as Uid,
      offset: 400_000,
      length: 100,
    })
    assert.equal(toUtf8(tail.octets!), 'aaaaaa')
    await store.close()
  })

  it('suppresses a second delivery by its id, and tells changes after the commit only', async () => {
    const { store, changes } = await open()
    const request = {
      contents: [{ octets: [fromUtf8('x')] }],
      commits: [{ accountId: hanako, changes: [appendTo(['INBOX'])], deliveryId: 'D1' }],
    }
    assert.equal((await store.commit(request)).results[0]?.kind, 'committed')
    assert.equal(changes.length > 0, true)
    assert.equal((await store.commit(request)).results[0]?.kind, 'duplicate')
    assert.equal((await viewOf(store, await idOf(store, 'INBOX'))).uids.length, 1)
    await store.close()
  })

  it('lets each account of a request stand or fall alone', async () => {
    const { store } = await open()
    const { results } = await store.commit({
      contents: [{ octets: [fromUtf8('x')] }],
      commits: [
        { accountId: hanako, changes: [appendTo(['INBOX']), appendTo(['無い'])] },
        { accountId: 'taro' as AccountId, changes: [appendTo(['INBOX'])] },
      ],
    })
    assert.deepEqual(
      results.map((result) => (result.kind === 'refused' ? result.refusal.code : result.kind)),
      ['noMailbox', 'committed'],
    )
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    assert.equal(mailboxes.find((row) => row.path[0] === 'INBOX')?.messages, 0)
    await store.close()
  })

  it('moves with new UIDs and keeps what was expunged readable', async () => {
    const { store } = await open()
    await done(store, [appendTo(['INBOX'])], '本文')
    const inbox = await idOf(store, 'INBOX')
    const [moved] = await done(store, [
      { kind: 'move', from: inbox, uids: [1 as Uid], to: { path: ['Trash'], create: false } },
    ])
    assert.ok(moved?.kind === 'move')
    assert.deepEqual([...moved.sources], [1])
    const since = (await viewOf(store, inbox)).mailbox.highestModSeq
    assert.equal((await viewOf(store, inbox)).uids.length, 0)
    const trash = await idOf(store, 'Trash')
    await done(store, [{ kind: 'expunge', mailboxId: trash, uids: 'all', deletedOnly: false }])
    const gone = await store.read({
      accountId: hanako,
      mailboxId: trash,
      uid: moved.targets[0] as Uid,
      offset: 0,
      length: 100,
    })
    assert.equal(toUtf8(gone.octets!), '本文')
    assert.equal((await viewOf(store, inbox, since)).vanished.length, 0)
    await store.close()
  })

  it('keeps the outbox entry of a delivery until it is done, once however often it is made', async () => {
    const { store } = await open()
    const entry = {
      id: 'D2:redirect',
      kind: 'redirect',
      reversePath: null,
      recipients: [{ localpart: 'a', domain: 'b.example' }],
      body: '8bitmime',
      smtpUtf8: false,
      content: 0,
    } as const
    await store.commit({
      contents: [{ octets: [fromUtf8('転送')] }],
      commits: [{ accountId: hanako, changes: [], outbox: [entry, entry] }],
    })
    const { items } = await store.outbox({ limit: 10 })
    assert.deepEqual(
      items.map(({ id, sizeBytes }) => [id, sizeBytes]),
      [['D2:redirect', 6]],
    )
    const { octets } = await store.readOutbox({ id: entry.id, offset: 0, length: 100 })
    assert.equal(toUtf8(octets), '転送')
    await store.outboxDone({ ids: [entry.id] })
    assert.equal((await store.outbox({ limit: 10 })).items.length, 0)
    await store.close()
  })

  it('keeps one active script', async () => {
    const { store } = await open()
    const put = (name: string, active: boolean, text: string | null = 'keep;') =>
      store.putScript({ accountId: hanako, name, text, active })
    await put('一', true)
    await put('二', true)
    const { scripts } = await store.scripts({ accountId: hanako })
    assert.deepEqual(
      scripts.map(({ name, active }) => [name, active]),
      [
        ['一', false],
        ['二', true],
      ],
    )
    await put('一', false, null)
    assert.equal((await store.scripts({ accountId: hanako })).scripts.length, 1)
    await store.close()
  })

  it('imports with assigned numbers and refuses those that would go down', async () => {
    const { store } = await open()
    const inbox = await idOf(store, 'INBOX')
    const assigned = (uid: number): MailboxChange => ({
      ...(appendTo(['INBOX']) as Extract<MailboxChange, { kind: 'append' }>),
      assigned: { uid: uid as Uid, uidl: `old-${uid}` },
    })
    await done(store, [
      { kind: 'number', mailboxId: inbox, uidValidity: 77 as never, uidNext: 5_000 as Uid },
      assigned(10),
      assigned(4_000),
    ])
    const refused = await commit(store, [assigned(4_000)])
    assert.ok(refused.kind === 'refused' && refused.refusal.code === 'conflict')
    const view = await viewOf(store, inbox)
    assert.deepEqual([...view.uids], [10, 4_000])
    assert.equal(view.mailbox.uidValidity, 77)
    const ids = await store.ids({ accountId: hanako, mailboxId: inbox, uids: [10 as Uid] })
    assert.equal(ids.ids[0]?.uidl, 'old-10')
    const [next] = await done(store, [appendTo(['INBOX'])])
    assert.ok(next?.kind === 'append' && next.uid === 5_000)
    await store.close()
  })

  it('renames, deletes and subscribes in Japanese; INBOX stays (RFC 9051 §6.3.5, §6.3.6)', async () => {
    const { store } = await open()
    await done(store, [{ kind: 'create', path: ['会議', '来週'] }])
    const meeting = await idOf(store, '会議')
    await done(store, [{ kind: 'rename', mailboxId: meeting, path: ['打合せ'] }])
    await idOf(store, '打合せ', '来週')
    const inbox = await idOf(store, 'INBOX')
    const refused = await commit(store, [{ kind: 'delete', mailboxId: inbox }])
    assert.ok(refused.kind === 'refused' && refused.refusal.code === 'reserved')
    const exists = await commit(store, [{ kind: 'create', path: ['inbox'] }])
    assert.ok(exists.kind === 'refused' && exists.refusal.code === 'exists')
    await done(store, [{ kind: 'delete', mailboxId: await idOf(store, '打合せ') }])
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    assert.equal(mailboxes.find((row) => row.path.join('/') === '打合せ')?.noSelect, true)
    await store.close()
  })

  it('shows changes so that an old view brought up to date is the whole view', async () => {
    const { store } = await open()
    const inbox = await idOf(store, 'INBOX')
    const uids = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
    const change: fc.Arbitrary<MailboxChange> = fc.oneof(
      fc.constantFrom(0, SEEN, DELETED).map((flags) => appendTo(['INBOX'], flags)),
      fc.record({
        kind: fc.constant('setFlags' as const),
        mailboxId: fc.constant(inbox),
        uids: uids as fc.Arbitrary<Uid[]>,
        mode: fc.constantFrom('add', 'remove', 'replace'),
        flags: fc.constantFrom(0, SEEN, DELETED, SEEN | DELETED),
        keywords: fc.constantFrom([], ['$重要']) as fc.Arbitrary<string[]>,
      }),
      fc.record({
        kind: fc.constant('expunge' as const),
        mailboxId: fc.constant(inbox),
        uids: uids as fc.Arbitrary<Uid[]>,
        deletedOnly: fc.boolean(),
      }),
      fc.record({
        kind: fc.constantFrom('copy' as const, 'move' as const),
        from: fc.constant(inbox),
        uids: uids as fc.Arbitrary<Uid[]>,
        to: fc.constant({ path: ['INBOX'], create: false }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
        const old = await viewOf(store, inbox)
        for (const each of changes) await commit(store, [each])
        const whole = await viewOf(store, inbox)
        const fresh = await viewOf(store, inbox, old.mailbox.highestModSeq)
        assert.deepEqual(brought(old, fresh), rows(whole))
        assertCounts(whole)
        assert.equal(new Set(whole.uids).size, whole.uids.length)
      }),
      { numRuns: 60, seed: 11 },
    )
    await store.close()
  })
})

type Rows = Map<number, readonly [flags: number, modSeq: number]>

const rows = (view: MailboxView): Rows =>
  new Map(
    Array.from(view.uids, (uid, i) => [uid, [view.flags[i]!, view.modSeqs[i]!] as const] as const),
  )

function brought(old: MailboxView, fresh: MailboxView): Rows {
  const all = rows(old)
  for (const uid of fresh.vanished) all.delete(uid)
  for (const [uid, row] of rows(fresh)) all.set(uid, row)
  return new Map([...all].toSorted(([a], [b]) => a - b))
}

function assertCounts({ mailbox, flags, sizes }: MailboxView): void {
  assert.equal(mailbox.messages, flags.length)
  assert.equal(mailbox.unseen, flags.filter((each) => (each & SEEN) === 0).length)
  assert.equal(mailbox.deleted, flags.filter((each) => (each & DELETED) !== 0).length)
  assert.equal(
    mailbox.sizeBytes,
    sizes.reduce((sum, size) => sum + size, 0),
  )
}
