import { existsSync, mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '#base/time.ts'
import { PeopleIndex } from '#engine/people/people-index.ts'
import { convert } from '#engine/route/convert.ts'
import type { Address } from '#model/address.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { loadDirectory } from '#store/directory/load-directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { smtpSend } from '#test/e2e/mail.ts'
import { median, memoryOf, table, totalMiB, type Part } from './setup.ts'
import { aliasOf, countsOf, department, directoryRows, DOMAIN, further } from './directory-rows.ts'
import { fillGenerations } from './fill.ts'
import { apiOf } from './simulated-node.ts'
import { longestOf, loopDelays } from './standstill.ts'

const COUNTS = countsOf(Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 200_000))
const ADDRESSES = 2 * COUNTS.accounts + COUNTS.aliases
const GENERATIONS = 10_000
const LOOK_UPS = 200_000
const STARTS = 3
/** The change of so many rows, by so many who ask at once. */
const CHANGES = 2_000
const AT_ONCE = 20
const IMAGE_MS_MAX = 120_000

/** A large directory and many generations of settings, on an installation of all roles. */
export const directory: Part = {
  name: 'directory',
  what: `${COUNTS.accounts.toLocaleString('en')} accounts with ${ADDRESSES.toLocaleString('en')} addresses, ${GENERATIONS.toLocaleString('en')} generations: look-ups, start, memory, changes, pages`,
  needsPeers: false,
  async run(say) {
    const ours = await install({
      dir: mkdtempSync(join(tmpdir(), 'watari-bench-dir-')),
      bind: ['127.0.0.1'],
    })
    try {
      const empty = await starts(ours)
      say(`as installed: ${mib(ours)} MiB, starts in ${shown(empty)}`)
      await ours.stop()
      await fillDirectory(join(ours.dir, 'control', 'directory.db'))
      fillGenerations(join(ours.dir, 'control', 'settings.db'), GENERATIONS)
      await firstStart(ours, say)
      const full = await starts(ours)
      const ratio = (median(full) / median(empty)).toFixed(2)
      say(`with all that: starts in ${shown(full)}, ${ratio} times as long`)
      say(`memory after a start: ${mib(ours)} MiB`)
      for (const { pssKiB, command } of memoryOf(ours.pid()))
        say(`  ${(pssKiB / 1_024).toFixed(0).padStart(5)} MiB ${command}`)
      await measure(ours, say)
      say(`memory after all this: ${mib(ours)} MiB`)
      await ours.stop()
      await lookUps(join(ours.dir, 'gateway'), say)
    } finally {
      await ours.remove()
    }
  },
}

const mib = (ours: Installation): string => totalMiB(memoryOf(ours.pid())).toFixed(0)

const shown = (took: readonly number[]): string =>
  `${median(took).toFixed(0)} ms (${took.map((each) => each.toFixed(0)).join(', ')})`

/** How long it takes until `watari ready`, several times; it runs afterwards. */
async function starts(ours: Installation): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < STARTS; i++) {
    await ours.stop()
    const began = performance.now()
    await ours.start()
    took.push(performance.now() - began)
  }
  return took
}

async function fillDirectory(path: string): Promise<void> {
  const log = new SqliteDirectoryLog(path)
  let { seq } = await log.changes({ since: 0, limit: 1 })
  const by = { who: 'bench', from: 'bench' }
  const write = async (rows: readonly DirectoryRow[]): Promise<void> => {
    const edits = rows.map((row) => ({ key: rowKey(row), row }))
    seq = (await log.write({ baseSeq: seq, edits, by, atMs: 0 })).seq
  }
  let rows: DirectoryRow[] = []
  for (const row of directoryRows(COUNTS)) {
    rows.push(row)
    if (rows.length === 10_000) await write(rows.splice(0))
  }
  await write(rows)
  log.close()
}

/** The first start fetches all; then each role writes an image of it. */
async function firstStart(ours: Installation, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  await ours.start()
  say(`first start, which reads and fetches all: ${(performance.now() - began).toFixed(0)} ms`)
  const images = ['control', 'gateway', 'store'].map((role) =>
    join(ours.dir, role, 'directory.image'),
  )
  while (!images.every((path) => existsSync(path))) {
    if (performance.now() - began > IMAGE_MS_MAX) throw new Error('a role has written no image')
    await sleep(100)
  }
  const sizes = images.map((path) => `${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`)
  say(
    `  all roles have it, and an image of it (${sizes.join(', ')}), after ${(performance.now() - began).toFixed(0)} ms`,
  )
}

/** What a gateway does for each recipient, by the function that RCPT calls, in a copy as it reads one at its start. */
async function lookUps(dir: string, say: (line: string) => void): Promise<void> {
  const replica = new SqliteReplica(join(dir, 'directory.db'))
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heldMiB = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return (heapUsed + arrayBuffers) / 2 ** 20
  }
  const before = heldMiB()
  const began = performance.now()
  const copy = new MemoryDirectory()
  const { fromImage } = await loadDirectory(copy, {
    rows: (ask) => replica.load(ask),
    images: replica,
  })
  const readMs = performance.now() - began
  say(
    `${copy.size.toLocaleString('en')} rows read ${fromImage ? 'from the image' : 'row by row'} in ${readMs.toFixed(0)} ms, ${(heldMiB() - before).toFixed(0)} MiB`,
  )
  const { accounts, aliases } = COUNTS
  for (const [what, address] of [
    ['an address of an account', (i: number) => further(i)],
    ['with a detail', (i: number) => withDetail(further(i))],
    ['an alias', (i: number) => aliasOf(i % aliases)],
    [
      'an address of a converted sub-domain',
      (i: number) => ({ ...further(i), domain: department(1) }),
    ],
    ['nobody', (i: number) => ({ localpart: `誰も${i}`, domain: DOMAIN })],
    ['one of 1,000 whom all write to', (i: number) => further(i % 1_000)],
  ] as const) {
    const before = process.cpuUsage()
    let found = 0
    for (let i = 0; i < LOOK_UPS; i++) {
      const converted = convert(address((i * 7_919) % accounts), copy)
      if (converted.ok && converted.value.targets[0]?.class === 'local') found++
    }
    const { user, system } = process.cpuUsage(before)
    const perSecond = (LOOK_UPS / (user + system)) * 1_000_000
    say(
      `  look-ups of ${what}: ${Math.round(perSecond).toLocaleString('en')} a second of a processor, ${found} of ${LOOK_UPS} found`,
    )
  }
  await peopleSearched(copy, heldMiB, say)
  replica.close()
}

