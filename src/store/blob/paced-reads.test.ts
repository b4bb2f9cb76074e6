import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import type { Clock } from '#base/time.ts'
import { FakeClock } from '#base/time.ts'
import { PacedReads } from './paced-reads.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-paced-'))
const path = join(dir, 'segment')
writeFileSync(path, '渡り鳥')
const fd = openSync(path, 'r')
after(() => {
  closeSync(fd)
  rmSync(dir, { recursive: true })
})

/** Each look at it finds it so much later. */
function clockOf(stepMs: () => number): Clock {
  let now = 0
  return { nowMs: () => 0, monotonicMs: () => (now += stepMs()), after: () => () => undefined }
}

const threadsAtWork = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'FSReqCallback').length

/** The octets, and whether a thread was asked for them. */
async function read(reads: PacedReads): Promise<readonly [string, boolean]> {
  const before = threadsAtWork()
  const reading = reads.at(fd, 3, 100)
  const isByThread = threadsAtWork() > before
  return [(await reading).toString(), isByThread]
}

it('what lies in memory is read at once, up to the end of the file', async () => {
  const reads = new PacedReads(clockOf(() => 0.1))
  assert.deepEqual(await read(reads), ['り鳥', false])
  assert.deepEqual(await read(reads), ['り鳥', false])
})

it('after a read that took long threads read, for a while', async () => {
  let stepMs = 20
  const reads = new PacedReads(clockOf(() => stepMs))
  assert.deepEqual(await read(reads), ['り鳥', false])
  assert.deepEqual(await read(reads), ['り鳥', true])
  stepMs = 1_000
  assert.deepEqual(await read(reads), ['り鳥', false])
})

it('each read that is made at once has a turn of its own', async () => {
  const reads = new PacedReads(new FakeClock())
  const order: string[] = []
  const first = reads.at(fd, 0, 3).then(() => order.push('first'))
  setImmediate(() => order.push('others'))
  const second = reads.at(fd, 3, 3).then(() => order.push('second'))
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'others', 'second'])
})
