import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import { median, quantile, table, type Part } from './setup.ts'

const ROWS = Number(process.env['WATARI_BENCH_ROWS'] ?? 5_000_000)
const AWAY = 200_000
const BATCH = 500
/** As control takes them in: batches of several nodes together. */
const BATCHES_PER_COMMIT = 2
const NODE = 'gateway' as NodeId

/** Control's index, and a node's log while control is away. */
export const events: Part = {
  name: 'events',
  what: `control's index at its quota of ${ROWS.toLocaleString('en')} events: put, trace, counts; ${AWAY.toLocaleString('en')} events while control is away`,
  needsPeers: false,
  async run(say) {
    const dir = mkdtempSync(join(tmpdir(), 'watari-bench-events-'))
    try {
      await atQuota(join(dir, 'index.db'), say)
      await away(dir, say)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

/** Message-IDs lie anywhere, as they do in mail; delivery ids go with the time. */
const messageIdOf = (message: number): string =>
  `<${createHash('sha256').update(String(message)).digest('hex').slice(0, 32)}@example.org>`
const deliveryIdOf = (message: number): string => `D${String(message).padStart(12, '0')}`

/** Three events a message, ten messages a second; every message names one address that stands everywhere. */
function record(seq: number): EventRecord {
  const message = Math.floor(seq / 3)
  const names = ['receive.accepted', 'store.filed', 'queue.delivered']
  return {
    node: NODE,
    seq,
    atMs: message * 100,
    name: names[seq % 3]!,
    deliveryId: deliveryIdOf(message),
    fields: {
      messageId: messageIdOf(message),
      from: 'office@campus.example',
      to: `user${(message * 7_919) % 50_000}@campus.example`,
      class: message % 5 === 0 ? 'spam' : 'clean',
    },
  }
}

async function atQuota(path: string, say: (line: string) => void): Promise<void> {
  const index = new SqliteEventIndex({ path, rowsMax: ROWS })
  let seq = 0
  const batch = () => {
    const records = Array.from({ length: BATCH }, () => record(++seq))
    return { node: NODE, epoch: 'e', records }
  }
  const puts = async (count: number): Promise<number[]> => {
    const took: number[] = []
    for (let left = count; left > 0; left -= BATCH * BATCHES_PER_COMMIT) {
      const batches = Array.from({ length: BATCHES_PER_COMMIT }, batch)
      const began = performance.now()
      await index.put({ batches, nowMs: batches.at(-1)!.records.at(-1)!.atMs })
      took.push(performance.now() - began)
    }
    return took
  }
  const perCommit = BATCH * BATCHES_PER_COMMIT
  const rows = [['what', 'median ms', 'p99 ms', 'longest ms', 'events a second']]
  const note = (what: string, took: readonly number[], events = 0): void => {
    const seconds = took.reduce((sum, each) => sum + each, 0) / 1_000
    rows.push([
      what,
      median(took).toFixed(1),
      quantile(took, 0.99).toFixed(1),
      Math.max(...took).toFixed(1),
      events === 0 ? '' : Math.round((events * took.length) / seconds).toLocaleString('en'),
    ])
  }
  const all = await puts(ROWS)
  const tenth = Math.ceil(all.length / 10)
  note(`a commit of ${perCommit}, the first tenth`, all.slice(0, tenth), perCommit)
  note(`a commit of ${perCommit}, the last tenth`, all.slice(-tenth), perCommit)
  note(
    `a commit of ${perCommit} at the quota, as many trimmed`,
    await puts(100 * perCommit),
    perCommit,
  )
  await looks(index, seq, note)
  index.close()
  const began = performance.now()
  const again = new SqliteEventIndex({ path, rowsMax: ROWS })
  await again.latest({ limit: 1 })
  note('open, and the latest', [performance.now() - began])
  again.close()
  say(
    `${Math.round(statSync(path).size / 2 ** 20)} MiB on the disk, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB in memory`,
  )
  say(table(rows))
}

/** Each looks at another place each time: what was just read is no measure. */
async function looks(
  index: SqliteEventIndex,
  seq: number,
  note: (what: string, took: readonly number[]) => void,
): Promise<void> {
  const newest = Math.floor(seq / 3)
  const any = (i: number): number => newest - ((i * 104_729) % Math.floor(ROWS / 3 - 10)) - 1
  const office = 'office@campus.example'
  const trace = (by: Parameters<SqliteEventIndex['trace']>[0]['by']) =>
    index.trace({ by, limit: 20 })
  const asks: readonly (readonly [string, (i: number) => Promise<unknown>])[] = [
    [
      'trace by delivery id',
      (i) => trace({ kind: 'deliveryId', deliveryId: deliveryIdOf(any(i)) }),
    ],
    ['trace by Message-ID', (i) => trace({ kind: 'messageId', messageId: messageIdOf(any(i)) })],
    [
      'trace by an address',
      (i) => trace({ kind: 'address', address: `user${(i * 997) % 50_000}@campus.example` }),
    ],
    ['trace by an address in each event', () => trace({ kind: 'address', address: office })],
    ['the latest 100', () => index.latest({ limit: 100 })],
    ['100 before any time', (i) => index.latest({ limit: 100, beforeMs: any(i) * 100 })],
    ['counts of an hour', () => index.counts({ sinceMs: newest * 100 - HOUR_MS })],
    ['counts of a day', () => index.counts({ sinceMs: newest * 100 - DAY_MS })],
    ['gaps', () => index.gaps({ limit: 20 })],
  ]
  for (const [what, ask] of asks) {
    const took: number[] = []
    for (let i = 0; i < 200; i++) {
      const began = performance.now()
      await ask(i)
      took.push(performance.now() - began)
    }
    note(what, took)
  }
}

/** A log that fills while nobody takes, and what shipping it costs afterwards. */
async function away(dir: string, say: (line: string) => void): Promise<void> {
  for (const rowsMax of [500_000, 100_000]) {
    const log = new SqliteEventLog({ path: join(dir, `log-${rowsMax}.db`), node: NODE, rowsMax })
    const index = new SqliteEventIndex({ path: join(dir, `index-${rowsMax}.db`) })
    const heapMiB = (): number => process.memoryUsage().rss / 2 ** 20
    const [before, began] = [heapMiB(), performance.now()]
    for (let made = 0; made < AWAY; made += BATCH)
      await log.append({ events: Array.from({ length: BATCH }, (_, i) => record(made + i + 1)) })
    const appended = performance.now()
    const { lost, waiting } = await log.status()
    for (;;) {
      const { epoch, records } = await log.since({ after: 0, limit: BATCH })
      if (records.length === 0) break
      const { acked } = await index.put({ batches: [{ node: NODE, epoch, records }], nowMs: 0 })
      await log.ack({ epoch, seq: acked[0]! })
    }
    const shipped = performance.now()
    const { items: gaps } = await index.gaps({ limit: 9 })
    say(
      `quota ${rowsMax}: ${AWAY} events in ${Math.round(appended - began)} ms, ${waiting} kept, ${lost} pushed out;` +
        ` shipped in ${Math.round(shipped - appended)} ms; gaps ${gaps.map(({ from, to }) => `${from}–${to}`).join(', ') || 'none'};` +
        ` memory ${(heapMiB() - before).toFixed(0)} MiB more`,
    )
    log.close()
    index.close()
  }
}
