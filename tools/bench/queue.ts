import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, HOUR_MS, systemClock } from '#base/time.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { openDatabase } from '#store/db/database.ts'
import { QueueNumbers, timeId } from '#store/spool/queue-id.ts'
import { insertMessage, SPOOL_MIGRATIONS } from '#store/spool/rows.ts'
import type { Accept, QueueFilter, QueueId, SpoolStore } from '#store/spool/spool-store.ts'
import { median, table, type Part } from './setup.ts'

export const ROWS = Number(process.env['WATARI_BENCH_ROWS'] ?? 1_000_000)
const ROWS_AT_ONCE = 10_000
const MESSAGE_BYTES = 4_096
/** The first segments stand nearly empty, as mail that went leaves them. */
const MESSAGES_PER_SEGMENT = 2_000
const DEADLINE_MS = 600_000

/** A queue of a million messages: what an administrator asks of it, and what that costs accepts. */
export const queue: Part = {
  name: 'queue',
  what: `a queue of ${ROWS.toLocaleString('en')} messages: pages, filters, counts, acts, start; an accept beside each`,
  needsPeers: false,
  async run(say) {
    // A folder that is named is kept, and filled only once.
    const kept = process.env['WATARI_BENCH_SPOOL']
    const dir = kept ?? mkdtempSync(join(tmpdir(), 'watari-bench-queue-'))
    try {
      if (kept === undefined || !existsSync(join(dir, 'spool.db'))) fill(dir, say)
      await measure(dir, say)
    } finally {
      if (kept === undefined) rmSync(dir, { recursive: true, force: true })
    }
  },
}

async function open(dir: string) {
  const began = performance.now()
  const child = new StorageChild({
    kind: 'spool',
    dir,
    clock: systemClock,
    log: silentLog,
    deadlineMs: DEADLINE_MS,
  })
  await child.start()
  const spool = child.service('spool')
  await spool.status()
  return { child, spool, ms: performance.now() - began }
}

/** Rows alone, as the spool writes them, without a sync: the octets are asked for by nobody here. */
export function fill(dir: string, say: (line: string) => void): void {
  const began = performance.now()
  mkdirSync(dir, { recursive: true })
  const path = join(dir, 'spool.db')
  const db = openDatabase({ path, kind: 'spool', migrations: SPOOL_MIGRATIONS })
  db.exec('PRAGMA synchronous = OFF')
  const numbers = new QueueNumbers(0)
  const fromMs = systemClock.nowMs() - DAY_MS
  const apartMs = DAY_MS / ROWS
  for (let made = 0; made < ROWS; made += ROWS_AT_ONCE)
    db.transaction(() => {
      for (let i = made; i < made + ROWS_AT_ONCE; i++)
        insertMessage(db, numbers.next(fromMs + i * apartMs), letter(i), {
          kind: 'segment',
          file: 1 + Math.floor(i / MESSAGES_PER_SEGMENT),
          offset: (i % MESSAGES_PER_SEGMENT) * MESSAGE_BYTES,
          length: MESSAGE_BYTES,
        })
    })
  db.close()
  const seconds = (performance.now() - began) / 1_000
  const mib = Math.round(statSync(path).size / 2 ** 20)
  say(`filled in ${seconds.toFixed(0)} s, ${mib} MiB of rows`)
}

/** Half is held, half is due tomorrow; one in a thousand mentions a rare address, another one a rare domain. */
function letter(number: number): Accept {
  const nowMs = systemClock.nowMs()
  const localpart = number % 1_000 === 0 ? `rare${number}` : `user${number % 50_000}`
  return {
    deliveryId: `D${number}` as DeliveryId,
    door: 'mx',
    reversePath: { localpart: `sender${number % 1_000}`, domain: 'example.org' },
    recipients: [
      {
        address: { localpart, domain: number % 1_000 === 1 ? '大学.example' : 'campus.example' },
        ...(number % 2 === 0 && { hold: number % 1_000 === 2 ? '添付が暗号化' : 'ウイルスの疑い' }),
      },
    ],
    body: '8bitmime',
    smtpUtf8: false,
    receivedAtMs: nowMs + DAY_MS,
    expiresAtMs: nowMs + 6 * DAY_MS,
    content: { octets: [fromUtf8(`Subject: 会議 ${number}\r\n\r\n本文です。\r\n`)] },
  }
}

