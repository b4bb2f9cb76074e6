import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromUtf8 } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import { diskMiB, median, table, type Part } from './setup.ts'

const ROWS = Number(process.env['WATARI_BENCH_ROWS'] ?? 1_000_000)
const ACCOUNTS = 100
const ROWS_AT_ONCE = 1_000
const RUNS = 3
const LOOK_MS = 50

/** A lost mailbox.db, made anew by the command: how long, how much memory, and whether it says how far it is. */
export const rebuild: Part = {
  name: 'rebuild',
  what: `watari store rebuild of ${ROWS.toLocaleString('en')} messages in ${ACCOUNTS} accounts: time, memory, lines of progress`,
  needsPeers: false,
  async run(say) {
    // A folder that is named is kept, and filled only once.
    const kept = process.env['WATARI_BENCH_STORE']
    const data = kept ?? mkdtempSync(join(tmpdir(), 'watari-bench-rebuild-'))
    const dir = join(data, 'store')
    try {
      if (!existsSync(join(dir, 'mailbox.db'))) await fill(dir, say)
      const size = (name: string): string => diskMiB(join(dir, name)).toFixed(0)
      say(`journal ${size('journal')} MiB, segments ${size('seg')} MiB`)
      const runs: Rebuilt[] = []
      for (let run = 0; run < RUNS; run++) runs.push(await rebuilt(data))
      say(`every run ends with: ${runs[0]!.told}`)
      say(
        table([
          ['what', 'median', 'least', 'most'],
          row(
            'seconds',
            runs.map(({ seconds }) => seconds),
          ),
          row(
            'memory at its most (RSS), MiB',
            runs.map(({ rssMiB }) => rssMiB),
          ),
          row(
            'lines of progress',
            runs.map(({ lines }) => lines),
          ),
          row(
            'longest silence, s',
            runs.map(({ silenceSeconds }) => silenceSeconds),
          ),
        ]),
      )
    } finally {
      if (kept === undefined) rmSync(data, { recursive: true, force: true })
    }
  },
}

const row = (what: string, values: readonly number[]): string[] => [
  what,
  ...[median(values), Math.min(...values), Math.max(...values)].map((value) => value.toFixed(1)),
]

interface Rebuilt {
  readonly seconds: number
  readonly rssMiB: number
  readonly lines: number
  readonly silenceSeconds: number
  readonly told: string
}

/** The verb as somebody would run it, on a folder whose database is thought lost. */
async function rebuilt(data: string): Promise<Rebuilt> {
  const began = performance.now()
  const args = ['src/app/cli.ts', '--data', data, 'store', 'rebuild', '--force']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let rssKiB = 0
  const look = setInterval(() => {
    rssKiB = Math.max(rssKiB, peakOf(child.pid))
  }, LOOK_MS)
  let lines = 0
  let heardAt = began
  let silenceMs = 0
  const heard = (): void => {
    silenceMs = Math.max(silenceMs, performance.now() - heardAt)
    heardAt = performance.now()
  }
  let told = ''
  child.stdout.on('data', (octets: Buffer) => (told += octets.toString()))
  child.stderr.on('data', (octets: Buffer) => {
    lines += octets.toString().split('\n').length - 1
    heard()
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  heard()
  clearInterval(look)
  if (code !== 0) throw new Error(`the rebuild ended with ${String(code)}`)
  for (const aside of told.matchAll(/^kept aside: (.+)$/gm))
    rmSync(aside[1]!, { recursive: true, force: true })
  return {
    seconds: (performance.now() - began) / 1_000,
    rssMiB: rssKiB / 1_024,
    lines,
    silenceSeconds: silenceMs / 1_000,
    told: told.split('\n')[0]!,
  }
}

/** What the process took at its most. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

async function fill(dir: string, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  const store = await openMailboxes({
    dir,
    clock: systemClock,
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
  })
  for (let n = 0; n < ROWS; n += ROWS_AT_ONCE) {
    const accountId = `bench-${(n / ROWS_AT_ONCE) % ACCOUNTS}` as AccountId
    const count = Math.min(ROWS_AT_ONCE, ROWS - n)
    const { results } = await store.commit({
      contents: Array.from({ length: count }, (_, i) => ({ octets: [mail(n + i)] })),
      commits: [
        {
          accountId,
          changes: Array.from({ length: count }, (_, content) => ({
            kind: 'append' as const,
            mailbox: { path: ['INBOX'], create: false },
            content,
            flags: content % 2,
            keywords: content % 10 === 0 ? ['$important'] : [],
            internalDateMs: n,
          })),
        },
      ],
    })
    if (results[0]?.kind !== 'committed') throw new Error('the store took no mail')
  }
  await store.idle()
  await store.close()
  say(`filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
}

const mail = (n: number) =>
  fromUtf8(
    `From: 渡辺 花子 <user${n % 1_000}@campus.example>\r\nTo: hanako@campus.example\r\n` +
      `Subject: 会議 ${n}\r\nMessage-ID: <rebuild-${n}@campus.example>\r\n` +
      `Date: Tue, 15 Sep 2026 10:00:00 +0900\r\n\r\n${`資料 ${n} をお送りします。\r\n`.repeat(10)}`,
  )
