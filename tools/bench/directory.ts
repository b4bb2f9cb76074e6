import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { SETTINGS_DATABASE } from '#store/settings/generations.ts'
import { contentHash, FIRST_CONTENT } from '#store/settings/resolve.ts'
import { install, type Installation } from '#test/e2e/installation.ts'
import { smtpSend } from '#test/e2e/mail.ts'
import { median, memoryOf, table, totalMiB, type Part } from './setup.ts'
import { apiOf } from './simulated-node.ts'

const ACCOUNTS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 100_000)
const ALIASES = 3 * ACCOUNTS
const GENERATIONS = 10_000

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
      say(`as installed: ${mib(ours)} MiB`)
      await ours.stop()
      await fillDirectory(join(ours.dir, 'control', 'directory.db'))
      fillSettings(join(ours.dir, 'control', 'settings.db'))
      await measure(ours, say)
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

/** All in one transaction: a sync for each would take longer than all that is measured. */
function fillSettings(path: string): void {
  const db = openDatabase({ path, ...SETTINGS_DATABASE })
  const put = db.query('INSERT INTO generation VALUES (?, ?, ?)')
  const { last } = db
    .query<{ last: number }>('SELECT coalesce(max(number), 0) AS last FROM generation')
    .get()!
  db.transaction(() => {
    for (let i = last + 1; i <= last + GENERATIONS; i++) {
      const content = { ...FIRST_CONTENT, values: { 'mail.sizeBytesMax': 10_000_000 + i } }
      const head = {
        generation: i,
        hash: contentHash(content),
        atMs: i,
        by: { who: '管理者', from: 'bench' },
        note: 'set',
        changes: [{ key: 'mail.sizeBytesMax', before: 10_000_000 + i - 1, after: 10_000_000 + i }],
      }
      put.run(i, JSON.stringify(head), JSON.stringify(content))
    }
  })
  db.close()
}

async function measure(ours: Installation, say: (line: string) => void): Promise<void> {
  const rows = [['what', 'median ms', 'longest ms']]
  const time = async (what: string, times: number, work: () => Promise<unknown>): Promise<void> => {
    const took: number[] = []
    for (let i = 0; i < times; i++) {
      const began = performance.now()
      await work()
      took.push(performance.now() - began)
    }
    rows.push([what, median(took).toFixed(0), Math.max(...took).toFixed(0)])
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
