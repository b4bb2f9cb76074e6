import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventRecord, NodeId } from '#model/event.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import { median, table, type Part } from './setup.ts'

const ROWS = Number(process.env['WATARI_BENCH_ROWS'] ?? 1_000_000)
const AWAY = 200_000
const BATCH = 500
const NODE = 'gateway' as NodeId

/** Control's index, and a node's log while control is away. */
export const events: Part = {
  name: 'events',
  what: `control's index at its quota of ${ROWS.toLocaleString('en')} events: put, trace, gaps; ${AWAY.toLocaleString('en')} events while control is away`,
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

/** Three events a message; every message names one address that stands everywhere. */
function record(seq: number): EventRecord {
  const message = Math.floor(seq / 3)
  const names = ['receive.accepted', 'store.filed', 'queue.delivered']
  return {
    node: NODE,
    seq,
    atMs: seq,
    name: seq % 100_000 === 0 ? 'node.rare' : names[seq % 3]!,
    deliveryId: `D${message}`,
    fields: {
      messageId: `<${message}@example.org>`,
      from: 'office@campus.example',
      to: `user${message % 50_000}@campus.example`,
      class: 'clean',
    },
  }
}

async function atQuota(path: string, say: (line: string) => void): Promise<void> {
  const index = new SqliteEventIndex({ path, rowsMax: ROWS })
  let seq = 0
  const puts = async (count: number): Promise<number[]> => {
    const took: number[] = []
    for (let left = count; left > 0; left -= BATCH) {
      const records = Array.from({ length: BATCH }, () => record(++seq))
      const began = performance.now()
      await index.put({ node: NODE, epoch: 'e', nowMs: seq, records })
      took.push(performance.now() - began)
    }
    return took
  }
  const rows = [['what', 'median ms', 'longest ms']]
  const note = (what: string, took: readonly number[]): void =>
    void rows.push([what, median(took).toFixed(1), Math.max(...took).toFixed(1)])
  const all = await puts(ROWS)
  const tenth = Math.ceil(all.length / 10)
  note(`put of ${BATCH}, the first tenth`, all.slice(0, tenth))
  note(`put of ${BATCH}, the last tenth`, all.slice(-tenth))
  note(`put of ${BATCH} at the quota, as many trimmed`, await puts(20_000))
  const message = Math.floor((seq - 1_000) / 3)
  for (const [what, ask] of [
    [
      'trace by delivery id',
      () => index.trace({ by: { kind: 'deliveryId', deliveryId: `D${message}` }, limit: 20 }),
    ],
    [
      'trace by Message-ID',
      () =>
        index.trace({
          by: { kind: 'messageId', messageId: `<${message}@example.org>` },
          limit: 20,
        }),
    ],
    [
      'trace by an address',
      () => index.trace({ by: { kind: 'address', address: 'user77@campus.example' }, limit: 20 }),
    ],
    [
      'trace by an address in each event',
      () => index.trace({ by: { kind: 'address', address: 'office@campus.example' }, limit: 20 }),
    ],
    ['the latest 100', () => index.latest({ limit: 100 })],
    ['the latest 100 of a rare name', () => index.latest({ limit: 100, name: 'node.rare' })],
    ['counts of an hour', () => index.counts({ sinceMs: seq - 3_600_000 })],
    ['gaps', () => index.gaps({ limit: 20 })],
  ] as const) {
    const took: number[] = []
    for (let i = 0; i < 5; i++) {
      const began = performance.now()
      await ask()
      took.push(performance.now() - began)
    }
    note(what, took)
  }
  index.close()
  say(`${Math.round(statSync(path).size / 2 ** 20)} MiB on the disk`)
  say(table(rows))
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
      const { acked } = await index.put({ node: NODE, epoch, records, nowMs: 0 })
      await log.ack({ epoch, seq: acked })
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
