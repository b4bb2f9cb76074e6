import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { importScripts } from '#engine/deliver/imported-scripts.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { keepingOf } from '#engine/retention/keeping.ts'
import { findCycle } from '#engine/route/check.ts'
import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { adminApp } from '#server/admin/app.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { NO_POSTS } from '#test/fake/posts.ts'
import { NOUNS } from './nouns.ts'
import { runCli } from './run.ts'

const TOKEN = 'token-of-the-test'
const clock = new FakeClock()
let dir = ''
let ends: (() => unknown)[] = []
let directory: DirectoryMaster
let settings: SettingsMaster
const mailboxes = new FakeMailboxStore()
const scripts = scriptsOf(mailboxes)
let pending: { node: string; reason: string }[] = []

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-cli-'))
  const directoryLog = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const settingsStore = new SqliteSettingsStore(join(dir, 'settings.db'))
  const index = new SqliteEventIndex({ path: join(dir, 'index.db') })
  directory = new DirectoryMaster({ log: directoryLog, clock, checks: [findCycle] })
  settings = new SettingsMaster({ store: settingsStore, clock })
  await directory.load()
  await settings.load()
  await index.put({
    nowMs: 1,
    batches: [
      {
        node: 'gateway-1' as NodeId,
        epoch: 'e',
        records: [
          {
            node: 'gateway-1' as NodeId,
            seq: 1,
            atMs: 1_000,
            name: 'receive.accepted',
            deliveryId: 'D1',
            fields: {
              messageId: '<m@x>',
              to: '太郎@campus.example',
              text: 'evil \u001b[31m',
              empty: '',
              none: null,
              uid: 7,
            },
          },
        ],
      },
    ],
  })
  const app = await adminApp(
    {
      version: '0.1.0',
      clock,
      tokens: [{ name: 'admin', sha256: createHash('sha256').update(TOKEN).digest('hex') }],
      authenticator: createAuthenticator({ directory: directory.directory, clock }),
      directory,
      directoryLog,
      texts: () => Promise.resolve([]),
      settings,
      settingsStore,
      hub: { nodes: () => [], settled: async () => pending, forget: () => undefined },
      nodes: new NodeBook({
        registry: new SqliteNodeRegistry(join(dir, 'nodes.db')),
        clock,
        pin: 'ab'.repeat(32) as KeyPin,
      }),
      queues: () => [],
      scripts: () => ({
        node: 'store-1',
        scripts: { ...scripts, bringIn: (ask) => importScripts(ask, { scripts, mailboxes }) },
      }),
      keeping: () => ({ node: 'store-1', keeping: keepingOf(mailboxes, clock) }),
      posts: () => ({ node: 'store-1', posts: NO_POSTS }),
      search: () => ({
        node: 'store-1',
        search: {
          status: async () => ({
            accounts: 2,
            segments: 7,
            bytes: 1_500_000,
            accountsBehind: 1,
            emailsBehind: 40,
            trouble: 'ディスク full',
          }),
          rebuild: async ({ accountId }) => {
            if (accountId !== directory.directory.accounts().next().value!.id)
              throw new Fault('stalled', 'no')
          },
        },
      }),
      index,
      scan: async (message) => ({
        class: message.byteLength > 20 ? 'spam' : 'clean',
        score: message.byteLength,
        hits: [{ name: 'LONG', score: message.byteLength, detail: '長い' }],
        virus: { kind: 'clean' },
        auth: [],
        caseId: 'C1',
        degraded: ['dns'],
      }),
    },
    silentLog,
  )
  const server = createServer(app.listener)
  const socket = join(dir, 'admin.sock')
  server.listen(socket)
  await once(server, 'listening')
  await writeFile(join(dir, 'runtime.json'), JSON.stringify({ adminSocket: socket }))
  await writeFile(join(dir, 'first-run.json'), JSON.stringify({ apiToken: TOKEN }))
  ends = [
    () => app.close(),
    () => {
      server.closeAllConnections()
      server.close()
    },
    () => directoryLog.close(),
    () => settingsStore.close(),
    () => index.close(),
  ]
})
after(async () => {
  for (const end of ends) await end()
  await mailboxes.close()
  await rm(dir, { recursive: true, force: true })
})

interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
}

async function run(
  args: readonly string[],
  stdin: Octets | string = '',
  env: Record<string, string> = {},
): Promise<Ran> {
  let [out, err] = ['', '']
  const status = await runCli(['--data', dir, ...args], {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    stdin: async () => (typeof stdin === 'string' ? fromUtf8(stdin) : stdin),
    async *input() {
      const octets = typeof stdin === 'string' ? fromUtf8(stdin) : stdin
      for (let at = 0; at < octets.byteLength; at += 7) yield octets.subarray(at, at + 7)
    },
    env,
  })
  return { status, out, err }
}

