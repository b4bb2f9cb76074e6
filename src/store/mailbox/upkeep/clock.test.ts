import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'
import { append, expunging, hanako, text } from '#store/mailbox/contract/contract-bench.ts'
import { expungeLast, give, openBench } from '#store/mailbox/contract/works.ts'
import { KEPT_ROWS_MIN } from '#store/mailbox/view/kept-views.ts'

const TEN_YEARS_MS = 3_652 * DAY_MS
const root = mkdtempSync(join(tmpdir(), 'watari-clock-'))
after(() => rmSync(root, { recursive: true, force: true }))

const entry = (id: string, releaseAtMs?: number): OutboxEntry => ({
  id,
  kind: 'forward',
  reversePath: null,
  recipients: [{ localpart: '太郎', domain: 'b.example' }],
  body: '8bitmime',
  smtpUtf8: true,
  content: fromUtf8('Subject: 転送\r\n\r\n'),
  ...(releaseAtMs !== undefined && { releaseAtMs }),
})

describe('a store whose clock jumps', () => {
  for (const byMs of [-TEN_YEARS_MS, TEN_YEARS_MS])
    it(`by ${byMs < 0 ? '-10' : '+10'} years: no UIDVALIDITY comes twice or is less than an earlier one`, async () => {
      const dir = mkdtempSync(join(root, 'v-'))
      const clock = new FakeClock()
      const seen: number[] = []
      const makeAndDelete = async (
        opened: Awaited<ReturnType<typeof openBench>>,
      ): Promise<void> => {
        await opened.bench.done([{ kind: 'create', path: ['会議'] }])
        const { id, uidValidity } = await opened.bench.row(['会議'])
        seen.push(uidValidity)
        await opened.bench.done([{ kind: 'delete', mailboxId: id }])
      }
      const first = await openBench(dir, clock)
      await makeAndDelete(first)
      clock.jump(byMs)
      await makeAndDelete(first)
      await first.store.close()
      const again = await openBench(dir, clock)
      await makeAndDelete(again)
      clock.jump(-byMs)
      await makeAndDelete(again)
      await again.store.close()
      assert.deepEqual(
        seen,
        [...new Set(seen)].toSorted((a, b) => a - b),
      )
      assert.ok(seen.every((value) => value > 0 && value < 2 ** 32))
    })

  for (const byMs of [-TEN_YEARS_MS, TEN_YEARS_MS])
    it(`by ${byMs < 0 ? '-10' : '+10'} years: UIDs and MODSEQs go on, and what is delivered again is known`, async () => {
      const dir = mkdtempSync(join(root, 'v-'))
      const clock = new FakeClock()
      const first = await openBench(dir, clock)
      const deliver = ({ bench }: typeof first) =>
        bench.commit([append(['INBOX'])], {
          contents: [text('Subject: 渡り\r\n\r\n')],
          deliveryId: 'D1',
        })
      assert.equal((await deliver(first)).kind, 'committed')
      await give(first)
      const before = await first.bench.row(['INBOX'])
      clock.jump(byMs)
      await expungeLast(first)
      await first.store.close()
      const again = await openBench(dir, clock)
      assert.equal((await deliver(again)).kind, 'duplicate')
      await give(again)
      const row = await again.bench.row(['INBOX'])
      assert.equal(row.uidValidity, before.uidValidity)
      assert.equal(row.uidNext, before.uidNext + 1)
      assert.ok(row.highestModSeq > before.highestModSeq)
      await again.store.close()
    })

  for (const byMs of [-TEN_YEARS_MS, TEN_YEARS_MS])
    it(`by ${byMs < 0 ? '-10' : '+10'} years: what goes out goes once, and what is held waits no longer than it was to`, async () => {
      const clock = new FakeClock()
      const opened = await openBench(mkdtempSync(join(root, 'v-')), clock)
      const { bench, store } = opened
      const send = (id: string, releaseAtMs?: number) =>
        bench.done([append(['Sent'])], { outbox: [entry(id, releaseAtMs)] })
      const waiting = async () => (await store.outbox({ limit: 10 })).items.map(({ id }) => id)
      await send('now')
      await send('held', clock.nowMs() + HOUR_MS)
      assert.deepEqual(await waiting(), ['now'])
      clock.jump(byMs)
      await send('later', clock.nowMs() + HOUR_MS)
      // By a clock that is ahead it is due: nobody knows that it is wrong.
      assert.deepEqual(await waiting(), byMs < 0 ? ['now'] : ['now', 'held'])
      await store.outboxDone({ ids: ['now'] })
      clock.advance(HOUR_MS)
      assert.deepEqual(await waiting(), ['held', 'later'])
      await store.outboxDone({ ids: ['held'] })
      await send('again', clock.nowMs() + HOUR_MS)
      clock.jump(-byMs) // it was wrong, and is put right
      assert.deepEqual(await waiting(), byMs < 0 ? ['later', 'again'] : [])
      clock.advance(HOUR_MS)
      assert.deepEqual(await waiting(), ['later', 'again'])
      await store.outboxDone({ ids: ['later', 'again'] })
      assert.deepEqual(await waiting(), [])
      await store.close()
    })

  for (const byMs of [-TEN_YEARS_MS, TEN_YEARS_MS])
    it(`by ${byMs < 0 ? '-10' : '+10'} years: kept views show what the rows do`, async () => {
      const dir = mkdtempSync(join(root, 'v-'))
      const clock = new FakeClock()
      const first = await openBench(dir, clock)
      const inbox = await first.bench.fill(KEPT_ROWS_MIN + 10)
      const seen = async ({ store }: typeof first) => {
        const view = await store.view({ accountId: hanako, mailboxId: inbox, emails: true })
        return [[...view!.uids], [...view!.flags], [...view!.savedAtMs]]
      }
      await seen(first)
      await first.store.close()
      clock.jump(byMs)
      const second = await openBench(dir, clock)
      await second.bench.done([expunging(inbox, [2, 3]), append(['INBOX'])])
      const expected = await seen(second)
      await second.store.close()
      clock.jump(-byMs)
      const third = await openBench(dir, clock)
      assert.deepEqual(await seen(third), expected)
      await third.store.close()
      rmSync(join(dir, 'view'), { recursive: true })
      const fromRows = await openBench(dir, clock)
      assert.deepEqual(await seen(fromRows), expected)
      await fromRows.store.close()
    })
})
