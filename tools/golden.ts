// node tools/golden.ts VERSION [KIND]...: makes old data folders for the tests, test/golden/KIND-VERSION,
// of what today's program writes. Made once for each form of the data and kept for ever: never made anew.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { DAY_MS, FakeClock, systemClock } from '#base/time.ts'
import type { ServicesOf } from '#app/storage/kinds.ts'
import { FILLS } from './golden/fill.ts'
import { openKind, READOUTS } from './golden/readout.ts'

const GOLDEN = join(dirname(dirname(fileURLToPath(import.meta.url))), 'test/golden')

/** Leaves out the pages that a database keeps for later: a golden file holds what is in use. */
function shrink(path: string): void {
  const db = new DatabaseSync(path)
  db.exec('VACUUM')
  db.close()
}

/** Two days later, as compaction would have it by then. */
async function compress(dir: string): Promise<void> {
  const clock = new FakeClock()
  // Segments are as old as their files say.
  clock.jump(systemClock.nowMs() - clock.nowMs() + 2 * DAY_MS)
  const opened = await openKind('mailbox', dir, clock)
  const { moved } = await (opened.services as ServicesOf<'mailbox'>).mailboxes.compact()
  await opened.close()
  if (moved === 0) throw new Error('nothing was compressed')
}

async function make(kind: keyof typeof FILLS, version: string): Promise<string> {
  const dir = join(GOLDEN, `${kind}-${version}`)
  if (existsSync(dir)) return `${dir} exists already: golden data is never made anew`
  mkdirSync(dir)
  const filled = await openKind(kind, dir)
  await FILLS[kind](filled.services as never)
  await filled.close()
  if (kind === 'mailbox') await compress(dir)
  const opened = await openKind(kind, dir)
  const readout = await READOUTS[kind](opened.services as never)
  await opened.close()
  for (const name of readdirSync(dir)) if (name.endsWith('.db')) shrink(join(dir, name))
  writeFileSync(join(dir, 'readout.json'), `${JSON.stringify(readout, null, 1)}\n`)
  return `${dir} made`
}

const ALL = ['spool', 'mailbox', 'control'] as const
const [version = '', ...named] = process.argv.slice(2)
const kinds = named.length === 0 ? ALL : ALL.filter((kind) => named.includes(kind))
if (!/^v\d+$/.test(version) || named.length > kinds.length) {
  process.stderr.write('usage: node tools/golden.ts vN [KIND]...\n')
  process.exitCode = 2
} else for (const kind of kinds) process.stdout.write(`${await make(kind, version)}\n`)