async function done(args: readonly string[], stdin: Octets | string = ''): Promise<string> {
  const ran = await run(args, stdin)
  assert.equal(ran.status, 0, `${args.join(' ')}: ${ran.err}`)
  assert.equal(ran.err, '')
  return ran.out
}

describe('the command line', () => {
  test('makes domains, users, aliases, forwards and routes, and shows them', async () => {
    await done(['domain', 'add', 'campus.example'])
    await done(['domain', 'add', 'lab.campus.example', '--convert-to', 'campus.example'])
    assert.match(await done(['domain', 'ls']), /lab\.campus\.example +campus\.example +no/)
    assert.equal(
      await done(['domain', 'set', 'lab.campus.example', '--no-conversion']),
      'lab.campus.example has addresses of its own\n',
    )
    assert.equal((await run(['domain', 'set', 'lab.campus.example'])).status, 2)
    await done(['domain', 'set', 'lab.campus.example', '--convert-to', 'campus.example'])
    assert.match(await done(['domain', 'ls']), /lab\.campus\.example +campus\.example +no/)
    await done(
      [
        'user',
        'add',
        'hanako',
        '--password-stdin',
        '--name',
        '山田 花子',
        '--address',
        'h.yamada@campus.example',
      ],
      'a&b パスワード\n\n'.slice(0, -1),
    )
    assert.equal(
      await verifyPassword(
        fromUtf8('a&b パスワード'),
        directory.directory.byLogin('hanako')?.credential,
      ),
      true,
    )
    await done(
      ['user', 'add', 'taro@campus.example', '--password-stdin'],
      new Uint8Array([0xff, 0x20, 0x0a]),
    )
    assert.equal(
      await verifyPassword(
        new Uint8Array([0xff, 0x20]),
        directory.directory.byLogin('taro')?.credential,
      ),
      true,
    )
    assert.match(
      await done(['user', 'ls']),
      /^ADDRESS +NAME +ROLE +DISABLED\nhanako@campus\.example +山田 花子 +user +no\ntaro@/,
    )
    assert.match(
      await done(['user', 'show', 'hanako']),
      /further addresses: h\.yamada@campus\.example/,
    )
    const set = ['user', 'set', 'hanako', '--address', '花@campus.example', '--send-as']
    const changed = await done([...set, 'office@campus.example', '--name', '花子'])
    assert.match(changed, /^name: +花子\nfurther addresses: h\.yamada@campus\.example, 花@campus/m)
    assert.match(changed, /^may send as: +office@campus\.example$/m)
    await done(['user', 'set', 'hanako', '--remove-address', '花@Campus.example', '--admin'])
    const hanako = directory.directory.byLogin('hanako')
    assert.deepEqual([hanako?.admin, hanako?.addresses.length, hanako?.name], [true, 1, '花子'])
    assert.match(await done(['user', 'ls']), /hanako@campus\.example +花子 +administrator/)
    await done(['user', 'set', 'hanako', '--role', 'help-desk'])
    assert.match(await done(['user', 'show', 'hanako']), /role: +help-desk/)
    assert.equal((await run(['user', 'set', 'hanako', '--role', '神'])).status, 2)
    await done(['user', 'set', 'hanako', '--role', 'administrator'])
    await done(['user', 'set', 'hanako', '--name', '山田 花子', '--no-admin'])
    await done(['user', 'disable', 'taro'])
    assert.equal(directory.directory.byLogin('taro')?.disabled, true)
    await done(['user', 'enable', 'taro'])
    await done(['user', 'passwd', 'taro', '--password-stdin'], '新しい')
    await done(['alias', 'add', 'info', 'hanako', '外@other.example'])
    assert.match(
      await done(['alias', 'ls']),
      /info@campus\.example +hanako@campus\.example, 外@other\.example/,
    )
    await done(['forward', 'set', 'hanako', 'x@other.example', '--keep'])
    assert.match(await done(['forward', 'ls']), /hanako@campus\.example +x@other\.example +yes/)
    await done(['forward', 'rm', 'hanako'])
    await done(['route', 'set', 'other.example', 'smtp:127.0.0.1:2525'])
    assert.match(await done(['route', 'ls']), /other\.example +smtp:127\.0\.0\.1:2525/)
    await done(['route', 'rm', 'other.example'])
    await done(['alias', 'rm', 'info'])
    await done(['user', 'delete', 'taro'])
  })

  test('readings, former names, tags and days of use', async () => {
    const add = ['user', 'add', 'ume@campus.example', '--password-stdin', '--reading', 'うめ']
    await done([...add, '--tag', '2027入学', '--tag', '法学部', '--expires-on', '2031-03-31'], 'pw')
    await done(['user', 'set', 'ume', '--former-name', '髙田', '--remove-tag', '法学部'])
    await done(['user', 'set', 'ume', '--starts-on', '2027-04-01', '--reading', ''])
    const shown = await done(['user', 'show', 'ume'])
    assert.match(shown, /former names: +髙田\n/)
    assert.match(shown, /tags: +2027入学\n/)
    assert.match(shown, /starts on: +2027-04-01\nexpires on: +2031-03-31/)
    assert.doesNotMatch(shown, /reading: +うめ/)
    assert.match(await done(['user', 'ls', '--tag', '2027入学']), /ume@campus\.example/)
    const refused = await run(['user', 'set', 'ume', '--expires-on', '2027-02-30'])
    assert.match(refused.err, /no day such as 2027-03-31/)
    await done(['user', 'delete', 'ume'])
  })

  test('a user is renamed, deleted and had back; many change at once, now and on a day', async () => {
    for (const name of ['momo', 'sakura'])
      await done(['user', 'add', name, '--password-stdin', '--tag', '2027入学'], 'pw')
    assert.match(
      await done(['user', 'rename', 'momo', '桃']),
      /^renamed to 桃@campus\.example; momo@campus\.example is kept until 20/,
    )
    assert.match((await run(['user', 'rename', 'sakura', 'momo'])).err, /watari user release momo@/)
    assert.match(await done(['user', 'release', 'momo']), /momo is free/)
    assert.equal(await done(['user', 'rm', 'sakura']), 'deleted sakura\n')
    assert.match((await run(['user', 'show', 'sakura'])).err, /watari user undelete sakura/)
    assert.match(await done(['user', 'ls', '--deleted']), /sakura@campus\.example/)
    assert.equal(await done(['user', 'undelete', 'sakura']), 'sakura@campus.example is back\n')
    const bulk = ['user', 'bulk', '--tag', '2027入学', '--expires-on', '2031-03-31']
    assert.match(
      await done([...bulk, '--dry-run']),
      /expiresOn\n.*nothing was done.*2 users changed/s,
    )
    assert.match(await done(bulk), /2 users changed, 0 the same, 0 refused/)
    assert.match(await done(bulk), /0 users changed, 2 the same/)
    assert.equal((await run(['user', 'bulk', '--disable'])).status, 2)
    assert.equal((await run(['user', 'bulk', '--tag', 'x'])).status, 2)
    const plan = ['directory', 'plans', 'add', '卒業', '--on', '2031-04-01', '--tag', '2027入学']
    const id = /planned for 2031-04-01 as (\S+)/.exec(await done([...plan, '--delete']))![1]!
    assert.match(await done(['directory', 'plans', 'ls']), /2031-04-01 +卒業 +2027入学/)
    assert.match(await done(['directory', 'plans', 'show', id]), /桃@campus\.example +.*deleted/)
    await done(['directory', 'plans', 'rm', id])
    assert.match(
      await done(['directory', 'history', '--limit', '3']),
      /plan:\S+ +removed\n.*plan:\S+ +made\n.*expiresOn/s,
    )
    assert.match((await run(['directory', 'upkeep'])).err, /nothing looks after accounts here/)
    for (const name of ['桃', 'sakura']) await done(['user', 'delete', name, '--for-good'])
  })

  test("--json prints the API's body, wherever it stands", async () => {
    const body = JSON.parse(await done(['user', 'ls', '--json'])) as {
      items: { address: string }[]
    }
    assert.deepEqual(
      body.items.map(({ address }) => address),
      ['hanako@campus.example'],
    )
    assert.equal(
      (JSON.parse(await done(['--json', 'status'])) as { version: string }).version,
      '0.1.0',
    )
  })

  test('a refusal is one line that says what to do, and exit status 1', async () => {
    const refused = await run(['domain', 'add', 'campus.example'])
    assert.equal(refused.status, 1)
    assert.equal(refused.out, '')
    assert.equal(
      refused.err,
      'watari: campus.example is there already. watari domain ls shows it.\n',
    )
    const json = await run(['user', 'show', '誰か', '--json'])
    assert.equal(json.status, 1)
    assert.deepEqual(JSON.parse(json.err), {
      error: {
        code: 'notFound',
        message: 'there is no user 誰か',
        remedy: 'watari user ls shows the users.',
      },
    })
  })

  test('quota of a user, else of its domain', async () => {
    const quotaIn = async (): Promise<string | undefined> =>
      /^quota: +(.*)$/m.exec(await done(['user', 'show', 'quota@quota.example']))?.[1]
    await done(['domain', 'add', 'quota.example', '--quota-messages', '7'])
    const add = ['user', 'add', 'quota@quota.example', '--password-stdin', '--quota', '1.5GiB']
    await done(add, 'パス')
    assert.equal(await quotaIn(), '1.5 GiB, 7 messages (its own: 1.5 GiB)')
    assert.match(
      await done([
        'domain',
        'set',
        'quota.example',
        '--quota',
        '2 MiB',
        '--quota-messages',
        'none',
      ]),
      /^quota\.example has addresses of its own; its users may hold 2\.0 MiB, any number$/m,
    )
    assert.equal(await quotaIn(), '1.5 GiB, any number (its own: 1.5 GiB)')
    await done(['user', 'set', 'quota@quota.example', '--quota', 'default'])
    assert.equal(await quotaIn(), '2.0 MiB, any number')
    assert.match(await done(['domain', 'ls']), /quota\.example +no +2\.0 MiB, any number\n/)
    await done(['domain', 'set', 'quota.example', '--no-conversion'])
    assert.equal(await quotaIn(), '2.0 MiB, any number')
    await done(['domain', 'set', 'quota.example', '--quota', 'default'])
    assert.equal(await quotaIn(), 'none')
    await done(['user', 'set', 'quota@quota.example', '--quota', 'none'])
    assert.equal(await quotaIn(), 'none, by its own')
    const { quota, effectiveQuota } = JSON.parse(
      await done(['user', 'show', 'quota@quota.example', '--json']),
    )
    const nothing = { bytes: 0, messages: 0, mailboxes: 0 }
    assert.deepEqual([quota, effectiveQuota], [{ bytes: 0 }, nothing])
    const limit = ['domain', 'set', 'quota.example', '--quota-mailboxes']
    assert.match(await done([...limit, '20']), /its users may hold any number, 20 mailboxes$/m)
    assert.equal(await quotaIn(), 'any size, any number, 20 mailboxes (its own: any size)')
    await done(['user', 'set', 'quota@quota.example', '--quota-mailboxes', 'none'])
    assert.equal(await quotaIn(), 'none, by its own')
    await done([...limit, 'default'])
    for (const wrong of ['-1', '0', '五', '2GiBs', '', '1e9'])
      assert.equal(
        (await run(['user', 'set', 'quota@quota.example', `--quota=${wrong}`])).status,
        2,
        wrong,
      )
    await done(['user', 'delete', 'quota@quota.example'])
    await done(['domain', 'rm', 'quota.example'])
  })

  test('wrong usage is exit status 2', async () => {
    for (const args of [
      ['nonsense'],
      ['user', 'add'],
      ['user', 'add', 'x'],
      ['settings', 'set', 'received.max'],
      ['settings', 'edit', 'x'],
      ['queue', 'ls', '--nope'],
      ['queue', 'ls', '--state', 'waiting'],
      ['settings', 'diff', '一'],
      ['settings', 'show', '1a'],
      ['settings', 'rollback', '-1'],
      ['settings', 'history', '--limit', '0'],
    ]) {
      const wrong = await run(args)
      assert.equal(wrong.status, 2, args.join(' '))
      assert.match(wrong.err, /^watari: .*--help.*\n$/)
    }
    assert.match((await run(['domain'])).err, /^watari: give one of add, set, ls, rm\. Add --help/)
    assert.match((await run([])).err, /^watari: give one of status, node, domain, user, /)
    const json = await run(['nonsense', '--json'])
    assert.equal((JSON.parse(json.err) as { error: { code: string } }).error.code, 'usage')
    const help = await run(['user', '--help'])
    assert.equal(help.status, 0)
    assert.match(help.out, /passwd/)
  })

  test('an installation that does not run, and a token that is not there, are told', async () => {
    const nowhere = await run(['--data', join(dir, 'none'), 'status'])
    assert.equal(nowhere.status, 1)
    assert.match(nowhere.err, /no Watari runs on .*none\. Start it with npm start/)
    await mkdir(join(dir, 'stopped'))
    await writeFile(
      join(dir, 'stopped', 'runtime.json'),
      JSON.stringify({ adminSocket: join(dir, 'gone.sock') }),
    )
    assert.match((await run(['--data', join(dir, 'stopped'), 'status'])).err, /gives no API token/)
    const stopped = () => run(['--data', join(dir, 'stopped'), 'status'], '', { WATARI_TOKEN: 'x' })
    assert.match((await stopped()).err, /no Watari runs on .*stopped\. Start it with npm start/)
    // The supervisor lives: it starts control again by itself.
    await writeFile(join(dir, 'stopped', 'watari.pid'), `${process.pid}\n`)
    assert.match((await stopped()).err, /control does not answer: .*\. It is started again within/)
    assert.match(
      (await run(['status'], '', { WATARI_TOKEN: 'wrong' })).err,
      /the token is not known/,
    )
    await writeFile(join(dir, 'token'), `${TOKEN}\n`)
    assert.equal((await run(['status', '--token-file', join(dir, 'token')])).status, 0)
  })

  test('settings are set, staged, compared, applied, shown and rolled back', async () => {
    assert.match(
      await done(['settings', 'set', 'queue.lifetimeMs', '2d']),
      /^generation 1, .* admin by cli .*: set\n {2}queue\.lifetimeMs: default \(5d\) → 2d\n$/,
    )
    assert.equal(await done(['settings', 'get', 'queue.lifetimeMs']), '2d\n')
    assert.match(
      await done(['settings', 'edit', 'spam.spamScore=12', 'queue.retryMs=1m 5m']),
      /staged on generation 1/,
    )
    assert.match(await done(['settings', 'diff']), /spam\.spamScore: default \(10\) → 12\n/)
    assert.match(await done(['settings', 'apply']), /generation 2/)
    assert.match(await done(['settings', 'show']), /queue\.retryMs +1m 5m/)
    assert.match(await done(['settings', 'diff', '0', '1']), /queue\.lifetimeMs/)
    assert.match(await done(['settings', 'rollback', '1']), /rollback to 1/)
    assert.match(await done(['settings', 'history', '--limit', '1']), /^generation 3/)
    assert.match(await done(['settings', 'show', '2']), /spam\.spamScore = 12/)
    await done(['settings', 'set', 'queue.lifetimeMs', '--default'])
    assert.equal(settings.settings['queue.lifetimeMs'], 432_000_000)
    await done(['settings', 'edit', 'received.max=50'])
    await done(['settings', 'edit', '--discard'])
    const refused = await run(['settings', 'set', 'policy.spam', '捨てる'])
    assert.match(refused.err, /policy\.spam: 捨てる is no action\. Give one of accept/)
    pending = [{ node: 'store-2', reason: 'no answer yet' }]
    const late = await run(['settings', 'set', 'received.max', '60'])
    pending = []
    assert.equal(late.status, 0)
    assert.match(late.err, /store-2 has not taken it yet: no answer yet/)
  })

  test('the access list takes files with comments', async () => {
    const file = join(dir, 'networks')
    await writeFile(file, '# 学内\r\n10.0.0.0/8 # 全部\n\n2001:db8::/32\n')
    assert.match(
      await done(['access', 'import', file]),
      /^2 added, 0 removed, 2 networks in all\n$/,
    )
    assert.match(await done(['access', 'import', '-'], '192.0.2.1\n'), /1 added/)
    assert.equal(await done(['access', 'ls']), '10.0.0.0/8\n192.0.2.1\n2001:db8::/32\n')
    await done(['access', 'rm', '10.0.0.0/8', '192.0.2.1'])
    assert.equal((await run(['access', 'add', '0.0.0.0/0'])).status, 1)
    assert.equal((await run(['access', 'import', join(dir, 'no')])).status, 1)
  })

  test('a trace shows the way of a message, and steers no terminal', async () => {
    const out = await done(['trace', '太郎@campus.example'])
    assert.match(out, /^D1\n/)
    assert.match(out, /receive\.accepted/)
    assert.equal(out.includes('\u001b'), false)
    assert.doesNotMatch(out, /empty=|none=/)
    assert.match(out, / text="evil \\u001b\[31m" uid=7\n/)
    const unknown = await run(['trace', '<nobody@x>', '--json'])
    assert.equal(unknown.status, 1)
    assert.deepEqual(JSON.parse(unknown.out), { items: [] })
    assert.match(unknown.err, /"code":"notFound"/)
  })

  test('messages are judged by the running installation', async () => {
    const folder = join(dir, 'mails')
    await mkdir(folder)
    await writeFile(join(folder, 'a.eml'), 'Subject: x\r\n\r\n')
    const verdict = await done(['scan', join(folder, 'a.eml')])
    assert.match(verdict, /class: +clean/)
    assert.match(verdict, /without dns/)
    assert.match(verdict, /LONG +14 +長い/)
    assert.equal((await run(['scan', join(dir, 'none.eml')])).status, 1)
  })

  test('scripts are stored, shown, activated and removed, octets unchanged', async () => {
    const file = join(dir, 'filter.sieve')
    const octets = fromUtf8(
      '\ufeffrequire ["fileinto", "mailbox"];\r\n# か\u3099 会議\r\nfileinto :create "会議";',
    )
    await writeFile(file, octets)
    const user = 'hanako@campus.example'
    assert.equal(
      await done(['sieve', 'put', user, '会議/一', file]),
      `stored 会議/一, ${octets.byteLength} octets, not active\n`,
    )
    assert.deepEqual(fromUtf8(await done(['sieve', 'get', user, '会議/一'])), octets)
    assert.match(
      await done(['sieve', 'put', 'hanako', '二', '-', '--activate'], 'keep;'),
      /, active/,
    )
    assert.equal(
      await done(['sieve', 'ls', user]),
      `SCRIPT   ACTIVE  OCTETS\n二       yes     5\n会議/一  no      ${octets.byteLength}\n`,
    )
    assert.equal(await done(['sieve', 'activate', user, '会議/一']), '会議/一 is active\n')
    const active = await run(['sieve', 'rm', user, '会議/一'])
    assert.equal(active.status, 1)
    assert.match(
      active.err,
      /会議\/一 is the active script\. Switch it off first: watari sieve activate/,
    )
    assert.equal(await done(['sieve', 'activate', user, '--none']), 'no script is active\n')
    assert.deepEqual(JSON.parse(await done(['sieve', 'ls', user, '--json'])), {
      items: [
        { name: '二', active: false, sizeBytes: 5 },
        { name: '会議/一', active: false, sizeBytes: octets.byteLength },
      ],
    })
    assert.equal(await done(['sieve', 'rm', user, '二']), 'removed 二\n')
    assert.match((await run(['sieve', 'get', user, '二'])).err, /there is no script 二/)
    assert.equal((await run(['sieve', 'activate', user])).status, 2)
    assert.equal((await run(['sieve', 'activate', user, 'x', '--none'])).status, 2)
    assert.match((await run(['sieve', 'ls', '誰か'])).err, /there is no user 誰か/)
  })

  test('a script with errors, too long or of a bad name is refused and not stored', async () => {
    const put = async (script: Octets | string, name = '悪') => {
      const ran = await run(['sieve', 'put', 'hanako', name, '-'], script)
      assert.equal(ran.status, 1, ran.out)
      return ran.err
    }
    assert.match(
      await put('keep;\noops;\nfileinto "x";\n'),
      /line 2: there is no command "oops"; line 3: fileinto needs: require "fileinto"\. Nothing was stored/,
    )
    assert.match(await put(new Uint8Array([0x23, 0x0a, 0x23, 0xff])), /-, line 2: .* not UTF-8/)
    assert.match(await put('keep;\n\0'), /line 2: there is a NUL/)
    assert.match(await put(`#${'あ'.repeat(349_526)}`), /1048579 octets, 1048576 are the most/)
    assert.match(await put('keep;', '長'.repeat(129)), /has 129 characters, 128 are the most/)
    assert.match(await put('keep;', 'a\u2028b'), /control character/)
    assert.deepEqual(
      (JSON.parse(await done(['sieve', 'ls', 'hanako', '--json'])) as { items: unknown[] }).items
        .length,
      1,
    )
    await done(['sieve', 'put', 'hanako', '長'.repeat(128), '-'], 'keep;')
  })

  test('a store that is away is a temporary trouble that says so', async () => {
    mailboxes.fault = new Fault('unreachable', 'no connection')
    const away = await run(['sieve', 'ls', 'hanako', '--json'])
    mailboxes.fault = undefined
    assert.equal(away.status, 1)
    assert.deepEqual(JSON.parse(away.err), {
      error: {
        code: 'unavailable',
        message: 'store-1 cannot do it now: no connection',
        remedy:
          'Nothing was changed, as far as it is known. Try again when the store answers: watari status.',
      },
    })
  })

  test('scripts of other systems are brought in from a folder, with a preview and a report', async () => {
    const folder = join(dir, 'scripts')
    await mkdir(join(folder, 'hanako'), { recursive: true })
    await mkdir(join(folder, '居ない'))
    const script = 'require "fileinto";\r\nfileinto "INBOX.会議";\r\n'
    await writeFile(join(folder, 'hanako/前の.sieve'), script)
    await writeFile(join(folder, 'hanako/壊れた.sieve'), 'oops')
    await writeFile(join(folder, '居ない/a.sieve'), 'keep;')
    const preview = await run(['sieve', 'import', folder, '--dry-run'])
    assert.equal(preview.status, 1)
    assert.match(preview.out, /^2 people, 2 scripts, 1 stored, 1 kept; nothing was done yet\n/)
    assert.match(preview.out, /^hanako: separator \., prefix INBOX\.$/m)
    assert.match(preview.out, /^ {4}line 2: INBOX\.会議 is now 会議$/m)
    assert.match(preview.out, /^ {2}壊れた: kept: line 1: /m)
    assert.match(preview.out, /^居ない: there is no user 居ない/m)
    assert.match(preview.err, /left out: 1 person of 2/)
    assert.doesNotMatch(await done(['sieve', 'ls', 'hanako']), /前の/)
    assert.equal((await run(['sieve', 'import', folder])).status, 1)
    assert.equal(await done(['sieve', 'get', 'hanako', '前の']), script.replace('INBOX.', ''))
    const broken = await run(['sieve', 'activate', 'hanako', '壊れた'])
    assert.equal(broken.status, 1)
    for (const name of ['前の', '壊れた']) await done(['sieve', 'rm', 'hanako', name])
    for (const wrong of [[], [folder, '--from', 'managesieve://x'], ['--from', 'imap://x']])
      assert.equal((await run(['sieve', 'import', ...wrong])).status, 2)
  })

  test("the search index is shown, with what it lacks, and a user's made anew", async () => {
    const shown = await done(['search', 'status'])
    assert.match(shown, /to index: +40 mails of 1 account\n/)
    assert.match(shown, /trouble: +ディスク full\n/)
    const body = JSON.parse(await done(['search', 'status', '--json']))
    assert.deepEqual([body.sizeBytes, body.segments], [1_500_000, 7])
    const [account] = directory.directory.accounts()
    const [address] = account!.addresses
    const owner = `${address!.localpart}@${address!.domain}`
    assert.match(await done(['search', 'rebuild', owner]), /is being made anew\n$/)
  })

  test('scripts are checked and tried without an installation', async () => {
    const none = ['--data', join(dir, 'none')]
    const good = join(dir, 'good.sieve')
    const bad = join(dir, 'bad.sieve')
    const mail = join(dir, 'tried.eml')
    await writeFile(
      good,
      'require ["fileinto", "copy", "imap4flags"]; addflag "\\\\Seen"; redirect :copy "a@b.example"; fileinto "会議";',
    )
    await writeFile(bad, 'keep;\noops;')
    await writeFile(mail, 'From: taro@campus.example\nTo: hanako@campus.example\n\nTo: x\n')
    assert.match(await done([...none, 'sieve', 'check', good]), /is right/)
    const wrong = await run([...none, 'sieve', 'check', bad])
    assert.equal(wrong.status, 1)
    assert.match(wrong.err, /bad\.sieve, line 2: there is no command "oops"/)
    assert.equal(
      await done([...none, 'sieve', 'test', good, '--message', mail]),
      'redirect a@b.example\nfileinto 会議 \\Seen\n',
    )
    const to = join(dir, 'to.sieve')
    await writeFile(
      to,
      'require ["envelope", "reject"]; if envelope "from" "taro@campus.example" { reject "断る"; }',
    )
    assert.equal(await done(['sieve', 'test', to, '--message', mail]), 'reject 断る\n')
    assert.equal(
      await done(['sieve', 'test', to, '--message', mail, '--from', '', '--to', 'x@y.example']),
      'keep INBOX\n',
    )
    const away = join(dir, 'away.sieve')
    await writeFile(
      away,
      `require ["vacation", "fcc", "enotify"]; vacation :days 3 :subject "不在" :fcc "Sent" "12月まで";
       notify :message "届いた" "mailto:b@c.example"; if header "list-id" "x" { keep; }`,
    )
    const asked = ['sieve', 'test', away, mail]
    const answers =
      'vacation taro@campus.example "不在" fcc Sent\nnotify mailto:b@c.example "届いた"\nkeep INBOX\n'
    assert.equal(await done(asked), answers)
    const { actions, unsent } = JSON.parse(await done([...asked, '--class', 'spam', '--json'])) as {
      actions: object[]
      unsent: string[]
    }
    assert.deepEqual(actions[0], {
      kind: 'notify',
      address: 'mailto:b@c.example',
      subject: '届いた',
      text: '届いた',
    })
    assert.deepEqual(unsent, ['vacation: it is taken for spam'])
    assert.match(
      await done([...asked, '--from', '']),
      /^notify .*\nkeep INBOX\nno vacation: .*null/,
    )
    assert.match(await done([...asked, '--to', 'x@y.example']), /no vacation: .*names none/)
    assert.match((await run([...asked, '--message', mail])).err, /give one message/)
    assert.match((await run([...asked, '--class', 'x'])).err, /clean, suspected or spam/)
  })

  test('trials come and go as lines of JSON, each with its answer', async () => {
    const message = Buffer.from('Subject: =?utf-8?B?5Lya6K2w?=\r\n\r\n本文').toString('base64')
    const envelope = { from: '', to: 'hanako@campus.example' }
    const trial = (script: string, more: object = {}) =>
      `${JSON.stringify({ script, message, envelope, ...more })}\n`
    const file = 'require ["fileinto", "mailbox", "spamtest"]; '
    const input =
      trial(`${file} if header "subject" "会議" { fileinto "会議"; }`) +
      trial('keep;\nbogus;') +
      trial(`${file} if not mailboxexists "無い" { discard; }`, { settings: { mailboxes: [] } }) +
      trial(`${file} if spamtest "10" { discard; }`, { settings: { spam: 'spam', 他: 1 } }) +
      trial('require "reject"; keep; reject "x";', { envelope: null }) +
      '{"script": 1}\nkeep;\n'
    const ran = await run(['sieve', 'run', '--jsonl'], input.trimEnd())
    const lines = ran.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { errors: { message: string }[]; actions: unknown[] })
    const keep = { kind: 'keep', mailbox: 'INBOX', flags: [] }
    assert.deepEqual(lines.slice(0, 5), [
      { errors: [], actions: [{ kind: 'fileinto', mailbox: '会議', flags: [] }] },
      { errors: [{ line: 2, message: 'there is no command "bogus"' }], actions: [] },
      { errors: [], actions: [{ kind: 'discard' }] },
      { errors: [], actions: [{ kind: 'discard' }] },
      { errors: [{ line: 1, message: 'reject cannot go with another action' }], actions: [keep] },
    ])
    assert.match(lines[5]!.errors[0]!.message, /^script: /)
    assert.equal(lines[6]!.errors[0]!.message, 'the line is no JSON')
    assert.equal(lines.length, 7)
    assert.equal(ran.status, 1)
    assert.match(ran.err, /the setting 他 .*\n.*2 of the lines could not be read/)
    assert.equal((await run(['sieve', 'run', '--jsonl'], trial('keep;'))).status, 0)
    const settings = {
      now: '2026-11-28T23:30:00Z',
      zone: '+0900',
      virus: 5,
      spam: 7,
      environment: { Location: 'MDA' },
      scripts: { personal: { 共通: 'require "editheader"; addheader "X-A" "渡り";' } },
      lists: { ':addrbook:default': ['hanako@campus.example'] },
      specialUses: { '\\Junk': '迷惑' },
      mailboxIds: { F1: '迷惑' },
      annotations: { '': { '/shared/comment': '猫' } },
    }
    const around = `require ["date", "relational", "virustest", "spamtest", "environment", "include",
      "extlists", "envelope", "special-use", "mailboxid", "servermetadata"];
      include "共通";
      if allof (currentdate "date" "2026-11-29", virustest "5", spamtest "7",
        environment "location" "MDA", envelope :list "to" "urn:ietf:params:sieve:addrbook:default",
        envelope "auth" "taro", specialuse_exists "\\\\Junk", mailboxidexists "F1",
        servermetadata "/shared/comment" "猫") { stop; } discard;`
    const more = { settings, envelope: { ...envelope, auth: 'taro' } }
    const [kept] = (await run(['sieve', 'run', '--jsonl'], trial(around, more))).out.split('\n')
    const changed =
      Buffer.from(`X-A: =?UTF-8?B?5rih44KK?=\r\n`).toString() +
      Buffer.from(message, 'base64').toString()
    assert.deepEqual(JSON.parse(kept!), {
      errors: [],
      actions: [{ ...keep, message: Buffer.from(changed).toString('base64') }],
    })
    const marked = trial('require "imap4flags"; if hasflag "\\\\Seen" { addflag "$x"; }', {
      settings: { flags: ['\\Seen'] },
    })
    assert.deepEqual(JSON.parse((await run(['sieve', 'run', '--jsonl'], marked)).out), {
      errors: [],
      actions: [{ ...keep, flags: ['\\Seen', '$x'] }],
    })
    assert.equal((await run(['sieve', 'run'], '')).status, 2)
  })

  test('each line of trials has one answer, whatever it is, and none ends the others', async () => {
    const text = 'Subject: 会議??>>\n\n本文\n'
    const base64 = Buffer.from(text).toString('base64')
    const script = 'if header "subject" "会議??>>" { discard; }'
    const lines: readonly (readonly [line: string, answer: string])[] = [
      ['', 'the line is no JSON'],
      ['null', 'Invalid input'],
      ['{}', 'script: '],
      [JSON.stringify({ script }), 'message: '],
      [JSON.stringify({ script, message: '!' }), 'message: no base64'],
      [JSON.stringify({ script, message: base64, envelope: [] }), 'envelope: '],
      ['{"script":"keep;","message":"" , ', 'the line is no JSON'],
      [`${JSON.stringify({ script, message: base64 })}\r`, 'discard'],
      [JSON.stringify({ script, message: base64.replace(/.{20}/g, '$&\r\n') }), 'discard'],
      [JSON.stringify({ script, message: Buffer.from(text).toString('base64url') }), 'discard'],
      [JSON.stringify({ script, message: '' }), 'keep'],
      [JSON.stringify({ script: `${script}\0`, message: base64 }), 'there is a NUL'],
      [JSON.stringify({ script: 'keep;'.repeat(200_000), message: base64 }), 'keep'],
      [JSON.stringify({ script: '#'.repeat(1_048_577), message: base64 }), 'longer than'],
    ]
    const input = `\ufeff${lines.map(([line]) => line).join('\n')}\n`
    const { out, status, err } = await run(['sieve', 'run', '--jsonl'], input)
    const answers = out.trimEnd().split('\n')
    assert.equal(answers.length, lines.length)
    for (const [i, [line, wanted]] of lines.entries()) {
      const { errors, actions } = JSON.parse(answers[i]!) as {
        errors: { line: number; message: string }[]
        actions: { kind: string }[]
      }
      const said =
        errors.length > 0 ? errors.map(({ message }) => message) : actions.map(({ kind }) => kind)
      assert.ok(said.join().includes(wanted), `${line.slice(0, 80)}: ${said.join()}`)
      for (const error of errors) assert.equal(typeof error.line, 'number')
    }
    assert.equal(status, 1)
    assert.match(err, /7 of the lines could not be read/)
  })

  test('the help names every noun as its own module does', async () => {
    const flat = (text: string): string => text.replace(/\s+/g, ' ')
    const help = flat(await done(['--help']))
    for (const [noun, { text, usage }] of Object.entries(NOUNS)) {
      assert.match(help, new RegExp(` ${usage} (?:\\[options\\] )?`), noun)
      const own = flat(await done([noun, '--help']))
      assert.ok(own.startsWith(`Usage: watari ${noun} `), own)
      assert.ok(help.includes(` ${text} `) && own.includes(` ${text} `), own)
    }
  })
})