/** What control keeps for searches of people, and the store for its address book. */
async function peopleSearched(
  copy: MemoryDirectory,
  heldMiB: () => number,
  say: (line: string) => void,
): Promise<void> {
  const before = heldMiB()
  const used = process.cpuUsage()
  const people = new PeopleIndex({ directory: copy, onChange: () => () => undefined }, systemClock)
  await people.page({ search: '花子', limit: 50 })
  const { user, system } = process.cpuUsage(used)
  const cpuMs = ((user + system) / 1_000).toFixed(0)
  say(
    `texts of all people made: ${cpuMs} ms of a processor, ${(heldMiB() - before).toFixed(0)} MiB`,
  )
  for (const search of ['誰も', '花子', 'わたなべ', 'u77777']) {
    const began = performance.now()
    const { items } = await people.page({ search, limit: 50 })
    say(`  ${search}: ${items.length} in ${(performance.now() - began).toFixed(1)} ms`)
  }
  people.close()
}

const withDetail = ({ localpart, domain }: Address): Address => ({
  localpart: `${localpart}+渡り`,
  domain,
})

async function measure(ours: Installation, say: (line: string) => void): Promise<void> {
  const rows = [['what', 'median ms', 'longest ms', 'control stood still']]
  const time = async (what: string, times: number, work: () => Promise<unknown>): Promise<void> => {
    const took: number[] = []
    const before = await loopDelays(ours).catch(() => new Map<string, number>())
    for (let i = 0; i < times; i++) {
      const began = performance.now()
      await work()
      took.push(performance.now() - began)
    }
    await sleep(1_100) // control tells it once a second
    const still = longestOf(before, await loopDelays(ours))
    rows.push([what, median(took).toFixed(0), Math.max(...took).toFixed(0), still])
  }
  const api = apiOf(ours)
  const reaches = (to: string) => async (): Promise<void> => {
    const mail = {
      from: 'a@example.org',
      to: [`${to}@${DOMAIN}`],
      content: 'Subject: x\r\n\r\nx\r\n',
    }
    const end = performance.now() + 120_000
    for (;;) {
      const reply = await smtpSend(ours.port(25), mail).catch(String)
      if (reply.startsWith('250')) return
      if (performance.now() > end) throw new Error(`${to}: ${reply}`)
    }
  }
  await time('mail to somebody, judged and taken', 9, reaches(further(77).localpart))
  await time('the first request of the API', 1, () => api('GET', '/status'))
  await time('status', 9, () => api('GET', '/status'))
  await time('100 users', 5, () => api('GET', '/users?limit=100'))
  await time('100 users in the middle', 5, () => api('GET', `/users?limit=100&after=u5@${DOMAIN}`))
  await time('10,000 users', 3, () => api('GET', '/users?limit=10000'))
  for (const search of ['誰も', '花子', 'u77777'])
    await time(`users by search, ${search}`, 5, () =>
      api('GET', `/users?limit=100&search=${encodeURIComponent(search)}`),
    )
  await time('100 aliases', 5, () => api('GET', '/aliases?limit=100'))
  let number = 0
  const passwordHash = `{SSHA}${Buffer.alloc(28, 7).toString('base64')}`
  await time('user add, in force everywhere', 9, () =>
    api('POST', '/users', { address: `new${number++}@${DOMAIN}`, passwordHash }),
  )
  await time('alias set, in force everywhere', 9, () =>
    api('PUT', `/aliases/new${number++}@${DOMAIN}`, { to: [`u1@${DOMAIN}`] }),
  )
  await time(`${CHANGES} aliases by ${AT_ONCE} at once, in force everywhere`, 1, async () => {
    const each = Array.from({ length: AT_ONCE }, async (_, of) => {
      for (let i = of; i < CHANGES; i += AT_ONCE)
        await api('PUT', `/aliases/many${i}@${DOMAIN}`, { to: [`u1@${DOMAIN}`] })
    })
    await Promise.all(each)
  })
  await time('watari user ls, all', 1, () => ours.watari(['user', 'ls']))
  await time('watari status', 3, () => ours.watari(['status']))
  await time('100 generations, the latest', 5, () => api('GET', '/settings/history?limit=100'))
  await time('100 generations in the middle', 5, () =>
    api('GET', '/settings/history?limit=100&after=5000'),
  )
  await time('diff of two generations', 5, () => api('GET', '/settings/diff?from=17&to=9000'))
  await time('rollback by thousands', 5, () =>
    api('POST', '/settings/rollback', { generation: 1_000 + number++ }),
  )
  await time('watari settings history', 3, () => ours.watari(['settings', 'history']))
  say(table(rows))
}
