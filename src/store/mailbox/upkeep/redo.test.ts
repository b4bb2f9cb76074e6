import assert from 'node:assert/strict'
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { recordOf } from '#store/blob/record.ts'
import { scanSegment } from '#store/blob/scan-segment.ts'
import { segmentPath } from '#store/blob/segments.ts'
import { append, hanako, text } from '#store/mailbox/contract/contract-bench.ts'
import {
  assertSound,
  expungeLast,
  give,
  openBench,
  picture,
  PURGE,
  WORKS,
} from '#store/mailbox/contract/works.ts'
import type { Opened } from '#store/mailbox/contract/works.ts'

/*
 * A power loss leaves the segments with all that was answered, and the database as it was some commits ago.
 */

const root = mkdtempSync(join(tmpdir(), 'watari-redo-'))
after(() => rmSync(root, { recursive: true, force: true }))
const opened: Opened[] = []
afterEach(async () => {
  armFailpoints('')
  for (const { store } of opened.splice(0)) await store.close()
})

const open = async (dir = mkdtempSync(join(root, 'v-')), earlier?: Opened): Promise<Opened> => {
  const bench = await openBench(dir, earlier?.clock)
  opened.push(bench)
  return bench
}

const DATABASE = ['mailbox.db', 'mailbox.db-wal'] as const

/** What its machine keeps of the store: all but the database, which stays as it is now. */
function keptDatabase({ dir }: Opened): { readonly loss: () => string } {
  const old = mkdtempSync(join(root, 'db-'))
  for (const name of DATABASE) copyFileSync(join(dir, name), join(old, name))
  return {
    loss: () => {
      const after = mkdtempSync(join(root, 'after-'))
      cpSync(dir, after, { recursive: true })
      for (const name of DATABASE) copyFileSync(join(old, name), join(after, name))
      return after
    },
  }
}

/** The worst of what a power loss can leave: all that the database has not put into its file is gone. */
function withoutWal({ dir }: Opened): string {
  const after = mkdtempSync(join(root, 'after-'))
  cpSync(dir, after, { recursive: true })
  rmSync(join(after, 'mailbox.db-wal'))
  return after
}

const redoIn = (dir: string) =>
  readdirSync(join(dir, 'seg'))
    .map((name) => Number.parseInt(name, 10))
    .toSorted((a, b) => a - b)
    .flatMap((file) => [...scanSegment(dir, file, 0)].map((record) => ({ file, ...record })))
    .filter(({ codec }) => codec === 'redo')

function spoil(dir: string, file: number, at: number, octets: Uint8Array): void {
  const fd = openSync(segmentPath(join(dir, 'seg'), file), 'r+')
  writeSync(fd, octets, 0, octets.length, at)
  closeSync(fd)
}

