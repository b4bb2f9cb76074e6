import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { AccountId } from '#model/account.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import { readWhole } from '#store/directory/rows-text.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { smtpSend } from '#test/e2e/mail.ts'
import { median, memoryOf, table, totalMiB, type Part } from './setup.ts'
import { fillGenerations } from './fill.ts'
import { apiOf } from './simulated-node.ts'
import { longestOf, loopDelays } from './standstill.ts'

const ACCOUNTS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 100_000)
const ALIASES = 3 * ACCOUNTS
const GENERATIONS = 10_000
const LOOK_UPS = 1_000_000

/** A large directory and many generations of settings, on an installation of all roles. */
export const directory: Part = {
  name: 'directory',
  what: `${ACCOUNTS.toLocaleString('en')} accounts, ${ALIASES.toLocaleString('en')} aliases, ${GENERATIONS.toLocaleString('en')} generations: start, memory, pages, changes`,
  needsPeers: false,
  async run(say) {
    const ours = await install({
      dir: mkdtempSync(join(tmpdir(), 'watari-bench-dir-')),
      bind: ['127.0.0.1'],
    })
    try {
      await ours.stop()
      const began = performance.now()
      await ours.start()
      const empty = Math.round(performance.now() - began)
      say(`as installed: ${mib(ours)} MiB, starts in ${empty} ms`)
      await ours.stop()
      await fillDirectory(join(ours.dir, 'control', 'directory.db'))
      fillGenerations(join(ours.dir, 'control', 'settings.db'), GENERATIONS)
      await measure(ours, say)
      await ours.stop()
      await lookUps(join(ours.dir, 'gateway'), say)
    } finally {
      await ours.remove()
    }
  },
}

const mib = (ours: Installation): string => totalMiB(memoryOf(ours.pid())).toFixed(0)

async function fillDirectory(path: string): Promise<void> {
  const log = new SqliteDirectoryLog(path)
  const { seq } = await log.changes({ since: 0, limit: 1 })
  const domain = 'campus.example'
  const accounts = Array.from({ length: ACCOUNTS }, (_, i): DirectoryRow => {
    const credential = `$argon2id$v=19$m=19456,t=2,p=1$${'s'.repeat(22)}$${'h'.repeat(43)}`
    const id = `bench-${i}` as AccountId
    const more = {
      admin: false,
      disabled: false,
      credentialVersion: 1,
      addresses: [],
      delegated: [],
    }
    const account = { id, username: `user${i}`, domain, name: `利用者 ${i}`, credential, ...more }
    return { kind: 'account', account }
  })
  const aliases = Array.from({ length: ALIASES }, (_, i): DirectoryRow => {
    const to = [{ localpart: `user${i % ACCOUNTS}`, domain }]
    return { kind: 'alias', alias: { from: { localpart: `alias${i}`, domain }, to } }
  })
  const edits = [...accounts, ...aliases].map((row) => ({ key: rowKey(row), row }))
  await log.write({ baseSeq: seq, edits, by: { who: 'bench', from: 'bench' }, atMs: 0 })
  log.close()
}

/** What a role's process does for each recipient, in a copy as it reads one at its start. */
async function lookUps(dir: string, say: (line: string) => void): Promise<void> {
  const replica = new SqliteReplica(join(dir, 'directory.db'))
  const heapMiB = (): number => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const before = heapMiB()
  const began = performance.now()
  const { seq, maps } = await readWhole((ask) => replica.load(ask))
  const readMs = Math.round(performance.now() - began)
  const copy = new MemoryDirectory()
  copy.replace(seq, maps)
  say(
    `${copy.size.toLocaleString('en')} rows read in ${readMs} ms, ${Math.round(heapMiB() - before)} MiB of heap`,
  )
  const domain = 'campus.example'
  for (const [what, look] of [
    ['an address of an account', (i: number) => copy.byAddress({ localpart: `user${i}`, domain })],
    ['an alias', (i: number) => copy.alias({ localpart: `alias${i}`, domain })],
    ['a login', (i: number) => copy.byLogin(`USER${i}@Campus.Example`)],
    ['nobody', (i: number) => copy.byAddress({ localpart: `誰も${i}`, domain })],
  ] as const) {
    const began = performance.now()
    let found = 0
    for (let i = 0; i < LOOK_UPS; i++) if (look((i * 7_919) % ACCOUNTS) !== undefined) found++
    const perSecond = (LOOK_UPS / (performance.now() - began)) * 1_000
    say(
      `  look-ups of ${what}: ${Math.round(perSecond).toLocaleString('en')} a second, ${found} of ${LOOK_UPS} found`,
    )
  }
  replica.close()
}

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
      to: [`${to}@campus.example`],
      content: 'Subject: x\r\n\r\nx\r\n',
    }
    const end = performance.now() + 120_000
    for (;;) {
      const reply = await smtpSend(ours.port(25), mail).catch(String)
      if (reply.startsWith('250')) return
      if (performance.now() > end) throw new Error(`${to}: ${reply}`)
    }
  }
  await time('start, until `watari ready`', 1, () => ours.start())
  await time('then, until mail to the last alias is taken', 1, reaches(`alias${ALIASES - 1}`))
  const fetched = mib(ours)
  await ours.stop()
  await time('start from its copies', 1, () => ours.start())
  await time('then, until mail to the last alias is taken', 1, reaches(`alias${ALIASES - 1}`))
  await time('a look-up: mail to an alias, judged and taken', 9, reaches('alias77'))
  await time('the first request of the API', 1, () => api('GET', '/status'))
  await time('status', 9, () => api('GET', '/status'))
  await time('100 users', 5, () => api('GET', '/users?limit=100'))
  await time('100 users in the middle', 5, () =>
    api('GET', '/users?limit=100&after=user5@campus.example'),
  )
  await time('10,000 users', 5, () => api('GET', '/users?limit=10000'))
  await time('users by search, none', 5, () =>
    api('GET', `/users?search=${encodeURIComponent('誰も')}`),
  )
  await time('100 aliases', 5, () => api('GET', '/aliases?limit=100'))
  let number = 0
  const passwordHash = `{SSHA}${Buffer.alloc(28, 7).toString('base64')}`
  await time('user add, in force everywhere', 9, () =>
    api('POST', '/users', { address: `new${number++}@campus.example`, passwordHash }),
  )
  await time('alias set, in force everywhere', 9, () =>
    api('PUT', `/aliases/alias${number++}@campus.example`, { to: ['user1'] }),
  )
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
  say(
    `memory after the first start, which fetched all: ${fetched} MiB; after the second and all this: ${mib(ours)} MiB`,
  )
  for (const { pssKiB, command } of memoryOf(ours.pid()))
    say(`  ${(pssKiB / 1_024).toFixed(0).padStart(5)} MiB ${command}`)
  say(table(rows))
}
