import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { ScramClient } from '#test/fake/scram-client.ts'
import { onPath, runHere } from '#test/peers/clients.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { smtpSession, wire } from './wire.ts'
import type { Wire } from './wire.ts'

const PASSWORD = '渡り鳥 ｶｷﾞ　&"'
const SSHA_PASSWORD = '古い鍵'
const SALT = Buffer.from('salt-of-8')
const SSHA = `{SSHA}${Buffer.concat([
  createHash('sha1').update(SSHA_PASSWORD).update(SALT).digest(),
  SALT,
]).toString('base64')}`
const BINDINGS = ['tls-exporter', 'tls-server-end-point'] as const
const BOTH = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']

/** One protocol on one port, in TLS: what it offers, and how its SASL exchange looks. */
interface Door {
  readonly port: number
  open(watari: Installation): Promise<Wire>
  offered(session: Wire): Promise<readonly string[]>
  begin(mechanism: string): string
  readonly challenge: RegExp
  readonly end: RegExp
  readonly ok: RegExp
  /** What both say stands in quotes, and the server's last word stands beside its success. */
  readonly quotes?: true
}

const found = (text: string): readonly string[] => text.match(/SCRAM-[A-Z0-9-]+/g) ?? []

const imapDoor = (port: 143 | 993): Door => ({
  port,
  open: async (watari) => {
    const session = await wire(watari.port(port), port === 993 ? { tlsCa: watari.ca } : {})
    const greeting = await session.until(/^\* OK .*\r\n/)
    if (port === 143) {
      assert.deepEqual(found(greeting), [], 'not before TLS')
      session.send('s STARTTLS\r\n')
      await session.until(/^s OK .*\r\n/m)
      await session.startTls(watari.ca)
    }
    return session
  },
  offered: async (session) => {
    session.send('c CAPABILITY\r\n')
    return found(await session.until(/^c OK .*\r\n/m))
  },
  begin: (mechanism) => `a AUTHENTICATE ${mechanism}`,
  challenge: /^\+ .*\r\n/,
  end: /^a .*\r\n/m,
  ok: /^a OK /m,
})

const pop3Door = (port: 110 | 995): Door => ({
  port,
  open: async (watari) => {
    const session = await wire(watari.port(port), port === 995 ? { tlsCa: watari.ca } : {})
    await session.until(/^\+OK .*\r\n/)
    if (port === 110) {
      session.send('CAPA\r\n')
      assert.deepEqual(found(await session.until(/\r\n\.\r\n/)), [], 'not before TLS')
      session.send('STLS\r\n')
      await session.until(/^\+OK .*\r\n/)
      await session.startTls(watari.ca)
    }
    return session
  },
  offered: async (session) => {
    session.send('CAPA\r\n')
    return found(await session.until(/\r\n\.\r\n/))
  },
  begin: (mechanism) => `AUTH ${mechanism}`,
  challenge: /^\+ .*\r\n/,
  end: /^(?:\+OK|-ERR) .*\r\n/,
  ok: /^\+OK /,
})

const smtpDoor = (port: 465 | 587): Door => ({
  port,
  open: (watari) =>
    smtpSession({
      port: watari.port(port),
      tls: port === 465 ? 'implicit' : 'starttls',
      ca: watari.ca,
    }),
  offered: async (session) => found(await session.smtp('EHLO client.example')),
  begin: (mechanism) => `AUTH ${mechanism}`,
  challenge: /^334 .*\r\n/,
  end: /^[245].*\r\n/,
  ok: /^235 /,
})

const sieveDoor: Door = {
  port: 4190,
  open: async (watari) => {
    const session = await wire(watari.port(4190))
    assert.deepEqual(found(await session.until(/^OK .*\r\n/m)), [], 'not before TLS')
    session.send('STARTTLS\r\n')
    await session.until(/^OK .*\r\n/m)
    await session.startTls(watari.ca)
    await session.until(/^OK .*\r\n/m)
    return session
  },
  offered: async (session) => {
    session.send('CAPABILITY\r\n')
    return found(await session.until(/^OK .*\r\n/m))
  },
  begin: (mechanism) => `AUTHENTICATE "${mechanism}"`,
  challenge: /^"[^"]*"\r\n/,
  end: /^(?:OK|NO) .*\r\n/,
  ok: /^OK /,
  quotes: true,
}

