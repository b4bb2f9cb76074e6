import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JoinedNode } from '#app/nodes/joined-node.ts'
import { StorageChild } from '#app/storage/child-process.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import type { Dial } from '#client/node/request.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { median, memoryOf, quantile, table, totalMiB, type Part } from './setup.ts'
import { addAccounts, addAliases, fillGenerations } from './fill.ts'
import { apiOf, EventSource, joinAs, simulatedNode } from './simulated-node.ts'
import { longestOf, loopDelays } from './standstill.ts'

const NODES = Number(process.env['WATARI_BENCH_NODES'] ?? 50)
const ACCOUNTS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 10_000)
const WRITES = Number(process.env['WATARI_BENCH_WRITES'] ?? 200)
const EVENTS_PER_SECOND = 20
const GENERATIONS = 10_000
const CHANGES = 120_000

/** Control with 50 nodes, whose clients run in this process. */
export const nodes: Part = {
  name: 'nodes',
  what: `${NODES} nodes over mutual TLS, ${ACCOUNTS.toLocaleString('en')} accounts: a write to all, also beside events; all coming back after a restart; one that is far behind`,
  needsPeers: false,
  async run(say) {
    const ours = await install({ role: 'control', bind: ['127.0.0.1'] })
    try {
      await ours.stop()
      await addAccounts(join(ours.dir, 'control', 'directory.db'), ACCOUNTS)
      await ours.start()
      await measure(ours, say)
    } finally {
      await ours.remove()
    }
  },
}

async function measure(ours: Installation, say: (line: string) => void): Promise<void> {
  const api = apiOf(ours)
  const at = { port: ours.port(6443), api }
  const dials: Dial[] = []
  for (let i = 0; i < NODES; i++)
    dials.push(await joinAs(`gw-${i}`, await fakeCertificate(`gw-${i}`), at))
  const sheet = await sheetOf(ours)
  const begin = async (some: readonly JoinedNode[]): Promise<void> => {
    for (const node of some) {
      await node.load()
      void node.link.run()
    }
  }
  const hasAll = ({ directory }: JoinedNode): boolean => directory.seq >= ACCOUNTS
  const streams = dials.map(() => new EventSource())
  const all = dials.map((dial, i) => simulatedNode(`gw-${i}`, dial, streams[i]))
  let reached = times(all, hasAll)
  await begin(all)
  await sheet.note('all fetch the directory', await reached)

  const write = async (
    what: string,
    put: (i: number) => Promise<unknown>,
    has: (node: JoinedNode, i: number) => boolean,
  ): Promise<void> => {
    const [answers, arrivals]: [number[], number[]] = [[], []]
    await sheet.begin()
    for (let i = 1; i <= WRITES; i++) {
      const arrived = times(all, (node) => has(node, i))
      const began = performance.now()
      await put(i)
      answers.push(performance.now() - began)
      arrivals.push(...(await arrived))
    }
    await sheet.note(`${what} in force, from the request on`, arrivals)
    await sheet.note('  until the answer, which waits for all', answers)
  }
  let base = 50_000_000
  const generations = (what: string): Promise<void> => {
    base += 1_000
    return write(
      what,
      (i) => api('PUT', '/settings/mail.sizeBytesMax', { value: base + i }),
      (node, i) => node.settings['mail.sizeBytesMax'] === base + i,
    )
  }
  await generations('a generation')
  const alias = (i: number) => ({ localpart: `係${i}`, domain: 'campus.example' })
  await write(
    'a row',
    (i) => api('PUT', `/aliases/${encodeURIComponent(`係${i}@campus.example`)}`, { to: ['user1'] }),
    (node, i) => node.directory.alias(alias(i)) !== undefined,
  )
  const before = acked(streams)
  const began = performance.now()
  for (const stream of streams) stream.flow(EVENTS_PER_SECOND, all[streams.indexOf(stream)]!)
  await generations(`a generation, beside ${EVENTS_PER_SECOND} events a second of each node`)
  for (const stream of streams) stream.stop()
  const seconds = (performance.now() - began) / 1_000
  say(
    `events meanwhile: ${Math.round((acked(streams) - before) / seconds)} a second taken by control, of ${NODES * EVENTS_PER_SECOND} offered`,
  )

  await ours.stop()
  await ours.start()
  await sheet.note(
    'back after a restart, nothing to fetch',
    await times(all, (node) => node.link.isUp),
  )

  await ours.stop()
  for (const node of all) node.link.stop()
  fillGenerations(join(ours.dir, 'control', 'settings.db'), GENERATIONS)
  await ours.start()
  const fresh = dials.map((dial, i) => simulatedNode(`gw-${i}`, dial))
  let taken = 0
  for (const node of fresh) node.onSettings(() => taken++)
  const latest = 10_000_000 + (await latestGeneration(api))
  reached = times(fresh, (node) => hasAll(node) && node.settings['mail.sizeBytesMax'] === latest)
  await sheet.begin()
  await begin(fresh)
  await sheet.note('back after a restart, all to fetch', await reached)
  say(`${GENERATIONS} generations were missed: ${taken} taken by ${NODES} nodes`)
  for (const node of fresh) node.link.stop()
  await farBehind(ours, dials[0]!, sheet)
  say(table(sheet.rows))
}

