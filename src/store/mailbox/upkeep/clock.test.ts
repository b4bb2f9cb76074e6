import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { append, text } from '#store/mailbox/contract/contract-bench.ts'
import { expungeLast, give, openBench } from '#store/mailbox/contract/works.ts'

const TEN_YEARS_MS = 3_652 * DAY_MS
const root = mkdtempSync(join(tmpdir(), 'watari-clock-'))
after(() => rmSync(root, { recursive: true, force: true }))

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
})
