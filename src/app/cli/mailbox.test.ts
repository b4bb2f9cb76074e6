import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, systemClock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { keepingOf } from '#engine/retention/keeping.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { NewEvent } from '#model/event.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { adminApp } from '#server/admin/app.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { keepingCalls, remoteKeeping } from '#app/nodes/keeping-calls.ts'
import { closeServer, dialPath, servePath } from '#app/nodes/node-parts.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { runCli } from './run.ts'

const TOKEN = 'token-of-the-test'
const accountId = 'account-1' as AccountId
const store = new FakeMailboxStore()
const { clock } = store
const events: NewEvent[] = []
let dir = ''
let ends: (() => unknown)[] = []

/** The command line, its API, the node API behind that and the store's rules behind both. */
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-cli-mailbox-'))
  const storePath = join(dir, 'store.sock')
  const told = { events: { emit: (event: NewEvent) => void events.push(event) }, clock }
  const node = await servePath(
    storePath,
    nodeServer({ calls: keepingCalls(keepingOf(store, clock), told) }),
  )
  const caller = new NodeCaller({ dial: dialPath(storePath), clock: systemClock })
  const quota = { messages: 10 }
  const account = {
    id: accountId,
    username: 'hanako',
    domain: 'campus.example',
    quota,
  } as Account
  const taro = { ...account, id: 'account-2', username: 'taro' } as Account
  const deps = {
    version: '0.1.0',
    clock,
    tokens: [{ name: 'admin', sha256: createHash('sha256').update(TOKEN).digest('hex') }],
    directory: {
      directory: {
        domain: () => undefined,
        account: (id: string) => [account, taro].find((each) => each.id === id),
        byLogin: (login: string) =>
          login === 'hanako@campus.example' ? account : login === 'taro' ? taro : undefined,
      },
      onChange: () => () => undefined,
    },
    settings: {
      settings: { 'mailbox.quotaBytes': 2 * 1024 * 1024, 'mailbox.quotaMessages': 5 },
    },
    keeping: () => ({ node: 'store', keeping: remoteKeeping(caller) }),
  } as unknown as AdminDeps
  const app = await adminApp(deps, silentLog)
  const server = createServer(app.listener)
  const adminSocket = join(dir, 'admin.sock')
  server.listen(adminSocket)
  await once(server, 'listening')
  await writeFile(join(dir, 'runtime.json'), JSON.stringify({ adminSocket }))
  await writeFile(join(dir, 'first-run.json'), JSON.stringify({ apiToken: TOKEN }))
  ends = [
    () => app.close(),
    () => server.closeAllConnections(),
    () => server.close(),
    () => closeServer(node),
  ]
})
after(async () => {
  for (const end of ends) await end()
  await store.close()
  await rm(dir, { recursive: true, force: true })
})

async function run(...args: readonly string[]) {
  let [out, err] = ['', '']
  const status = await runCli(['--data', dir, 'mailbox', ...args], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: async () => fromUtf8(''),
    // oxlint-disable-next-line require-yield
    async *input() {},
    env: {},
  })
  return { status, out, err }
}

async function done(...args: readonly string[]): Promise<string> {
  const { status, out, err } = await run(...args)
  assert.deepEqual([status, err], [0, ''], args.join(' '))
  return out
}

const HANAKO = 'hanako@campus.example'
const append = (path: MailboxPath, subject: string) =>
  store.commit({
    contents: [
      { octets: [fromUtf8(`From: 総務課 <soumu@x.example>\r\nSubject: ${subject}\r\n\r\n本文`)] },
    ],
    commits: [
      {
        accountId,
        changes: [
          {
            kind: 'append',
            mailbox: { path, create: true },
            content: 0,
            flags: 0,
            keywords: [],
            internalDateMs: 0,
          },
        ],
      },
    ],
  })
const lines = (text: string): string[] => text.trimEnd().split('\n')
const countIn = async (name: string): Promise<number> => {
  const body = JSON.parse(await done('ls', HANAKO, '--json'))
  return body.items.find((row: { name: string }) => row.name === name).messages
}

