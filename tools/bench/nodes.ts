import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JoinedNode } from '#app/nodes/joined-node.ts'
import type { Dial } from '#client/node/request.ts'
import type { AccountId } from '#model/account.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { median, memoryOf, quantile, table, totalMiB, type Part } from './setup.ts'
import { apiOf, joinAs, simulatedNode } from './simulated-node.ts'

const NODES = Number(process.env['WATARI_BENCH_NODES'] ?? 50)
const ACCOUNTS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 10_000)
const WRITES = 20

/** Control with 50 nodes, whose clients run in this process. */
export const nodes: Part = {
  name: 'nodes',
  what: `${NODES} nodes over mutual TLS, ${ACCOUNTS.toLocaleString('en')} accounts: a write to all, all coming back after a restart`,
  needsPeers: false,
  async run(say) {
    const ours = await install({ role: 'control', bind: ['127.0.0.1'] })
    try {
      await ours.stop()
      await addAccounts(join(ours.dir, 'control', 'directory.db'))
      await ours.start()
      await measure(ours, say)
    } finally {
      await ours.remove()
    }
  },
}

async function addAccounts(path: string): Promise<void> {
  const log = new SqliteDirectoryLog(path)
  const { seq: baseSeq } = await log.changes({ since: 0, limit: 1 })
  const edits = Array.from({ length: ACCOUNTS }, (_, i) => {
    const id = `bench-${i}` as AccountId
    const account = {
      id,
      username: `user${i}`,
      domain: 'campus.example',
      name: `利用者 ${i}`,
      admin: false,
      disabled: false,
      credential: `$argon2id$v=19$m=19456,t=2,p=1$${'s'.repeat(22)}$${'h'.repeat(43)}`,
      credentialVersion: 1,
      addresses: [{ localpart: `user.${i}`, domain: 'campus.example' }],
      delegated: [],
    }
    return { key: `account:${id}`, row: { kind: 'account' as const, account } }
  })
  await log.write({ baseSeq, edits, by: { who: 'bench', from: 'bench' }, atMs: 0 })
  log.close()
}

async function measure(ours: Installation, say: (line: string) => void): Promise<void> {
  const api = apiOf(ours)
  const at = { port: ours.port(6443), api }
  const dials: Dial[] = []
  for (let i = 0; i < NODES; i++)
    dials.push(await joinAs(`gw-${i}`, await fakeCertificate(`gw-${i}`), at))
  const rows = [['what', 'median ms', 'p99 ms', 'longest ms', 'CPU of control s', 'MiB']]
  let cpu = 0
  const note = (what: string, took: readonly number[]): void => {
    const spent = (cpuSeconds(ours.pid()) - cpu).toFixed(1)
    const mib = totalMiB(memoryOf(ours.pid())).toFixed(0)
    rows.push([what, ms(median(took)), ms(p99(took)), ms(Math.max(...took)), spent, mib])
  }
  const begin = async (some: readonly JoinedNode[]): Promise<void> => {
    for (const node of some) {
      await node.load()
      void node.link.run()
    }
  }
  const hasAll = ({ directory }: JoinedNode): boolean => directory.seq >= ACCOUNTS
  let all = dials.map((dial, i) => simulatedNode(`gw-${i}`, dial))
  cpu = cpuSeconds(ours.pid())
  let reached = times(all, hasAll)
  await begin(all)
  note('all fetch the directory', await reached)

  const write = async (
    what: string,
    put: (i: number) => Promise<unknown>,
    has: (node: JoinedNode, i: number) => boolean,
  ): Promise<void> => {
    const [answers, arrivals]: [number[], number[]] = [[], []]
    cpu = cpuSeconds(ours.pid())
    for (let i = 1; i <= WRITES; i++) {
      const arrived = times(all, (node) => has(node, i))
      const began = performance.now()
      await put(i)
      answers.push(performance.now() - began)
      arrivals.push(...(await arrived))
    }
    note(`${what} in force, from the request on`, arrivals)
    note('  until the answer, which waits for all', answers)
  }
  const sizeBytes = (i: number): number => 50_000_000 + i
  await write(
    'a generation',
    (i) => api('PUT', '/settings/mail.sizeBytesMax', { value: sizeBytes(i) }),
    (node, i) => node.settings['mail.sizeBytesMax'] === sizeBytes(i),
  )
  const alias = (i: number) => ({ localpart: `係${i}`, domain: 'campus.example' })
  await write(
    'a row',
    (i) => api('PUT', `/aliases/${encodeURIComponent(`係${i}@campus.example`)}`, { to: ['user1'] }),
    (node, i) => node.directory.alias(alias(i)) !== undefined,
  )

  await ours.stop()
  await ours.start()
  cpu = 0
  note('back after a restart, nothing to fetch', await times(all, (node) => node.link.isUp))

  await ours.stop()
  for (const node of all) node.link.stop()
  all = dials.map((dial, i) => simulatedNode(`gw-${i}`, dial))
  await ours.start()
  cpu = cpuSeconds(ours.pid())
  reached = times(all, hasAll)
  await begin(all)
  note('back after a restart, all to fetch', await reached)
  for (const node of all) node.link.stop()
  say(table(rows))
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