describe('a database that a power loss has left behind', () => {
  it('gets back what was answered: UIDs, flags, files, what goes out, what expires and is purged', async () => {
    const at = await open()
    await give(at)
    const machine = keptDatabase(at)
    for (const { prepare, run } of [...WORKS, PURGE]) {
      await prepare?.(at)
      await run(at)
    }
    const shown = await picture(at)
    assert.deepEqual(await picture(await open(withoutWal(at), at)), shown)
    const dir = machine.loss()
    const again = await open(dir, at)
    assert.deepEqual(await picture(again), shown)
    await give(again)
    const later = await picture(again)
    // Once more, from what the first start has written.
    const twice = await open(keptDatabase(again).loss(), at)
    assert.deepEqual(await picture(twice), later)
    for (const { store } of opened.splice(0)) await store.close()
    assertSound(dir)
  })

  it('gets back deliveries that came all at once, over the end of a segment', async () => {
    const at = await open()
    await give(at)
    const body = `Subject: 大\r\n\r\n${'渡り鳥。'.repeat(20_000)}`
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 100 }, () =>
          at.bench.done([append(['INBOX'])], { contents: [text(body)] }),
        ),
      )
    const shown = await picture(at)
    assert.ok(readdirSync(join(at.dir, 'seg')).length > 1)
    assert.deepEqual(await picture(await open(withoutWal(at), at)), shown)
  })

  it('does not get what was cut off amid its octets or its rows, and was never answered', async () => {
    const at = await open()
    await give(at)
    const machine = keptDatabase(at)
    await give(at)
    const shown = await picture(at)
    await give(at)
    const last = redoIn(at.dir).at(-1)!
    const before = redoIn(at.dir).at(-2)!
    for (const where of [before.end + 30, last.offset + 5, last.end - 3]) {
      const dir = machine.loss()
      spoil(dir, last.file, where, new Uint8Array(2))
      assert.deepEqual(await picture(await open(dir, at)), shown)
      // Its place is taken by another, and a second loss does not bring it back.
      const again = opened.at(-1)!
      await give(again)
      const later = await picture(again)
      const second = keptDatabase(again)
      await expungeLast(again)
      assert.notDeepEqual(await picture(again), later)
      assert.deepEqual(await picture(await open(second.loss(), at)), await picture(again))
    }
  })

  for (const point of ['mailbox.written', 'mailbox.synced', 'journal.written'])
    it(`does not get what failed at ${point}, once something else was answered`, async () => {
      const at = await open()
      await give(at)
      const machine = keptDatabase(at)
      await give(at)
      armFailpoints(`${point}=throw`)
      await assert.rejects(
        at.bench.done([append(['INBOX'])], { contents: [text('Subject: 失敗\r\n\r\nx')] }),
        (thrown) => isFault(thrown, 'io'),
      )
      armFailpoints('')
      await give(at)
      const shown = await picture(at)
      assert.deepEqual(await picture(await open(machine.loss(), at)), shown)
    })

  it('does not get what was durable too late for whoever asked, though nothing was answered since', async () => {
    const at = await open()
    await give(at)
    const machine = keptDatabase(at)
    await give(at)
    const shown = await picture(at)
    const { length } = redoIn(at.dir)
    const { clock } = at.bench
    const nowMs = clock.nowMs.bind(clock)
    // Each look at the calendar takes a millisecond: one before the commit, one amid it.
    clock.nowMs = () => {
      clock.advance(1)
      return nowMs()
    }
    const late = at.store.commit({
      contents: [text('Subject: 遅い\r\n\r\nx')],
      commits: [{ accountId: hanako, changes: [append(['INBOX'])] }],
      operation: { slot: 0, id: 'life.1', untilMs: clock.monotonicMs() + 1 },
    })
    await assert.rejects(late, (thrown) => isFault(thrown, 'stalled'))
    clock.nowMs = nowMs
    assert.equal(
      redoIn(at.dir).length,
      length + 2,
      'it was durable, and so is that it does not count',
    )
    assert.deepEqual(await picture(at), shown)
    assert.deepEqual(await picture(await open(machine.loss(), at)), shown)
    assert.deepEqual(await picture(await open(withoutWal(at), at)), shown)
    // Nor once something else was answered, nor does that take its place twice.
    await give(at)
    assert.deepEqual(await picture(await open(machine.loss(), at)), await picture(at))
  })

  it('takes no octets of a mail for rows, whatever they look like', async () => {
    const at = await open()
    await give(at)
    const machine = keptDatabase(at)
    const real = redoIn(at.dir).at(-1)!
    // As one would forge it who had seen another store's: with any key, and a number above all.
    const json = JSON.stringify({
      kind: 'commit',
      n: 1_000_000,
      after: 1_000_000 - 1,
      atMs: 0,
      from: [1, 0],
      to: [1, 0],
      rows: { account: { put: [], drop: [[1]] } },
    })
    const forged = Buffer.concat(
      recordOf([Buffer.concat([Buffer.alloc(16, 7), fromUtf8(json)])], 16 + json.length, 'redo'),
    )
    await at.bench.done([append(['INBOX'])], {
      contents: [{ octets: [fromUtf8('Subject: 偽\r\n\r\n'), forged] }],
    })
    await give(at)
    const rows = await at.bench.rows()
    const dir = machine.loss()
    // Its own head is gone: whoever looks for the next record finds the one within.
    spoil(dir, real.file, real.end, new Uint8Array(24))
    assert.deepEqual(await (await open(dir, at)).bench.rows(), rows)
  })

  it('does not open where rows between are lost, and says what to do', async () => {
    const at = await open()
    await give(at)
    const machine = keptDatabase(at)
    for (let n = 0; n < 3; n++) await give(at)
    const dir = machine.loss()
    const between = redoIn(dir).at(-2)!
    spoil(dir, between.file, between.offset + 40, new Uint8Array(4))
    await assert.rejects(
      openBench(dir, at.clock),
      (thrown) => isFault(thrown, 'corrupt') && thrown.message.includes('watari store rebuild'),
    )
  })

  it('has all that stood in a segment before that is deleted, be its WAL lost whole', async () => {
    const at = await open()
    await give(at)
    await expungeLast(at)
    armFailpoints('mailbox.written=throw')
    await assert.rejects(give(at))
    armFailpoints('')
    // What failed has ended the segment, and what is purged leaves nothing in it that a row names.
    await PURGE.prepare!(at)
    await PURGE.run(at)
    assert.ok(!existsSync(segmentPath(join(at.dir, 'seg'), 1)))
    const shown = await picture(at)
    assert.deepEqual(await picture(await open(withoutWal(at), at)), shown)
  })

  it('is synced itself where the segments take no rows: flags and expunges go on', async () => {
    const at = await open()
    for (let n = 0; n < 3; n++) await give(at)
    armFailpoints('mailbox.written=throw')
    await assert.rejects(give(at))
    await expungeLast(at)
    await expungeLast(at)
    const shown = await picture(at)
    armFailpoints('')
    assert.deepEqual(await picture(await open(withoutWal(at), at)), shown)
    await give(at)
    await expungeLast(at)
    assert.deepEqual(await picture(await open(withoutWal(at), at)), await picture(at))
  })
})