describe('watari mailbox', () => {
  test('shows what is kept and for how long, and changes it', async () => {
    const before = lines(await done('ls', HANAKO))
    assert.match(
      before.find((line) => line.startsWith('INBOX'))!,
      /0 octets\s+for ever$/,
    )
    assert.match(
      before.find((line) => line.startsWith('Junk/SPAM'))!,
      /30 days$/,
    )
    await append(['会議', '来週'], '資料')
    assert.equal(await done('retain', HANAKO, '会議', '1'), '会議: kept 1 day\n')
    const { items, used, quota } = JSON.parse(await done('ls', HANAKO, '--json'))
    assert.deepEqual([used.messages, quota], [1, { bytes: 2_097_152, messages: 10 }])
    assert.match(await done('ls', HANAKO), /\nused: \d+ octets of 2\.0 MiB, 1 message of 10\n$/)
    const week = items.find((row: { name: string }) => row.name === '会議/来週')
    assert.deepEqual([week.retainDays, week.retention], [1, 'inherit'])
    assert.equal(await done('retain', HANAKO, '会議/来週', 'forever'), '会議/来週: kept for ever\n')
    assert.equal(await done('retain', HANAKO, '会議/来週', 'inherit'), '会議/来週: kept 1 day\n')
    const told = events.filter(({ name }) => name === 'store.retention')
    assert.deepEqual(
      told.map(({ fields }) => [fields['mailbox'], fields['retention'], fields['by']]),
      [
        ['会議', 1, 'admin by cli this machine'],
        ['会議/来週', 'forever', 'admin by cli this machine'],
        ['会議/来週', 'inherit', 'admin by cli this machine'],
      ],
    )
    for (const days of ['0', '-1', '1.5', '', '99999x'])
      assert.equal((await run('retain', HANAKO, '会議', '--', days)).status, 2, days)
    const missing = await run('retain', HANAKO, '無い', '3')
    assert.equal(missing.status, 1)
    assert.match(missing.err, /there is no mailbox 無い.*watari mailbox ls hanako@campus\.example/)
    assert.match((await run('retain', HANAKO, '会議', '99999')).err, /36525/)
    assert.match((await run('ls', 'nobody@x')).err, /there is no user/)
  })

  test('lets others in, shows who they are, and ends it', async () => {
    await append(['申請'], '届')
    const acl = (...args: readonly string[]) => done('acl', ...args)
    assert.equal(await acl('ls', HANAKO, '申請'), 'nobody but the owner\n')
    assert.match(
      await acl('set', HANAKO, '申請', 'taro', 'lrsd'),
      /^taro@campus\.example\s+lrste$/m,
    )
    assert.match(await acl('set', HANAKO, '申請', 'anyone', 'l'), /^anyone\s+l$/m)
    assert.match(
      await acl('set', HANAKO, '申請', '--', '-taro', 'e'),
      /^-taro@campus\.example\s+e$/m,
    )
    const { items } = JSON.parse(await acl('ls', HANAKO, '申請', '--json'))
    assert.deepEqual(items, [
      { who: '-taro@campus.example', rights: 'e' },
      { who: 'taro@campus.example', rights: 'lrste' },
      { who: 'anyone', rights: 'l' },
    ])
    await acl('rm', HANAKO, '申請', 'anyone')
    await acl('rm', HANAKO, '申請', '--', '-taro')
    assert.doesNotMatch(await acl('ls', HANAKO, '申請'), /anyone|-taro/)
    const told = events.filter(({ name }) => name === 'store.granted')
    assert.deepEqual(
      told.map(({ fields }) =>
        ['mailbox', 'who', 'before', 'rights'].map((name) => fields[name]),
      )[0],
      ['申請', 'account-2', '', 'lrste'],
    )
    const refused = async (...args: readonly string[]): Promise<string> =>
      (await run('acl', ...args)).err
    assert.match(await refused('set', HANAKO, '申請', 'taro', 'lrz'), /lrz are no rights.*lrswite/)
    assert.match(await refused('set', HANAKO, '申請', 'nobody', 'lr'), /there is no user nobody/)
    assert.match(await refused('set', HANAKO, '無い', 'taro', 'lr'), /there is no mailbox 無い/)
    assert.match(await refused('set', HANAKO, '申請', HANAKO, 'lr'), /owns the mailbox/)
  })

  test('day 29 is kept, day 31 is gone, and comes back', async () => {
    for (let n = 1; n <= 3; n++) await append(['Junk', 'SPAM'], `当選 ${n}`)
    const start = clock.nowMs()
    const asOf = (days: number): string => new Date(start + days * DAY_MS).toISOString()
    assert.match(await done('expire', '--as-of', asOf(29), '--dry-run'), /会議\/来週/)
    assert.doesNotMatch(await done('expire', '--as-of', asOf(29)), /SPAM/)
    assert.equal(await countIn('Junk/SPAM'), 3)
    const dry = await done('expire', '--as-of', asOf(31), '--dry-run')
    assert.match(
      dry,
      /hanako@campus\.example\s+Junk\/SPAM\s+3\nwould delete 3 messages of 3 looked at/,
    )
    assert.equal(await countIn('Junk/SPAM'), 3)
    assert.match(await done('expire', '--as-of', asOf(31)), /deleted 3 messages/)
    assert.equal(await countIn('Junk/SPAM'), 0)
    assert.match(await done('expire'), /^deleted 0 messages of 0 looked at\n$/)
    const shown = await done('undelete', HANAKO, '--dry-run', '--mailbox', 'Junk/SPAM')
    assert.match(lines(shown)[1]!, /^Junk\/SPAM\s+\S+Z\s+\d+ octets\s+総務課\s+当選 1$/)
    assert.equal(lines(shown).length, 4)
    const since = new Date(clock.nowMs() + 1_000).toISOString()
    assert.equal(await done('undelete', HANAKO, '--since', since), 'brought back 0 messages\n')
    assert.equal(
      await done('undelete', HANAKO, '--mailbox', 'junk/SPAM'),
      'brought back 0 messages\n',
    )
    assert.equal(
      await done('undelete', HANAKO, '--mailbox', 'Junk/SPAM'),
      'brought back 3 messages\n',
    )
    assert.equal(await countIn('Junk/SPAM'), 3)
    assert.deepEqual(JSON.parse(await done('undelete', HANAKO, '--json')), { restored: 1 })
    const names = events.slice(-4).map(({ name, fields }) => `${name} ${fields['messages']}`)
    assert.deepEqual(names, [
      'store.expired 1',
      'store.expired 3',
      'store.undeleted 3',
      'store.undeleted 1',
    ])
  })

  test('says what is wrong with a date', async () => {
    const { status, err } = await run('expire', '--as-of', '来月')
    assert.equal(status, 2)
    assert.match(err, /来月: give a date such as 2026-12-31/)
  })

  test('counts anew at once, and says what was wrong', async () => {
    await append(['会計'], '議事録')
    const right = lines(await done('ls', HANAKO))
    assert.match(
      await done('recount', HANAKO),
      /^hanako@campus\.example holds .*: all counts were right\n$/,
    )
    store.spoil(`UPDATE account SET used_bytes = used_bytes + 700, used_messages = used_messages - 1;
      UPDATE mailbox SET messages = messages + 3, unseen = 0 WHERE name = '会計'`)
    assert.notDeepEqual(lines(await done('ls', HANAKO)), right)
    const table = lines(await done('recount', HANAKO))
    assert.match(table[1]!, /^会計\s+3\s+-1\s+0\s+0$/)
    assert.match(table[2]!, /^\(in all\)\s+-1\s+700$/)
    assert.match(table[3]!, /: the counts are right now$/)
    const told = events.filter(({ name }) => name === 'store.recounted')
    assert.deepEqual(
      told.map(({ fields }) => [fields['bytes'], fields['messages'], fields['mailboxes']]),
      [[700, -1, 1]],
    )
    assert.deepEqual(lines(await done('ls', HANAKO)), right)
    const { wrong, mailboxes } = JSON.parse(await done('recount', HANAKO, '--json'))
    assert.deepEqual([wrong, mailboxes], [{ bytes: 0, messages: 0 }, []])
    assert.equal((await run('recount', 'nobody@x')).status, 1)
  })

  test('shows which messages can no longer be read', async () => {
    assert.equal(await done('damaged'), 'no message is known to be damaged\n')
    await append(['書庫'], '壊れる資料')
    store.blobs.rot('content', '壊れる資料')
    assert.equal((await store.scrub({ limitBytes: 1_000_000 })).damaged.length, 1)
    const [, row] = lines(await done('damaged'))
    assert.match(row!, /^hanako@campus\.example\s+書庫\s+1\s+20\d\d-/)
    const { items } = JSON.parse(await done('damaged', '--json'))
    assert.deepEqual([items.length, items[0].uid, items[0].expunged], [1, 1, false])
  })
})
