import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'
import { assertAligned, commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap } from './mail.ts'
import { sendBy, smtpSession } from './wire.ts'

const OUTSIDER = 'student@other.example'
const PASSWORD = Buffer.from(' a&b "ひらがな\\ ')

interface Queue {
  readonly items: readonly {
    readonly queueId: string
    readonly recipients: readonly {
      readonly address: string
      readonly state: string
      readonly attempts: number
      readonly lastStatus?: string
    }[]
  }[]
}
interface Trace {
  readonly items: readonly {
    readonly deliveryId: string
    readonly events: readonly { readonly node: string; readonly name: string }[]
  }[]
}

describe('the verbs of the command line', () => {
  let watari: Installation
  let sink: Sink
  let cli: CommandLine
  before(async () => {
    sink = await startSink()
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
    await cli.run(['access', 'add', '127.0.0.1'])
  })
  after(async () => {
    await watari.remove()
    await sink.close()
  })

  let count = 0
  const mailTo = (to: string): { readonly id: string; readonly content: string } => {
    const id = `<verbs-${++count}@other.example>`
    const head = `From: ${OUTSIDER}\r\nTo: ${to}\r\nSubject: 会議\r\nMessage-ID: ${id}\r\n`
    return { id, content: `${head}Date: Wed, 25 Nov 2026 10:00:00 +0900\r\n\r\n水曜日です。\r\n` }
  }
  /** The answer to a mail from outside, by the MX. */
  const mx = (to: string): Promise<string> =>
    sendBy({ port: watari.port(25) }, { from: OUTSIDER, to, content: mailTo(to).content })
  /** Hands a mail to the relay; its Message-ID. */
  const relayed = async (to: string): Promise<string> => {
    const { id, content } = mailTo(to)
    assert.match(await sendBy({ port: watari.port(26) }, { from: OUTSIDER, to, content }), /^250 /)
    return id
  }
  const logsIn = async (user: string, password: string | Buffer): Promise<boolean> => {
    const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca } as const
    try {
      const session = await smtpSession({ ...way, login: { user, password } })
      session.close()
      return true
    } catch (thrown) {
      assert.match(String(thrown), /AUTH: 535 5\.7\.8 /)
      return false
    }
  }
  const queued = async (to: string): Promise<Queue['items'][number] | undefined> =>
    (await cli.json<Queue>(['queue', 'ls', '--address', to])).items[0]
  const stateOf = async (to: string) => (await queued(to))?.recipients[0]?.state
  const atSink = (to: string) =>
    sink.mails.filter(({ rcpts }) => rcpts.some((line) => line.includes(`<${to}>`))).length

  it('domain: what is added is ours at once, and what is removed is not', async () => {
    assert.match(await mx('nobody@dept.example'), /^550 5\.7\.1 /)
    assert.equal(await cli.run(['domain', 'add', 'dept.example']), 'added dept.example\n')
    assert.match(await mx('nobody@dept.example'), /^550 5\.1\.1 /)
    const sub = ['domain', 'add', 'sub.dept.example', '--convert-to', 'dept.example']
    await cli.run(sub)
    const table = await cli.run(['domain', 'ls'])
    assertAligned(table)
    assert.match(table, /^DOMAIN +CONVERTED TO +DEFAULT +QUOTA\n/)
    assert.match(table, /^campus\.example +yes$/m)
    assert.match(table, /^sub\.dept\.example +dept\.example +no$/m)
    const { items } = await cli.json<{ items: unknown[] }>(['domain', 'ls'])
    assert.equal(items.length, 4)
    assert.match(await cli.refused(sub, 1), /is there already/)
    assert.match(await cli.refused(['domain', 'add', 'a b'], 1), /no domain name\. Give a name/)
    assert.match(await cli.refused(['domain', 'rm', 'dept.example'], 1), /Remove sub\.dept/)
    const set = ['domain', 'set', 'sub.dept.example']
    const own = await cli.run([...set, '--no-conversion'])
    assert.equal(own, 'sub.dept.example has addresses of its own\n')
    const converted = await cli.run([...set, '--convert-to', 'dept.example'])
    assert.equal(converted, 'sub.dept.example is converted to dept.example\n')
    assert.match(await cli.refused(set, 2), /give --convert-to DOMAIN, --no-conversion or a quota/)
    await cli.run(['domain', 'rm', 'sub.dept.example'])
    assert.equal(await cli.run(['domain', 'rm', 'dept.example']), 'removed dept.example\n')
    assert.match(await mx('nobody@dept.example'), /^550 5\.7\.1 /)
    assert.match(await cli.refused(['domain', 'rm', 'dept.example'], 1), /watari domain ls shows/)
  })

  it('domain: one in Japanese letters takes mail in its A-labels, too', async () => {
    await cli.run(['domain', 'add', '大阪.example'])
    await cli.run(['user', 'add', 'saku@大阪.example', '--password-stdin'], PASSWORD)
    assert.match(await cli.refused(['domain', 'add', 'xn--pssu33l.example'], 1), /is there already/)
    for (const to of ['saku@xn--pssu33l.example', 'Saku+a@XN--PSSU33L.example'])
      assert.match(await mx(to), /^250 /)
    assert.match(await mx('nobody@xn--pssu33l.example'), /^550 5\.1\.1 /)
    for (const user of ['saku@大阪.example', 'saku@xn--pssu33l.example'])
      assert.equal(await logsIn(user, PASSWORD), true)
    const { id, content } = mailTo('saku@大阪.example')
    const to = ['saku@xn--pssu33l.example', 'saku@大阪.example']
    const mail = { from: OUTSIDER, to, content, smtpUtf8: true }
    assert.match(await sendBy({ port: watari.port(25) }, mail), /^250 /)
    const client = await imap(watari, 'saku@xn--pssu33l.example', PASSWORD.toString())
    await until('it is there', async () => (await copiesOf(client, id)).length > 0)
    await until('the queue is empty', async () => {
      return (await cli.json<Queue>(['queue', 'ls'])).items.length === 0
    })
    assert.equal((await copiesOf(client, id)).length, 1)
    await client.logout()
    assert.match(await cli.refused(['domain', 'rm', 'xn--pssu33l.example'], 1), /has an address in/)
    await cli.run(['user', 'delete', 'saku@xn--pssu33l.example'])
    await cli.run(['domain', 'rm', 'xn--pssu33l.example'])
    assert.doesNotMatch(await cli.run(['domain', 'ls']), /大阪/)
  })

  it('user: logs in and gets mail from its first second on, with any octets as password', async () => {
    const add = ['user', 'add', 'jiro', '--password-stdin', '--name', '山田 次郎']
    const line = Buffer.concat([PASSWORD, Buffer.from('\n')])
    const added = await cli.run([...add, '--address', 'j.yamada@campus.example'], line)
    assert.equal(added, 'added jiro@campus.example\n')
    assert.equal(await logsIn('jiro', PASSWORD), true)
    assert.equal(await logsIn('j.yamada@lab.campus.example', PASSWORD), true)
    assert.equal(await logsIn('jiro', line), false)
    assert.match(await mx('j.yamada@campus.example'), /^250 /)
    const shown = await cli.run(['user', 'show', 'j.yamada@campus.example'])
    assert.match(shown, /^address: +jiro@campus\.example\nname: +山田 次郎\n/)
    assert.match(shown, /^further addresses: j\.yamada@campus\.example$/m)
    const table = await cli.run(['user', 'ls'])
    assertAligned(table)
    assert.match(table, /^jiro@campus\.example +山田 次郎 +user +no$/m)
    const search = ['user', 'ls', '--search', '次郎']
    const found = await cli.json<{ items: { username: string }[] }>(search)
    assert.deepEqual(
      found.items.map(({ username }) => username),
      ['jiro'],
    )
    assert.match(await cli.refused(add, 1, 'x'), /belongs to jiro/)
    assert.match(await cli.refused(['user', 'show', '誰か'], 1), /no user 誰か\. watari user ls/)
    assert.match(await cli.refused(['user', 'add', 'x'], 2), /--password-stdin/)
    const elsewhere = ['user', 'add', 'x@y.example', '--password-stdin']
    assert.match(await cli.refused(elsewhere, 1, 'x'), /watari domain add y\.example/)
  })

  it('user passwd, disable, enable, delete: what the next login and the next mail see', async () => {
    await cli.run(['user', 'passwd', 'jiro', '--password-stdin'], '新しい & \n')
    assert.equal(await logsIn('jiro', PASSWORD), false)
    assert.equal(await logsIn('jiro', '新しい &'), false)
    assert.equal(await logsIn('jiro', '新しい & '), true)
    const never = ['user', 'passwd', 'jiro', '--password-stdin']
    assert.match(await cli.refused(never, 1, 'a\n\n'), /cannot be a password\. Give 1 to 1,000/)
    assert.match(await cli.refused(['user', 'passwd', 'jiro'], 2), /--password-stdin/)
    assert.equal(await cli.run(['user', 'disable', 'jiro']), 'disabled jiro@campus.example\n')
    assert.equal(await logsIn('jiro', '新しい & '), false)
    assert.match(await mx('jiro@campus.example'), /^250 /)
    assert.match(await cli.run(['user', 'ls']), /^jiro@campus\.example +山田 次郎 +user +yes$/m)
    assert.equal(await cli.run(['user', 'enable', 'jiro']), 'enabled jiro@campus.example\n')
    assert.equal(await logsIn('jiro', '新しい & '), true)
    assert.equal(await cli.run(['user', 'delete', 'jiro']), 'deleted jiro\n')
    assert.equal(await logsIn('jiro', '新しい & '), false)
    assert.match(await mx('jiro@campus.example'), /^550 5\.1\.1 /)
    for (const verb of ['disable', 'enable', 'delete'])
      assert.match(await cli.refused(['user', verb, 'jiro'], 1), /there is no user jiro/)
  })

  it('user rename, release, undelete, bulk: who is called otherwise, comes back, changes with others', async () => {
    await cli.run(['user', 'undelete', 'jiro'])
    assert.equal(await logsIn('jiro', '新しい & '), true)
    assert.match(
      await cli.run(['user', 'rename', 'jiro', '次郎']),
      /^renamed to 次郎@campus\.example/,
    )
    assert.match(await mx('jiro@campus.example'), /^250 /)
    assert.equal(await cli.run(['user', 'release', 'jiro']), 'jiro is free\n')
    assert.match(await mx('jiro@campus.example'), /^550 5\.1\.1 /)
    const bulk = ['user', 'bulk', '--user', '次郎', '--user', '誰か', '--add-tag', '2027入学']
    assert.match(await cli.run(bulk), /1 user changed, 0 the same, 1 refused\n$/)
    assert.equal(await cli.run(['user', 'rm', '次郎', '--for-good']), 'deleted 次郎\n')
    assert.match(await cli.refused(['user', 'undelete', '次郎'], 1), /there is no user 次郎/)
  })

  it('user choices, vacation: what somebody wants of the mail, shown, changed, and as a script', async () => {
    await cli.run(
      ['user', 'choices', 'taro', '--set', '-'],
      '{"junk":{"spam":"junk","suspected":"inbox"}}',
    )
    assert.match(await cli.run(['user', 'choices', 'taro', '--script']), /fileinto :create "Junk"/)
    await cli.run(['user', 'vacation', 'taro', '--on', '--text', '-'], '不在です。\n')
    assert.match(await cli.run(['user', 'choices', 'taro', '--script']), /vacation .*不在です。/su)
    await cli.run(['user', 'vacation', 'taro', '--off'])
    assert.doesNotMatch(await cli.run(['user', 'choices', 'taro', '--script']), /^\s*vacation/mu)
    await cli.run(['user', 'choices', 'taro', '--set', '-'], '{"junk":null}')
  })

  it('user app-password: made by us, shown once, for programs alone, taken back', async () => {
    const add = ['user', 'app-password', 'add', 'taro']
    const made = await cli.json<{ id: string; password: string }>([...add, '電話 📱'])
    const printer = (await cli.run([...add, '複合機', '--protocol', 'smtp'])).trim()
    assert.match(printer, /^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/)
    const table = await cli.run(['user', 'app-password', 'ls', 'taro'])
    assert.match(table, /電話 📱 .* all +never$/m)
    assert.match(table, /複合機 .* smtp +never$/m)
    assert.doesNotMatch(table, new RegExp(printer))
    assert.match(await cli.refused([...add, 'x', '--protocol', 'ftp'], 2), /one of imap, pop3/)
    assert.match(await cli.refused([...add, ' '], 1), /is no name/)
    const rm = ['user', 'app-password', 'rm', 'taro', made.id]
    assert.equal(await cli.run(rm), `took ${made.id} of taro back\n`)
    assert.match(await cli.refused(rm, 1), /user app-password ls USER/)
    const { items } = await cli.json<{ items: { id: string }[] }>([
      'user',
      'app-password',
      'ls',
      'taro',
    ])
    await cli.run(['user', 'app-password', 'rm', 'taro', items[0]!.id])
  })

  it('user set: name, further addresses, and under which others it may send', async () => {
    const submits = (from: string): Promise<string> => {
      const login = { user: 'taro', password: watari.password('taro') }
      const content = `From: ${from}\r\nSubject: 会議\r\n\r\n水曜日です。\r\n`
      const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca, login } as const
      return sendBy(way, { from, to: 'hanako@campus.example', content })
    }
    assert.match(await submits('soumu@campus.example'), /^550 5\.7\.1 /)
    assert.match(await mx('t.suzuki@campus.example'), /^550 5\.1\.1 /)
    const set = [
      'user',
      'set',
      'taro',
      '--name',
      '鈴木 太郎',
      '--address',
      't.suzuki@campus.example',
    ]
    const shown = await cli.run([...set, '--send-as', 'soumu@campus.example', '--admin'])
    assert.match(shown, /^name: +鈴木 太郎$/m)
    assert.match(shown, /^may send as: +soumu@campus\.example$/m)
    assert.match(shown, /^role: +administrator$/m)
    assert.match(await submits('soumu@campus.example'), /^250 /)
    assert.match(await submits('t.suzuki@campus.example'), /^250 /)
    assert.match(await mx('t.suzuki@campus.example'), /^250 /)
    const back = ['--remove-address', 'T.Suzuki@campus.example', '--no-admin']
    await cli.run(['user', 'set', 'taro', '--not-send-as', 'soumu@campus.example', ...back])
    assert.match(await submits('soumu@campus.example'), /^550 5\.7\.1 /)
    assert.match(await mx('t.suzuki@campus.example'), /^550 5\.1\.1 /)
    assert.match(
      await cli.refused(['user', 'set', 'taro', ...back], 1),
      /is not among them\. watari/,
    )
    assert.match(await cli.refused(['user', 'set', 'taro'], 2), /give what is to change/)
    const taken = ['user', 'set', 'taro', '--address', 'hanako@campus.example']
    assert.match(await cli.refused(taken, 1), /belongs to hanako@campus\.example/)
  })

  it('alias and forward: lead on while they stand', async () => {
    const add = ['alias', 'add', 'info', 'taro', '窓口@sink.example']
    const led = 'info@campus.example leads to taro@campus.example, 窓口@sink.example\n'
    assert.equal(await cli.run(add), led)
    const aliases = await cli.run(['alias', 'ls'])
    assertAligned(aliases)
    assert.match(aliases, /^info@campus\.example +taro@campus\.example, 窓口@sink\.example$/m)
    assert.match(await mx('info@campus.example'), /^250 /)
    assert.match(
      await cli.refused(add, 1),
      /is an alias already\. To change it: watari alias set info/,
    )
    await cli.run(['alias', 'set', 'info', 'hanako', 'taro'])
    assert.match(await cli.run(['alias', 'ls']), /^info@campus\.example +hanako@.*, taro@[^,]*$/m)
    assert.match(await cli.refused(['alias', 'set', 'info', 'info'], 1), /round in a circle/)
    await cli.run(['alias', 'rm', 'info'])
    assert.match(await mx('info@campus.example'), /^550 5\.1\.1 /)
    assert.match(await cli.refused(['alias', 'rm', 'info'], 1), /watari alias ls/)
    assert.match(await cli.refused(['alias', 'add', 'info'], 2), /missing required argument/)

    const set = ['forward', 'set', 'admin', 'hanako', '--keep']
    const forwarded = 'admin@campus.example is forwarded to hanako@campus.example, a copy is kept\n'
    assert.equal(await cli.run(set), forwarded)
    const forwards = await cli.run(['forward', 'ls'])
    assertAligned(forwards)
    assert.match(forwards, /^admin@campus\.example +hanako@campus\.example +yes$/m)
    assert.match(await cli.run(['user', 'show', 'admin']), /^keeps a copy: +yes$/m)
    const [, by] = [
      await relayed('admin@campus.example'),
      await cli.run(['forward', 'rm', 'admin']),
    ]
    assert.equal(by, 'admin is not forwarded any more\n')
    assert.match(await cli.refused(['forward', 'rm', 'admin'], 1), /admin@campus.* not forwarded/)
    assert.match(
      await cli.refused(['forward', 'set', 'nobody', 'x@y.example'], 1),
      /no user nobody/,
    )
  })

  it('route: decides where waiting and coming mail goes; queue release lets it', async () => {
    const to = '先生@sink.example'
    const mail = { from: OUTSIDER, to, content: mailTo('x').content, smtpUtf8: true }
    assert.equal(
      await cli.run(['route', 'set', 'sink.example', 'hold']),
      'sink.example goes to hold\n',
    )
    assert.match(await sendBy({ port: watari.port(26) }, mail), /^250 /)
    await until('it is held', async () => (await stateOf(to)) === 'held')
    const held = await cli.run(['queue', 'ls', '--state', 'held'])
    assertAligned(held)
    assert.match(held, /先生@sink\.example +held +its route holds mail: watari route ls$/m)
    assert.match(await cli.run(['status']), /^queue: +1 message; of its recipients 1 held$/m)
    const { queueId = '' } = (await queued(to)) ?? {}
    await cli.run(['route', 'set', 'sink.example', `smtp:127.0.0.1:${sink.port}`])
    const routes = await cli.run(['route', 'ls'])
    assertAligned(routes)
    assert.match(routes, new RegExp(`^sink\\.example +smtp:127\\.0\\.0\\.1:${sink.port}$`, 'm'))
    const released = await cli.run(['queue', 'release', queueId])
    assert.equal(released, `${queueId}: 1 recipient released\n`)
    await until('it is at the sink', () => atSink(to) === 1)
    await until('the queue is empty', async () => (await queued(to)) === undefined)
    assert.match(await cli.refused(['route', 'set', 'sink.example', 'ftp:x'], 1), /smtp:HOST:PORT/)
    assert.match(await cli.refused(['route', 'rm', 'nowhere.example'], 1), /watari route ls/)
    await cli.run(['route', 'set', 'one@sink.example', 'hold'])
    await relayed('one@sink.example')
    await until('the address is held', async () => (await stateOf('one@sink.example')) === 'held')
    await cli.run(['route', 'rm', 'one@sink.example'])
    await cli.run(['queue', 'release', (await queued('one@sink.example'))?.queueId ?? ''])
    await until('it is at the sink', () => atSink('one@sink.example') === 1)
  })

  it('route: people of a domain of ours may live on another server, and move one by one', async () => {
    const old = await startSink({ protocol: 'lmtp' })
    const atOld = (to: string) =>
      old.mails.filter(({ rcpts }) => rcpts.some((line) => line.includes(`<${to}>`))).length
    try {
      await cli.run(['route', 'set', 'campus.example', `lmtp:127.0.0.1:${old.port}`])
      await cli.run(['route', 'set', 'Hanako@Campus.Example', 'local'])
      assert.match(await cli.run(['route', 'ls']), /^hanako@campus\.example +local$/m)
      const id = await relayed('hanako+a@lab.campus.example')
      for (const name of ['taro+b', 'nobody'])
        assert.match(await mx(`${name}@lab.campus.example`), /^250 /)
      for (const name of ['taro+b', 'nobody'])
        await until(`${name} is there`, () => atOld(`${name}@campus.example`) === 1)
      await until('hanako has hers', async () => {
        const client = await imap(watari, 'hanako')
        const found = await copiesOf(client, id)
        await client.logout()
        return found.length === 1
      })
      await cli.run(['route', 'set', 'taro@campus.example', 'local'])
      assert.match(await mx('taro@campus.example'), /^250 /)
      for (const match of ['campus.example', 'hanako@campus.example', 'taro@campus.example'])
        assert.equal(await cli.run(['route', 'rm', match]), `removed ${match}\n`)
      assert.match(await mx('nobody@lab.campus.example'), /^550 5\.1\.1 /)
      assert.equal(old.mails.length, 2)
    } finally {
      await old.close()
    }
  })

  it('queue show, hold, retry, drop: act on what a next hop does not take now', async () => {
    const to = 'late@sink.example'
    sink.act = (step) => (step === 'rcpt' ? { say: '451 4.3.0 後で' } : undefined)
    await relayed(to)
    await until('it was tried', async () => (await queued(to))?.recipients[0]?.attempts === 1)
    const { queueId = '' } = (await queued(to)) ?? {}
    const shown = await cli.run(['queue', 'show', queueId])
    assert.match(shown, new RegExp(`^queue id: +${queueId}\nnode: +gateway\ndelivery id: +\\S+\n`))
    assert.match(shown, /^from: +student@other\.example\ncame by: +relay\nsize: +\d+ octets$/m)
    assertAligned(shown.slice(shown.indexOf('RECIPIENT')))
    assert.match(shown, /^late@sink\.example +ready +1 +\S+Z +451 4\.3\.0 後で$/m)
    assert.equal(await cli.run(['queue', 'hold', queueId]), `${queueId}: 1 recipient held\n`)
    assert.equal(await stateOf(to), 'held')
    assert.equal(await cli.run(['queue', 'hold', queueId]), `${queueId}: nothing to hold\n`)
    assert.equal(await cli.run(['queue', 'retry', queueId]), `${queueId}: nothing to retry\n`)
    sink.act = undefined
    await cli.run(['queue', 'release', queueId])
    await until('it is at the sink', () => atSink(to) === 1)

    sink.act = (step) => (step === 'rcpt' ? { say: '451 4.3.0 後で' } : undefined)
    for (const name of ['again', 'never']) await relayed(`${name}@sink.example`)
    const again = await waiting('again@sink.example')
    const never = await waiting('never@sink.example')
    const some = await cli.call(['queue', 'hold', 'nothing', never])
    assert.deepEqual([some.status, some.stdout], [1, `${never}: 1 recipient held\n`])
    assert.match(some.stderr, /^watari: no queue holds nothing\. /)
    const dropped = await cli.json<{ changed: number }>(['queue', 'drop', never])
    assert.equal(dropped.changed, 1)
    sink.act = undefined
    const retried = await cli.run(['queue', 'retry', again])
    assert.equal(retried, `${again}: 1 recipient to be tried again now\n`)
    await until('it is at the sink', () => atSink('again@sink.example') === 1)
    assert.equal(atSink('never@sink.example'), 0)
    assert.match(await cli.refused(['queue', 'show', never], 1), /watari queue ls shows/)
    assert.match(await cli.refused(['queue', 'drop', 'nothing'], 1), /no queue holds nothing/)
    assert.match(await cli.refused(['queue', 'ls', '--state', '待ち'], 2), /ready, claimed, held/)
    // Also no notice for the sender of what was dropped.
    await until('the queue is empty', async () => {
      return (await cli.json<Queue>(['queue', 'ls'])).items.length === 0
    })
    assert.match(await cli.run(['status']), /^queue: +empty$/m)
    assert.equal((await cli.run(['queue', 'ls'])).split('\n').length, 2)
  })

  it('trace: the way of one message from reception to mailbox, as a table and as JSON', async () => {
    const id = await relayed('hanako@lab.campus.example')
    const traced = async (): Promise<Trace['items'][number]> => {
      let found: Trace['items'][number] | undefined
      await until('all its events have come', async () => {
        const { stdout } = await cli.call(['trace', id, '--json'])
        found = (JSON.parse(stdout) as Trace).items[0]
        return found?.events.length === 3
      })
      return found!
    }
    const { deliveryId, events } = await traced()
    assert.deepEqual(
      events.map(({ node, name }) => `${node} ${name}`),
      ['gateway receive.accepted', 'store store.filed', 'gateway queue.delivered'],
    )
    for (const by of [id, deliveryId, 'hanako@lab.campus.example']) {
      const text = await cli.run(['trace', by])
      assert.ok(text.startsWith(`${deliveryId}\n`), text)
      const accepted =
        /receive\.accepted +door=relay ip=127\.0\.0\.1 .*from=student@other\.example /
      assert.match(text, accepted)
      assert.match(text, /recipients=hanako@campus\.example original=hanako@lab\.campus\.example /)
      assert.match(text, /store\.filed +recipient=hanako@campus\.example .*mailboxes=INBOX uid=\d+/)
      assert.match(text, /queue\.delivered .*nextHop=local status="250 2\.1\.5 /)
    }
    const client = await imap(watari, 'hanako')
    assert.equal((await copiesOf(client, id)).length, 1)
    await client.logout()
    const latest = await cli.run(['trace', OUTSIDER, '--limit', '2'])
    assert.match(latest, /\n\nthe latest 2; more with --limit\n$/)
    assert.match(await cli.refused(['trace', id, '--limit', '0'], 2), /--limit is 1 to 1000/)
    const nobody = await cli.call(['trace', '<nobody@nowhere.example>'])
    assert.deepEqual([nobody.status, nobody.stdout], [1, ''])
    assert.match(nobody.stderr, /^watari: nothing is known of <nobody@nowhere\.example>\. Give /)
  })

  it('scan, spam score, sieve check and test: judge files, and say why', async () => {
    const file = (name: string, content: string): string => {
      writeFileSync(join(watari.dir, name), content)
      return join(watari.dir, name)
    }
    const clean = file('clean.eml', mailTo('hanako@campus.example').content)
    const head = `From: ${OUTSIDER}\r\nTo: hanako@campus.example\r\nSubject: x\r\n\r\n`
    const eicar = file('eicar.eml', `${head}${EICAR.join('')}\r\n`)
    const gtube = file('gtube.eml', `${head}${GTUBE.join('')}\r\n`)
    const text = await cli.run(['scan', eicar])
    assert.match(text, /^class: +\w+$/m)
    assert.match(text, /^virus: +infected \(.*eicar.*\)$/im)
    const verdict = await cli.json<{ class: string; hits: unknown[] }>(['scan', gtube])
    assert.equal(verdict.class, 'spam')
    assert.ok(verdict.hits.length > 0)
    const none = join(watari.dir, 'none.eml')
    assert.match(await cli.refused(['scan', none], 1), /cannot be read \(ENOENT\)\. Name a file/)
    const scored = await cli.call(['spam', 'score', clean, gtube])
    assert.equal(scored.status, 0, scored.stderr)
    assert.match(scored.stderr, /^watari: judged offline, [^\n]*\n$/)
    const [first = [], second = []] = scored.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    assert.deepEqual([first[0], first[2], second[0], second[2]], [clean, 'clean', gtube, 'spam'])
    assert.ok(Number(first[1]) < Number(second[1]))
    const good = file('good.sieve', 'require "fileinto";\nfileinto "会議";\n')
    const bad = file('bad.sieve', 'keep;\nfileinto "会議";\n')
    assert.equal(await cli.run(['sieve', 'check', good]), `${good} is right\n`)
    const wrong = await cli.call(['sieve', 'check', bad])
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /bad\.sieve, line 2: .*\. Correct the script\.\n$/)
    const test = ['sieve', 'test', good, '--message', clean, '--to', 'hanako@campus.example']
    assert.equal(await cli.run(test), 'fileinto 会議\n')
    assert.match(await cli.refused(['sieve', 'test', good], 2), /--message/)
  })

  it('the program itself: octets on standard input, exit status, one line on standard error', async () => {
    const ended = async (args: readonly string[], input?: Buffer) => {
      const { status, stdout, stderr } = await watari.watari(args, input)
      return [status, stdout, stderr]
    }
    const passwd = ['user', 'passwd', 'taro', '--password-stdin']
    const octets = Buffer.from([0x20, 0x26, 0x82, 0xd0, 0xff, 0x20])
    const set = await ended(passwd, Buffer.concat([octets, Buffer.from('\n')]))
    assert.deepEqual(set, [0, 'taro has a new password\n', ''])
    assert.equal(await logsIn('taro', octets), true)
    assert.equal(await logsIn('taro', octets.subarray(0, -1)), false)
    const nobody = ['user', 'show', '誰か']
    const remedy = 'watari user ls shows the users.'
    const line = `watari: there is no user 誰か. ${remedy}\n`
    assert.deepEqual(await ended(nobody), [1, '', line])
    const error = { code: 'notFound', message: 'there is no user 誰か', remedy }
    assert.deepEqual(await ended([...nobody, '--json']), [1, '', `${JSON.stringify({ error })}\n`])
    const usage = "watari: unknown command 'nonsense'. Add --help to see what there is.\n"
    assert.deepEqual(await ended(['nonsense']), [2, '', usage])
  })

  it('wrong usage is exit status 2, and --help tells each verb, none of which was forgotten here', async () => {
    for (const args of [['nonsense'], ['user', 'nonsense'], ['user'], ['status', 'x'], ['--nope']])
      assert.match(await cli.refused(args, 2), /Add --help to see what there is\.\n$/)
    const nouns = namesIn(await cli.run(['--help']))
    assert.ok(nouns.includes('status') && nouns.includes('trace'), nouns.join(' '))
    for (const noun of ['domain', 'user', 'alias', 'forward', 'route', 'queue']) {
      const verbs = namesIn(await cli.run([noun, '--help']))
      assert.ok(verbs.length >= 3, noun)
      for (const verb of verbs) assert.ok(cli.ran.has(`${noun} ${verb}`), `${noun} ${verb}`)
    }
  })

  const waiting = async (to: string): Promise<string> => {
    await until('it was tried', async () => (await queued(to))?.recipients[0]?.attempts === 1)
    return (await queued(to))?.queueId ?? ''
  }
})

/** The commands of a help page. */
const namesIn = (help: string): string[] =>
  [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name]) =>
    name === undefined || name === 'help' ? [] : [name],
  )

// In pieces, so that no scanner takes this file for what it tests.
const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*']
const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN*', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X']
