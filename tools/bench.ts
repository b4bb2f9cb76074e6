// npm run bench [-- PART...]: figures beside real peers, in one run, on the same disk.
import { peersMissing, preparePeers } from '#test/peers/root.ts'
import { accepts } from './bench/accepts.ts'
import { consoles } from './bench/console.ts'
import { deliveries } from './bench/deliveries.ts'
import { fanOut } from './bench/fan-out.ts'
import { growth } from './bench/growth.ts'
import { latency } from './bench/latency.ts'
import { directory } from './bench/directory.ts'
import { events } from './bench/events.ts'
import { idle, imap } from './bench/memory.ts'
import { lists } from './bench/lists.ts'
import { nodes } from './bench/nodes.ts'
import { machine, type Part } from './bench/setup.ts'
import { pages } from './bench/pages.ts'
import { posts } from './bench/posts.ts'
import { queue } from './bench/queue.ts'
import { reading } from './bench/reading.ts'
import { rebuild } from './bench/rebuild.ts'
import { search } from './bench/search.ts'
import { sieve } from './bench/sieve.ts'
import { sieveAnswers } from './bench/sieve-answers.ts'
import { sources } from './bench/sources.ts'
import { syncs } from './bench/syncs.ts'

const PARTS: readonly Part[] = [
  accepts,
  deliveries,
  fanOut,
  posts,
  growth,
  latency,
  idle,
  imap,
  reading,
  rebuild,
  lists,
  search,
  sieve,
  sieveAnswers,
  syncs,
  queue,
  nodes,
  events,
  directory,
  sources,
  pages,
  consoles,
]

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name))
  if (unknown.length > 0) {
    say(`no part ${unknown.join(', ')}; parts:`)
    for (const { name, what } of PARTS) say(`  ${name.padEnd(12)} ${what}`)
    return 2
  }
  const parts = PARTS.filter(({ name }) => names.length === 0 || names.includes(name))
  if (parts.some(({ needsPeers }) => needsPeers !== false)) {
    await preparePeers(say)
    const missing = peersMissing()
    if (missing !== undefined) {
      say(`cannot compare: ${missing}`)
      return 1
    }
  }
  say(machine())
  for (const { name, what, run } of parts) {
    say(`\n== ${name}: ${what}`)
    await run(say)
  }
  return 0
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

process.exitCode = await main(process.argv.slice(2))