const DOORS = [
  imapDoor(143),
  imapDoor(993),
  pop3Door(110),
  pop3Door(995),
  smtpDoor(587),
  smtpDoor(465),
  sieveDoor,
]

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const decoded = (line: string): string =>
  Buffer.from(/^"(.*)"/.exec(line)?.[1] ?? line.trim().split(' ')[1] ?? '', 'base64').toString()

/** One exchange on a session of its own; what the server said in the end, `ok` where it let us in. */
async function logIn(
  watari: Installation,
  door: Door,
  how: {
    readonly mechanism: string
    readonly login?: string
    readonly password?: string
    readonly header?: string
    readonly channel?: (session: Wire) => Buffer
  },
): Promise<string> {
  const session = await door.open(watari)
  try {
    const channel = how.channel?.(session)
    const client = new ScramClient({
      login: how.login ?? 'hanako',
      password: how.password ?? PASSWORD,
      ...(how.header !== undefined && { header: how.header }),
      ...(channel !== undefined && { channel }),
    })
    const next = async (): Promise<string> =>
      session.until(new RegExp(`${door.challenge.source}|${door.end.source}`, 'm'))
    session.send(`${door.begin(how.mechanism)}\r\n`)
    for (const answer of [
      () => client.first(),
      (said: string) => client.final(said),
      (said: string) => {
        client.trusts(said)
        return ''
      },
    ]) {
      const line = await next()
      const last = /^OK \(SASL ("[^"]*")\)/.exec(line)?.[1]
      if (last !== undefined) answer(decoded(last))
      if (last !== undefined) return 'ok'
      if (!door.challenge.test(line)) return line
      const said = base64(answer(decoded(line)))
      session.send(door.quotes === true ? `"${said}"\r\n` : `${said}\r\n`)
    }
    const end = await session.until(door.end)
    return door.ok.test(end) ? 'ok' : end
  } finally {
    session.close()
  }
}

const offeredAt = async (watari: Installation, door: Door): Promise<readonly string[]> => {
  const session = await door.open(watari)
  const offered = await door.offered(session).finally(() => session.close())
  return [...new Set(offered)].toSorted()
}

describe('SCRAM at every door', () => {
  let watari: Installation
  let cli: CommandLine
  before(async () => {
    watari = await install()
    cli = commandLine(watari)
    await cli.run(['user', 'passwd', 'hanako', '--password-stdin'], PASSWORD)
  })
  after(() => watari.remove())

  const loggedIn = async (door: Door, how: Omit<Parameters<typeof logIn>[2], never>) => {
    await until(`${door.port} lets in`, async () => {
      const said = await logIn(watari, door, how)
      return said === 'ok' || !said.includes('IN-USE') ? (assert.equal(said, 'ok'), true) : false
    })
  }

  it('submission offers to bind the channel only where that is set: NeoMutt would choose it and fail', async () => {
    for (const door of DOORS.filter(({ port }) => port === 587 || port === 465)) {
      assert.deepEqual(await offeredAt(watari, door), ['SCRAM-SHA-256'])
      // Who could bind it, and hears that we do not offer that, is let in (RFC 5802 §6).
      await loggedIn(door, { mechanism: 'SCRAM-SHA-256', header: 'y,,' })
    }
    await cli.run(['settings', 'set', 'auth.submissionScramPlus', 'true'])
  })

  it('lets in with and without the channel bound, and proves itself', async (t) => {
    let logins = 0
    for (const door of DOORS) {
      assert.deepEqual(await offeredAt(watari, door), BOTH, String(door.port))
      await loggedIn(door, { mechanism: 'SCRAM-SHA-256' })
      const prepared = PASSWORD.normalize('NFKC')
      await loggedIn(door, { mechanism: 'scram-sha-256', password: prepared })
      for (const type of BINDINGS)
        await loggedIn(door, {
          mechanism: 'SCRAM-SHA-256-PLUS',
          login: 'HANAKO@campus.example',
          header: `p=${type},,`,
          channel: (session) => session.channel(type),
        })
      logins += 4
    }
    t.diagnostic(`${logins} logins`)
  })

  it('refuses another channel, a hidden PLUS, a wrong password and a name that is not there', async () => {
    for (const door of DOORS) {
      const elsewhere = await door.open(watari)
      const other = elsewhere.channel('tls-exporter')
      elsewhere.close()
      const refused = /AUTHENTICATIONFAILED|\[AUTH\]|^535 |^NO "Wrong/
      assert.match(
        await logIn(watari, door, {
          mechanism: 'SCRAM-SHA-256-PLUS',
          header: 'p=tls-exporter,,',
          channel: () => other,
        }),
        refused,
      )
      const hidden = await logIn(watari, door, { mechanism: 'SCRAM-SHA-256', header: 'y,,' })
      assert.match(hidden, /channel binding does not fit/)
    }
    const [door] = DOORS as [Door]
    for (const who of [{ password: '違う' }, { login: 'nobody' }, { login: '誰か' }])
      assert.match(
        await logIn(watari, door, { mechanism: 'SCRAM-SHA-256', ...who }),
        /^a NO \[AUTHENTICATIONFAILED\] Wrong user name or password/m,
      )
  })

  it('gsasl and mpop log in by it', async (t) => {
    const password = 'watari-tori'
    await cli.run(['user', 'passwd', 'taro', '--password-stdin'], password)
    const ca = join(watari.dir, 'tls/ca.pem')
    const ran: string[] = []
    if (onPath('gsasl'))
      for (const [protocol, port] of [
        ['--imap', 143],
        ['--smtp', 587],
      ] as const)
        for (const mechanism of BOTH) {
          const result = await runHere('gsasl', [
            protocol,
            '--verbose',
            `--x509-ca-file=${ca}`,
            `--mechanism=${mechanism}`,
            // It keeps to RFC 5802 §6: with a channel to bind it takes PLUS, where that is offered.
            ...(mechanism.endsWith('PLUS') ? [] : ['--no-cb']),
            '--authentication-id=taro',
            `--password=${password}`,
            'localhost',
            String(watari.port(port)),
          ])
          const said = `${result.stdout.toString()}${result.stderr}`
          assert.equal(result.status, 0, said)
          ran.push(`gsasl ${protocol} ${mechanism}`)
        }
    if (onPath('mpop')) {
      const result = await runHere('mpop', [
        '--host=localhost',
        `--port=${watari.port(995)}`,
        '--tls=on',
        '--tls-starttls=off',
        `--tls-trust-file=${ca}`,
        '--auth=scram-sha-256',
        '--user=taro',
        `--passwordeval=echo ${password}`,
        '--status-only',
        '--delivery=mda,true',
      ])
      assert.equal(result.status, 0, result.stderr)
      ran.push('mpop SCRAM-SHA-256')
    }
    if (ran.length === 0) return t.skip('no gsasl, no mpop')
    t.diagnostic(ran.join(', '))
  })

  it('is not offered while somebody has a hash of another system, until that one has logged in', async () => {
    await cli.run(['user', 'add', 'furui', '--hash-stdin'], `${SSHA}\n`)
    for (const door of DOORS) {
      assert.deepEqual(await offeredAt(watari, door), [], String(door.port))
      const said = await logIn(watari, door, { mechanism: 'SCRAM-SHA-256' })
      assert.match(said, /not offered/)
    }
    const session = await wire(watari.port(995), { tlsCa: watari.ca })
    await session.until(/^\+OK .*\r\n/)
    session.send(`USER furui\r\nPASS ${SSHA_PASSWORD}\r\nQUIT\r\n`)
    await session.until(/^\+OK .*\r\n\+OK .*\r\n/)
    session.close()
    for (const door of DOORS)
      await until(
        `${door.port} offers it again`,
        async () => (await offeredAt(watari, door)).length === 2,
      )
    const [door] = DOORS as [Door]
    const who = { login: 'furui', password: SSHA_PASSWORD }
    await loggedIn(door, { mechanism: 'SCRAM-SHA-256', ...who })
  })

  it('is for nobody where the setting says so', async () => {
    const [door] = DOORS as [Door]
    await cli.run(['settings', 'set', 'auth.scram', 'false'])
    assert.deepEqual(await offeredAt(watari, door), [])
    await cli.run(['user', 'passwd', 'hanako', '--password-stdin'], '新しい鍵')
    await cli.run(['settings', 'set', 'auth.scram', 'true'])
    assert.deepEqual(await offeredAt(watari, door), [], 'hanako has no keys of the new password')
  })
})