/** A node with copies on the disk comes back after 120,000 changes; control and its own look-ups go on. */
async function farBehind(ours: Installation, dial: Dial, sheet: Sheet): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'watari-bench-far-'))
  const storage = new StorageChild({ kind: 'spool', dir, clock: systemClock, log: silentLog })
  const api = apiOf(ours)
  try {
    await storage.start()
    const start = async (): Promise<JoinedNode> => {
      const node = simulatedNode('gw-0', dial, undefined, storage)
      await node.load()
      void node.link.run()
      return node
    }
    const whole = await start()
    await times([whole], ({ directory }) => directory.seq >= ACCOUNTS)
    whole.link.stop()
    for (const kind of ['changes', 'log cut'] as const) {
      await ours.stop()
      const last = await addAliases(join(ours.dir, 'control', 'directory.db'), CHANGES, kind)
      await ours.start()
      await api('GET', '/status')
      const answers: number[] = []
      const lookUps: number[] = []
      const arrived = new AbortController()
      const node = await start()
      const asks = (async () => {
        while (!arrived.signal.aborted) {
          const began = performance.now()
          await api('GET', '/settings/mail.sizeBytesMax')
          answers.push(performance.now() - began)
          await sleep(20)
        }
      })()
      const looks = (async () => {
        while (!arrived.signal.aborted) {
          const began = performance.now()
          await sleep(1)
          node.directory.byAddress({ localpart: 'user1', domain: 'campus.example' })
          lookUps.push(performance.now() - began - 1)
        }
      })()
      await sheet.begin()
      const took = await times([node], ({ directory }) => directory.seq >= last)
      arrived.abort()
      await Promise.all([asks, looks])
      await sheet.note(`a node ${CHANGES.toLocaleString('en')} changes behind (${kind})`, took)
      await sheet.note('  meanwhile: the API of control', answers)
      await sheet.note('  meanwhile: a look-up in the node', lookUps)
      node.link.stop()
    }
  } finally {
    await storage.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function latestGeneration(api: ReturnType<typeof apiOf>): Promise<number> {
  const { generation } = (await api('GET', '/settings')) as { readonly generation: number }
  return generation
}

const acked = (streams: readonly EventSource[]): number =>
  streams.reduce((sum, stream) => sum + stream.acked, 0)

/** Rows of the table, each with what control used and how long it stood still since the last. */
interface Sheet {
  readonly rows: readonly (readonly string[])[]
  begin(): Promise<void>
  note(what: string, took: readonly number[]): Promise<void>
}

async function sheetOf(ours: Installation): Promise<Sheet> {
  const rows = [
    ['what', 'median ms', 'p99 ms', 'longest ms', 'control: CPU s', 'stood still', 'MiB'],
  ]
  let cpu = cpuSeconds(ours.pid())
  let pid = ours.pid()
  let delays = await loopDelays(ours)
  const begin = async (): Promise<void> => {
    pid = ours.pid()
    cpu = cpuSeconds(pid)
    delays = await loopDelays(ours)
  }
  return {
    rows,
    begin,
    note: async (what, took) => {
      if (ours.pid() !== pid) [pid, cpu, delays] = [ours.pid(), 0, new Map<string, number>()]
      const spent = (cpuSeconds(ours.pid()) - cpu).toFixed(1)
      const mib = totalMiB(memoryOf(ours.pid())).toFixed(0)
      const still = longestOf(delays, await loopDelays(ours))
      rows.push([what, ms(median(took)), ms(p99(took)), ms(Math.max(...took)), spent, still, mib])
    },
  }
}

/** When each node was seen to hold it, in milliseconds from now on. */
async function times(
  all: readonly JoinedNode[],
  holds: (node: JoinedNode) => boolean,
): Promise<number[]> {
  const began = performance.now()
  const took: number[] = []
  let missing = all
  while (missing.length > 0) {
    await sleep(1)
    const now = performance.now() - began
    const left = missing.filter((node) => !holds(node))
    for (let i = left.length; i < missing.length; i++) took.push(now)
    missing = left
  }
  return took
}

/** What the installation's processes have used since they began. */
function cpuSeconds(root: number): number {
  const ticks = memoryOf(root).map(({ pid }) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return Number(fields[11]) + Number(fields[12])
    } catch {
      return 0 // it has just ended
    }
  })
  return ticks.reduce((sum, each) => sum + each, 0) / 100
}

const p99 = (values: readonly number[]): number => quantile(values, 0.99)

const ms = (value: number): string => value.toFixed(0)
