import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeClock, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'

import { addr } from './delivery-bench.ts'
import { Filings } from './filings.ts'
import { KnownFilings } from './known-filings.ts'
import { overlaid } from './overlaid.ts'

const hanako = 'hanako' as AccountId
const taro = 'taro' as AccountId
const SCRIPT = 'require "fileinto"; fileinto "案件";'

const dir = mkdtempSync(join(tmpdir(), 'watari-filings-'))
const clock = new FakeClock()
let store: OpenMailboxes
let known: KnownFilings
/** What the storage was asked, one list of accounts a question. */
const asked: string[] = []
/** What comes between a question and its answer. */
let meanwhile: () => Promise<void> = () => Promise.resolve()

const filing: MailboxStore['filing'] = async (ask) => {
  asked.push(ask.accountIds.join())
  const answer = await store.filing(ask)
  await meanwhile()
  return answer
}

before(async () => {
  store = await openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: (change) => known.changed(change),
  })
  known = new KnownFilings({ mailboxes: overlaid(store, { filing }), clock })
})
after(async () => {
  await store.close()
  rmSync(dir, { recursive: true })
})

const filed = async (accountId = hanako) =>
  (await known.filing({ accountIds: [accountId] })).accounts[0]!
const names = async (): Promise<string> =>
  (await filed()).mailboxes
    .map((path) => path.join('/'))
    .toSorted()
    .join()
const isThere = async (name: string): Promise<boolean> => (await names()).split(',').includes(name)
/** How many questions the storage heard for it. */
async function questions(work: () => Promise<unknown>): Promise<number> {
  const was = asked.length
  await work()
  return asked.length - was
}
async function change(...changes: readonly MailboxChange[]) {
  const octets = [new TextEncoder().encode('Subject: 会議\r\n\r\n')]
  const { results } = await store.commit({
    contents: changes.some(({ kind }) => kind === 'append') ? [{ octets }] : [],
    commits: [{ accountId: hanako, changes }],
  })
  assert.ok(results[0]?.kind === 'committed')
  return results[0].results
}
const made = async (...path: string[]) => {
  const [result] = await change({ kind: 'create', path })
  assert.ok(result?.kind === 'mailbox')
  return result.mailbox.id
}

describe('what filing has asked of accounts', () => {
  it('is asked once, however much mail is filed', async () => {
    await change()
    const append = {
      kind: 'append',
      mailbox: { path: ['INBOX'], create: false },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: 0,
    } as const
    assert.equal(await questions(filed), 1)
    assert.equal(
      await questions(async () => {
        for (let i = 0; i < 3; i++) {
          await change(append)
          await filed()
        }
      }),
      0,
    )
    assert.deepEqual(await filed(), (await store.filing({ accountIds: [hanako] })).accounts[0])
  })

  it('is as it stands after each change of a name, a role or a script', async () => {
    assert.equal(await isThere('案件'), false)
    const id = await made('案件')
    assert.equal(await isThere('案件'), true)
    await change({ kind: 'rename', mailboxId: id, path: ['会議', '案件'] })
    assert.equal(await isThere('案件'), false)
    assert.equal(await isThere('会議/案件'), true)
    const archive = (await filed()).uses.find(({ use }) => use === 'archive')
    const { mailboxes } = await store.mailboxes({ accountId: hanako })
    const was = mailboxes.find(({ use }) => use === 'archive')
    if (was !== undefined) await change({ kind: 'describe', mailboxId: was.id, use: null })
    await change({ kind: 'describe', mailboxId: id, use: 'archive' })
    assert.notDeepEqual(
      (await filed()).uses.find(({ use }) => use === 'archive'),
      archive,
    )
    await change({ kind: 'delete', mailboxId: id })
    assert.equal(await isThere('会議/案件'), false)
    assert.equal(await isThere('会議'), true)
    for (const text of [SCRIPT, `${SCRIPT}#`]) {
      await store.changeScript({
        accountId: hanako,
        change: { kind: 'put', name: '振り分け', text, activate: true },
      })
      assert.equal((await filed()).script, text)
    }
    await change({
      kind: 'append',
      mailbox: { path: ['出来た', '下'], create: true },
      content: 0,
      flags: 0,
      keywords: [],
      internalDateMs: 0,
    })
    assert.equal(await isThere('出来た/下'), true)
  })

  it('is not kept where something changed while it was asked', async () => {
    known.forgetAll()
    meanwhile = async () => {
      meanwhile = () => Promise.resolve()
      await made('間に')
    }
    assert.equal(await isThere('間に'), false)
    assert.equal(await isThere('間に'), true)
  })

  it('is asked anew after a minute, and once the storage process has ended', async () => {
    await filed()
    clock.advance(MINUTE_MS + 1)
    assert.equal(await questions(filed), 1)
    known.forgetAll()
    assert.equal(await questions(filed), 1)
    assert.equal(await questions(filed), 0)
  })

  it('of very many at once, or of many accounts, pushes nothing but the oldest out', async () => {
    await filed()
    const many = Array.from({ length: 17 }, (_, i) => `many${i}` as AccountId)
    await known.filing({ accountIds: many })
    assert.equal(await questions(() => filed(many[0])), 1)
    for (let i = 0; i < 998; i++) await filed(`one${i}` as AccountId)
    assert.equal(await questions(filed), 0)
    await filed(taro)
    assert.equal(await questions(() => filed(many[0])), 1)
    assert.equal(await questions(filed), 0)
  })
})

describe('what a mail’s accounts are filed by', () => {
  const destination = (accountId: AccountId) => ({
    recipient: addr(`${accountId}@campus.example`),
    accounts: [accountId],
    elsewhere: [],
  })
  const ahead = (answer: MailboxStore['filing']) => {
    const filings = new Filings({ mailboxes: { filing: answer }, clock }, [
      destination(hanako),
      destination(taro),
    ])
    filings.askAhead()
    return filings
  }

  it('is asked before its octets are there, for all of them together', async () => {
    const count = await questions(async () => {
      const filings = ahead(filing)
      clock.advance(SECOND_MS)
      assert.ok((await filings.of(taro)).mailboxes.length > 0)
      assert.equal((await filings.of(hanako)).script, `${SCRIPT}#`)
    })
    assert.equal(count, 1)
  })

  it('is asked again where the peer took its time meanwhile', async () => {
    const filings = ahead(filing)
    await store.changeScript({
      accountId: hanako,
      change: { kind: 'put', name: '振り分け', text: '# 新', activate: true },
    })
    clock.advance(SECOND_MS + 1)
    assert.equal((await filings.of(hanako)).script, '# 新')
  })

  it('is asked again where storage was away then, but not where it did not answer', async () => {
    for (const [code, isAskedAgain] of [
      ['closed', true],
      ['stalled', false],
    ] as const) {
      let count = 0
      const filings = ahead((ask) => {
        if (count++ === 0) return Promise.reject(new Fault(code, 'not now'))
        return store.filing(ask)
      })
      const answer = filings.of(hanako)
      if (isAskedAgain) assert.ok((await answer).mailboxes.length > 0)
      else await assert.rejects(answer, { code })
      assert.equal(count, isAskedAgain ? 2 : 1)
    }
  })
})
