import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { TestContext } from 'node:test'

import { MailFailure } from './client.ts'
import type { Invocation, MailClient } from './client.ts'
import { Listing, PAGE_ROWS } from './listing.ts'
import type { Row } from './nouns.ts'
import { Writes } from './writes.ts'

const MANY = 100_000

/** A mailbox of a server, newest first, and the list of it. */
function mailbox(t: TestContext, count: number, view: { readonly isSearch?: boolean } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const server = {
    ids: Array.from({ length: count }, (_, n) => `E${count - n}`),
    isAway: false,
    /** Where each request began. */
    asked: [] as number[],
  }
  const rows = new Map<string, Row>()
  const client = { once: (calls: readonly Invocation[]) => Promise.resolve(answer(server, calls)) }
  const listing = new Listing(
    {
      client: client as unknown as MailClient,
      rows,
      writes: new Writes(),
      isPinned: (id) => id === 'E7',
    },
    { filter: {}, isSearch: view.isSearch ?? false },
  )
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 30; n++) await Promise.resolve()
  }
  return {
    server,
    rows,
    listing,
    settle,
    /** Scrolls to these rows, and stands still. */
    look: async (first: number, last = first + 12) => {
      listing.ensure(first, last)
      t.mock.timers.tick(100)
      await settle()
    },
    /** As the event stream has it. */
    hear: () => listing.takeHead(answer(server, listing.headCalls())),
    shown: (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, n) => listing.at(first + n)?.id),
  }
}

function answer(
  server: { readonly ids: readonly string[]; readonly isAway: boolean; readonly asked: number[] },
  calls: readonly Invocation[],
): readonly Invocation[] {
  if (server.isAway) throw new MailFailure('away')
  const [query] = calls
  const { position, anchor, anchorOffset, limit, calculateTotal } = query![1] as {
    position?: number
    anchor?: string
    anchorOffset?: number
    limit: number
    calculateTotal: boolean
  }
  const at = anchor === undefined ? position! : server.ids.indexOf(anchor)
  if (at < 0) return [['error', { type: 'anchorNotFound' }, query![2]]]
  const from = at + (anchorOffset ?? 0)
  server.asked.push(from)
  const ids = server.ids.slice(from, from + limit)
  return [
    [
      'Email/query',
      { ids, position: from, ...(calculateTotal && { total: server.ids.length }) },
      query![2],
    ],
    ['Email/get', { list: ids.map((id) => ({ id, subject: '渡り' })) }, `${query![2]}.rows`],
  ]
}

const idsOf = (from: number, to: number): string[] =>
  Array.from({ length: from - to + 1 }, (_, n) => `E${from - n}`)

it('moves nothing while mail arrives: what is scrolled to is what stood there', async (t) => {
  const { server, listing, look, settle, hear, shown } = mailbox(t, 1_000)
  await settle()
  server.ids.unshift('F3', 'F2', 'F1')
  await look(200, 212)
  assert.deepEqual(shown(200, 212), idsOf(800, 788))
  hear()
  assert.equal(listing.newCount, 3)
  assert.equal(listing.length, 1_000)
  listing.show()
  await settle()
  assert.deepEqual(shown(0, 3), ['F3', 'F2', 'F1', 'E1000'])
  assert.deepEqual(shown(203, 212), idsOf(800, 791), 'it is shown meanwhile')
  assert.equal(listing.length, 1_003)
})

it('asks only for what stands still in sight, two pages at a time', async (t) => {
  const { server, listing, look, settle, shown } = mailbox(t, MANY)
  await settle()
  for (let first = 0; first < MANY; first += 97) listing.ensure(first, first + 12)
  await settle()
  assert.deepEqual(server.asked, [0], 'nothing while the bar is dragged')
  await look(MANY - 13, MANY - 1)
  assert.deepEqual(server.asked, [0, MANY - PAGE_ROWS])
  assert.deepEqual(shown(MANY - 13, MANY - 1), idsOf(13, 1))
})

it('knows no more of a mailbox than what is near, except what is in use', async (t) => {
  const { rows, look, settle } = mailbox(t, MANY)
  await settle()
  await look(MANY - 20)
  for (let first = MANY - 20; first > 0; first -= 50) await look(first)
  assert.ok(rows.size <= 2_100, String(rows.size))
  assert.ok(rows.has('E7'))
})

it('fills what moves up when mail is taken out, and puts it back', async (t) => {
  const { server, listing, look, settle, shown } = mailbox(t, 120)
  await settle()
  await look(0)
  const gone = idsOf(118, 113)
  const back = listing.takeOut(gone)
  assert.deepEqual(shown(0, 3), ['E120', 'E119', 'E112', 'E111'], 'at once')
  server.ids = server.ids.filter((id) => !gone.includes(id))
  await look(0, 50)
  assert.deepEqual(shown(0, 50), ['E120', 'E119', ...idsOf(112, 64)])
  back()
  assert.equal(listing.length, 120)
})

it('finds its place again when the first mail has gone elsewhere', async (t) => {
  const { server, listing, look, settle, hear, shown } = mailbox(t, 1_000)
  await settle()
  await look(400, 412)
  server.ids.shift()
  await look(700, 712)
  assert.deepEqual(shown(700, 712), idsOf(299, 287))
  assert.equal(listing.length, 999)
  hear()
  assert.equal(listing.newCount, 0)
})

it('asks again for what is in sight when somebody answers, and for nothing else', async (t) => {
  const { server, listing, look, settle, hear, shown } = mailbox(t, 1_000)
  await settle()
  server.isAway = true
  await look(300)
  await look(600)
  server.isAway = false
  server.asked.length = 0
  hear()
  t.mock.timers.tick(1)
  await settle()
  assert.deepEqual(shown(600, 612), idsOf(400, 388))
  assert.equal(server.asked.includes(300), false)
  assert.equal(listing.state, 'there')
})

it('says that nobody answers where nothing is shown yet, and goes on asking', async (t) => {
  const { server, listing, settle } = mailbox(t, 10)
  server.isAway = true
  listing.again()
  for (let n = 0; n < 10 && listing.state === 'loading'; n++) {
    await settle()
    t.mock.timers.tick(20_000)
  }
  assert.equal(listing.state, 'away')
  await settle()
  server.isAway = false
  t.mock.timers.tick(20_000)
  await settle()
  assert.equal(listing.state, 'there')
  assert.equal(listing.length, 10)
})

it('shows all that a search finds, page by page', async (t) => {
  const { listing, look, settle } = mailbox(t, 120, { isSearch: true })
  await settle()
  for (const first of [30, 40, 80, 90, 110])
    await look(first, Math.min(first + 15, listing.length - 1))
  assert.equal(listing.length, 120)
  assert.equal(listing.at(119)?.id, 'E1')
})
