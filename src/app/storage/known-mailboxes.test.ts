import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { StorageChild } from './child-process.ts'
import { KnownMailboxes } from './known-mailboxes.ts'

const hanako = 'hanako' as AccountId
const taro = 'taro' as AccountId
const dir = mkdtempSync(join(tmpdir(), 'watari-known-'))

let asked = 0
/** What comes between a question and its answer's arrival. */
let meanwhile: () => Promise<unknown> = () => Promise.resolve()
let isReady = true
const child = new StorageChild({
  kind: 'mailbox',
  dir,
  clock: systemClock,
  log: silentLog,
  onNotice: (topic) => {
    if (topic === 'written') known.forgetAll()
  },
})
const store = child.service('mailboxes')
const mailboxes: MailboxStore['mailboxes'] = async (ask) => {
  asked++
  const answer = await store.mailboxes(ask)
  await meanwhile()
  return answer
}
const known = new KnownMailboxes({ store: { mailboxes }, isReady: () => isReady })

before(() => child.start())
after(async () => {
  await child.stop()
  rmSync(dir, { recursive: true })
})

const rows = async (by?: AccountId): Promise<readonly MailboxRow[]> =>
  (await known.mailboxes({ accountId: hanako, ...(by && { by }) })).mailboxes
const inbox = async (): Promise<MailboxRow> => {
  const row = (await rows()).find(({ path }) => path[0] === 'INBOX')
  assert.ok(row)
  return row
}
/** How many questions storage heard for it. */
async function questions(work: () => Promise<unknown>): Promise<number> {
  const was = asked
  await work()
  return asked - was
}
async function change(...changes: readonly MailboxChange[]): Promise<void> {
  const octets = [Buffer.from('Subject: 会議\r\n\r\n本文')]
  const { results } = await store.commit({
    contents: changes.some(({ kind }) => kind === 'append') ? [{ octets }] : [],
    commits: [{ accountId: hanako, changes }],
  })
  assert.ok(results.every(({ kind }) => kind === 'committed'))
}
const append: MailboxChange = {
  kind: 'append',
  mailbox: { path: ['INBOX'], create: false },
  content: 0,
  flags: 0,
  keywords: [],
  internalDateMs: 0,
}

describe('the mailboxes of accounts', () => {
  it('are asked for once, for whoever asks, until rows change', async () => {
    for (let i = 0; i < 2; i++) for (const by of [undefined, taro]) await rows(by)
    assert.equal(await questions(rows), 0)
    assert.equal(await questions(() => rows(taro)), 0)
    await change(append)
    assert.equal((await inbox()).messages, 1)
    await rows()
    assert.equal(await questions(rows), 0)
  })

  it('are asked for again whatever has changed rows, told or not', async () => {
    const { id } = await inbox()
    const changes: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['a subscription', () => change({ kind: 'subscribe', path: ['いつか'], on: true })],
      ['\\Recent', () => change({ kind: 'claimRecent', mailboxId: id, before: 2 as Uid })],
      [
        'an expunge',
        () => change({ kind: 'expunge', mailboxId: id, uids: 'all', deletedOnly: false }),
      ],
      ['a purge', () => store.purge({ beforeMs: systemClock.nowMs() + 1 })],
      ['another account', () => store.mailboxes({ accountId: 'jiro' as AccountId })],
    ]
    for (const [what, work] of changes) {
      await rows()
      await rows()
      assert.equal(await questions(rows), 0, what)
      await work()
      assert.equal(await questions(rows), 1, what)
      assert.deepEqual(await rows(), (await store.mailboxes({ accountId: hanako })).mailboxes)
    }
  })

  it('are not kept where a change came between question and answer', async () => {
    await change(append)
    meanwhile = () => change(append)
    const earlier = (await inbox()).messages
    meanwhile = () => Promise.resolve()
    assert.equal((await inbox()).messages, earlier + 1)
  })

  it('are asked for where storage does not answer, so that this is heard', async () => {
    await rows()
    await rows()
    isReady = false
    assert.equal(await questions(rows), 1)
    isReady = true
    assert.equal(await questions(rows), 0)
  })
})
