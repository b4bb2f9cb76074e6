import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { AccountId } from '#model/account.ts'
import { DELETED } from '#model/mailbox.ts'
import type { MailboxRef, MailboxChange } from '#store/mailbox/commit.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { textSearch } from '#test/fake/text-search.ts'
import { SearchFeeder } from './feeder.ts'
import { tidyIndex } from './tidy.ts'

const hanako = 'hanako' as AccountId
const INBOX: MailboxRef = { path: ['INBOX'], create: false }

async function deliver(store: FakeMailboxStore, bodies: readonly string[]): Promise<void> {
  const { results } = await store.commit({
    contents: bodies.map((body) => ({ octets: [fromUtf8(`Subject: 件名\r\n\r\n${body}\r\n`)] })),
    commits: [
      {
        accountId: hanako,
        changes: bodies.map((_, content): MailboxChange => ({
          kind: 'append',
          mailbox: INBOX,
          content,
          flags: DELETED,
          keywords: [],
          internalDateMs: 0,
        })),
      },
    ],
  })
  assert.equal(results[0]?.kind, 'committed')
}

const many = (count: number, word: string): string[] =>
  Array.from({ length: count }, (_, i) => `${word}の第${i}便`)

/** Lets what was set going go on until it has come to rest. */
async function until(isSo: () => Promise<boolean>, clock?: FakeClock): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    if (await isSo()) return
    clock?.advance(1)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not come')
}

function setUp(t: TestContext) {
  const store = new FakeMailboxStore()
  const { index } = textSearch(t, store)
  const clock = new FakeClock()
  const log = memoryLog()
  const feeder = new SearchFeeder({ store, index, clock, log })
  t.after(() => feeder.close())
  const count = async (term: string): Promise<number> => {
    const query = { kind: 'text', places: ['body'], term: foldText(term) } as const
    return (await index.find({ accountId: hanako, query })).found.length
  }
  const signal = new AbortController().signal
  const tidy = (): Promise<void> => tidyIndex({ store, index, signal })
  return { store, index, clock, log, feeder, count, tidy }
}

test('a few new mails wait for ten minutes, many do not; a pause is as long as the work', async (t) => {
  const { store, clock, feeder, count } = setUp(t)
  store.changes(({ accountId }) => feeder.changed(accountId))
  feeder.start()
  await deliver(store, many(3, '渡り鳥'))
  for (let minute = 0; minute < 9; minute++) clock.advance(MINUTE_MS)
  assert.equal(await count('渡り鳥'), 0)
  clock.advance(2 * MINUTE_MS)
  await until(async () => (await count('渡り鳥')) === 3, clock)
  for (const body of many(60, '会議')) await deliver(store, [body])
  await until(async () => (await count('会議')) >= 50, clock)
})

test('what came while nobody looked is found after a start', async (t) => {
  const { store, clock, feeder, count } = setUp(t)
  await deliver(store, many(130, '渡り鳥'))
  feeder.start()
  clock.advance(MINUTE_MS)
  await until(async () => (await count('渡り鳥')) === 130, clock)
  assert.deepEqual(feeder.status().trouble, undefined)
})

test('a search waits for what is new', async (t) => {
  const { store, feeder, count } = setUp(t)
  await deliver(store, many(200, '渡り鳥'))
  await feeder.catchUp(hanako, 1_000)
  assert.equal(await count('渡り鳥'), 200)
  await deliver(store, many(1, '会議'))
  await Promise.all([feeder.catchUp(hanako, 1_000), feeder.catchUp(hanako, 1_000)])
  assert.equal(await count('会議'), 1)
})

test('a disk that fails is told once, and the rest comes when it answers again', async (t) => {
  const { store, clock, log, feeder, count } = setUp(t)
  await deliver(store, many(10, '渡り鳥'))
  store.fault = new Fault('stalled', 'the disk does not answer')
  feeder.start()
  for (let ask = 0; ask < 3; ask++) await feeder.catchUp(hanako, 1_000)
  assert.equal(log.lines.filter(({ event }) => event === 'search.failed').length, 1)
  assert.match(feeder.status().trouble!, /does not answer/)
  store.fault = undefined
  for (let minute = 0; minute < 13; minute++) clock.advance(MINUTE_MS)
  await until(async () => (await count('渡り鳥')) === 10, clock)
  await until(() => Promise.resolve(feeder.status().trouble === undefined), clock)
})

test('mail that kills the process of the index holds up no other, and stays to be read', async (t) => {
  const { store, index, clock, feeder, count } = setUp(t)
  await deliver(store, [...many(20, '渡り鳥'), '毒の便り', ...many(20, '会議')])
  const add = index.add.bind(index)
  let deaths = 0
  index.add = async (part) => {
    const isFatal = part.emails.some(({ content }) =>
      content?.octets.some((octets) => toUtf8(octets).includes('毒')),
    )
    if (!isFatal) return add(part)
    deaths++
    throw new Fault('closed', 'the storage process has ended')
  }
  feeder.start()
  clock.advance(MINUTE_MS)
  await until(async () => {
    clock.advance(10_000)
    return (await count('会議')) === 20
  }, clock)
  assert.equal(await count('渡り鳥'), 20)
  assert.equal(deaths, 3)
  const query = { kind: 'text', places: ['body'], term: foldText('毒') } as const
  const { found, unsure } = await index.find({ accountId: hanako, query })
  assert.deepEqual([[...found], [...unsure]], [[], [21]])
})

test('what was purged leaves the index, and so does an account that is no more', async (t) => {
  const { store, index, feeder, count, tidy } = setUp(t)
  await deliver(store, many(40, '秘密の計画'))
  await feeder.catchUp(hanako, 1_000)
  assert.equal(await count('秘密'), 40)
  const { mailboxes } = await store.mailboxes({ accountId: hanako })
  const mailboxId = mailboxes.find(({ use }) => use === 'inbox')!.id
  const changes: MailboxChange[] = [{ kind: 'expunge', mailboxId, uids: 'all', deletedOnly: true }]
  await store.commit({ contents: [], commits: [{ accountId: hanako, changes }] })
  await tidy()
  assert.equal(await count('秘密'), 40, 'it can still come back')
  await store.purge({ beforeMs: store.clock.nowMs() + HOUR_MS })
  await tidy()
  await until(async () => (await count('秘密')) === 0)
  await store.keepAccounts({ accountIds: [], removedIds: [hanako] })
  store.clock.advance(HOUR_MS)
  await store.purge({ beforeMs: store.clock.nowMs() })
  await tidy()
  assert.deepEqual(await index.accounts({ limit: 10 }), { accountIds: [] })
})
