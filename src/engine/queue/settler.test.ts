import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { openSpool } from '#store/spool/open.ts'
import type { Accept, QueueId, Settlement } from '#store/spool/spool-store.ts'
import { addr } from '#test/fake/directory.ts'
import { Settler } from './settler.ts'

const mailTo = (count: number): Accept => ({
  deliveryId: `D${count}` as DeliveryId,
  door: 'outbox',
  reversePath: addr('ゼミ-bounces@campus.example'),
  recipients: Array.from({ length: count }, (_, i) => ({
    address: addr(`member${i}@else.example`),
  })),
  body: '8bitmime',
  smtpUtf8: false,
  receivedAtMs: 0,
  expiresAtMs: 1_000_000,
  content: { octets: [fromUtf8('Subject: x\r\n\r\n本文\r\n')] },
})

const delivered = (queueId: QueueId, count: number): readonly Settlement[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'delivered',
    queueId,
    index,
    status: '250 2.1.5',
  }))

/** A settler of a spool, and how many outcomes that was given at once. */
async function bench(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'watari-settler-'))
  const clock = new FakeClock()
  const spool = await openSpool({ dir, clock, reserveBytes: 0 })
  t.after(async () => {
    await spool.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const counts: number[] = []
  const settle = spool.settle.bind(spool)
  spool.settle = (done) => {
    counts.push(done.settlements.length)
    return settle(done)
  }
  const accept = async (count: number): Promise<QueueId> =>
    (await spool.accept(mailTo(count))).queueId
  return { spool, counts, accept, settler: new Settler({ spool, clock, log: silentLog }) }
}

test('a mail to thousands is settled by and by, with whoever comes meanwhile', async (t) => {
  const { spool, settler, counts, accept } = await bench(t)
  const [bulk, single] = [await accept(1_700), await accept(1)]
  const settled = await Promise.all([
    settler.settle({ settlements: delivered(bulk, 1_700), dsns: [] }),
    settler.settle({ settlements: delivered(single, 1), dsns: [] }),
  ])
  assert.deepEqual(settled, [true, true])
  assert.deepEqual(counts, [500, 500, 500, 201])
  assert.equal((await spool.status()).messages, 0)
})

test('a report and all that it reports stand in one commit', async (t) => {
  const { spool, settler, counts, accept } = await bench(t)
  const bulk = await accept(1_700)
  await settler.settle({ settlements: delivered(bulk, 1_700), dsns: [mailTo(2)] })
  assert.deepEqual(counts, [1_700])
  assert.equal((await spool.status()).messages, 1)
})