async function measure(dir: string, say: (line: string) => void): Promise<void> {
  const { child, spool, ms } = await open(dir)
  say(`start until the first status: ${ms.toFixed(0)} ms`)
  const bench = beside(spool)
  const rows = [['what', 'median ms', 'longest ms', 'longest accept beside it, ms']]
  const time = async (
    what: string,
    times: number,
    work: () => Promise<string | undefined>,
  ): Promise<void> => {
    bench.forget()
    const took: number[] = []
    let note: string | undefined
    for (let i = 0; i < times; i++) {
      const began = performance.now()
      note = await work()
      took.push(performance.now() - began)
    }
    rows.push([
      note === undefined ? what : `${what} (${note})`,
      median(took).toFixed(1),
      Math.max(...took).toFixed(1),
      bench.longest().toFixed(1),
    ])
  }
  await time('nothing', 20, () => sleep(50, undefined))
  await time('status', 20, async () => void (await spool.status()))
  const middle = (await spool.list({ limit: 1 })).messages[0]!.queueId
  for (const [what, filter] of filters())
    await time(`a page: ${what}`, 3, async () => {
      const page = await spool.list({ limit: 100, ...filter })
      return `${page.messages.length} found${page.next === undefined ? '' : ', more'}`
    })
  await time('all pages of a rare address', 1, () => walk(spool, { limit: 100, address: 'RARE7' }))
  await time('all pages of a rare domain', 1, () =>
    walk(spool, { limit: 100, domain: '大学.example' }),
  )
  await time('show', 20, async () => void (await spool.show({ queueId: middle })))
  await time('hold and release', 5, async () => {
    const changed: number[] = []
    for (const act of ['hold', 'release', 'hold'] as const) {
      const nowMs = systemClock.nowMs() + DAY_MS
      changed.push((await spool.act({ queueId: middle, act, nowMs })).changed)
    }
    return `${changed.join(', ')} changed`
  })
  await time('claim of 100, and settled', 10, async () => {
    const nowMs = systemClock.nowMs() + 2 * DAY_MS
    const { messages } = await spool.claim({ nowMs, limit: 100 })
    await spool.settle({ settlements: messages.map(delivered), dsns: [] })
    return `${messages.length}`
  })
  // Where something ended, a segment that is nearly empty is looked for every ten seconds.
  await time('12 s with one settled every 0.1 s', 120, async () => {
    const { messages } = await spool.claim({ nowMs: systemClock.nowMs() + 2 * DAY_MS, limit: 1 })
    await spool.settle({ settlements: messages.map(delivered), dsns: [] })
    await sleep(100)
    return undefined
  })
  await bench.stop()
  await child.stop()
  say(table(rows))
}

/** Half a day is half of the rows. */
const ago = (ms: number): QueueId => timeId(systemClock.nowMs() - ms)

const NOWHERE = 'nowhere.example'

/** Each filter of the console; a time is asked for when the rows are there. */
const filters = (): readonly (readonly [string, Partial<QueueFilter>])[] => [
  ['the first', {}],
  ['the newest', { order: 'newest' }],
  ['held', { state: 'held' }],
  ['held, the newest', { state: 'held', order: 'newest' }],
  ['ready', { state: 'ready' }],
  ['claimed', { state: 'claimed' }],
  ['failed: none', { state: 'failed' }],
  ['older than half a day', { before: ago(DAY_MS / 2) }],
  ['older than half a day, the newest', { before: ago(DAY_MS / 2), order: 'newest' }],
  ['the last hour, ready', { from: ago(HOUR_MS), state: 'ready' }],
  ['a common address', { address: 'user77@' }],
  ['a rare address', { address: 'rare7000@campus.example' }],
  ['an address that is nowhere', { address: `誰か@${NOWHERE}` }],
  ['held, an address that is nowhere', { state: 'held', address: NOWHERE }],
  ['a common domain', { domain: 'campus.example' }],
  ['a rare domain', { domain: '大学.example' }],
  ['a domain that is nowhere', { domain: NOWHERE }],
  ['held, a domain that is nowhere', { state: 'held', domain: NOWHERE }],
  ['a common text', { text: 'ウイルス' }],
  ['a rare text', { text: '暗号化' }],
  ['a text that is nowhere', { text: 'どこにもない' }],
  ['all at once, nowhere', { ...EVERYTHING, before: ago(HOUR_MS), order: 'newest' }],
]

const EVERYTHING: Partial<QueueFilter> = {
  state: 'ready',
  address: NOWHERE,
  domain: NOWHERE,
  text: 'どこにもない',
}

/** Follows the cursor to the end, as the command line does. */
async function walk(spool: Pick<SpoolStore, 'list'>, filter: QueueFilter): Promise<string> {
  let found = 0
  let pages = 0
  for (let after: QueueId | undefined, more = true; more; pages++) {
    const page = await spool.list({ ...filter, ...(after !== undefined && { after }) })
    found += page.messages.length
    after = page.next
    more = after !== undefined
  }
  return `${found} found, ${pages} pages`
}

const delivered = (message: { readonly queueId: QueueId }) =>
  ({ queueId: message.queueId, index: 0, kind: 'delivered', status: '250 ok' }) as const

/** One accept after the other for as long as it runs; how long the longest took. */
function beside(spool: Pick<SpoolStore, 'accept'>) {
  const ending = new AbortController()
  let longest = 0
  let number = 0
  const running = (async () => {
    while (!ending.signal.aborted) {
      const began = performance.now()
      await spool.accept(letter(2 * number++ + 1))
      longest = Math.max(longest, performance.now() - began)
      await sleep(5)
    }
  })()
  return {
    forget: () => (longest = 0),
    longest: () => longest,
    stop: () => {
      ending.abort()
      return running
    },
  }
}
