import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'
import { install, runProgram, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { sendBy, smtpSession, wire } from './wire.ts'
import type { SmtpWay } from './wire.ts'

const FROM = 'hanako@campus.example'
const OUTSIDE = 'someone@sink.example'

/** 8-bit text, lines of dots, tabs and trailing blanks: what a next hop must get unchanged. */
const mailOf = (id: string): string =>
  [
    `From: =?utf-8?B?6Iqx5a2Q?= <${FROM}>`,
    `To: ${OUTSIDE}`,
    'Subject: =?iso-2022-jp?B?GyRCMnE1RBsoQg==?=',
    'Date: Wed, 25 Nov 2026 10:00:00 +0900',
    `Message-ID: <${id}@campus.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '会議は水曜日です。  ',
    '.',
    '..',
    '.二つの点\t',
    '',
  ].join('\r\n')

const hasSwaks = spawnSync('swaks', ['--version']).status === 0
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)

describe('mail that goes out', () => {
  let watari: Installation
  let sink: Sink
  before(async () => {
    sink = await startSink()
    watari = await install(hasIpv6 ? {} : { bind: ['127.0.0.1'] })
    await run(['route', 'set', 'sink.example', `smtp:127.0.0.1:${sink.port}`])
  })
  after(async () => {
    await watari.remove()
    await sink.close()
  })

  const run = async (args: readonly string[]): Promise<void> => {
    const { status, stderr } = await watari.watari(args)
    assert.equal(status, 0, stderr)
  }
  const login = () => ({ user: 'hanako', password: watari.password('hanako') })
  const byPort = (wellKnown: number): SmtpWay => ({
    port: watari.port(wellKnown),
    ca: watari.ca,
    ...(wellKnown === 465 && { tls: 'implicit' as const }),
    ...(wellKnown === 587 && { tls: 'starttls' as const }),
  })
  const outside = (id: string) => ({ from: FROM, to: OUTSIDE, content: mailOf(id) })
  /** The content that the sink got for this Message-ID, once it has come. */
  const arrived = async (id: string): Promise<Buffer> => {
    const find = () => sink.mails.filter(({ content }) => content.includes(`<${id}@`))
    await until(`${id} at the sink`, () => find().length > 0)
    assert.equal(find().length, 1)
    const [mail] = find()
    assert.match(mail?.mail ?? '', /^MAIL FROM:<hanako@campus\.example>/)
    assert.deepEqual(mail?.rcpts, [`RCPT TO:<${OUTSIDE}>`])
    return mail?.content ?? Buffer.alloc(0)
  }
  const assertUnchanged = (content: Buffer, id: string): void => {
    const mail = Buffer.from(mailOf(id))
    assert.ok(content.subarray(-mail.length).equals(mail), content.toString())
    const trace = content.subarray(0, -mail.length).toString()
    assert.match(trace, /^Received: from [^]*\r\nX-Watari-Verdict: clean;(?:[^\r]|\r\n\t)*\r\n$/)
  }
  /** Where a refusal says that mail is to be handed in: each port it names must be listened on. */
  const assertNamesSubmission = async (reply: string): Promise<void> => {
    assert.match(reply, /smtp\.campus\.example/)
    const named = [...reply.matchAll(/\b(\d+) \((STARTTLS|TLS)\)/g)]
    assert.deepEqual(
      named.map(([, port, tls]) => [Number(port), tls]),
      [
        [watari.port(465), 'TLS'],
        [watari.port(587), 'STARTTLS'],
      ],
      reply,
    )
    for (const [, port, tls] of named) {
      const there = await wire(Number(port), tls === 'TLS' ? { tlsCa: watari.ca } : {})
      try {
        assert.match(await there.smtp(), /^220 smtp\.campus\.example /)
      } finally {
        there.close()
      }
    }
  }

  for (const [wellKnown, tls] of [
    [587, '--tls'],
    [465, '--tls-on-connect'],
  ] as const)
    for (const mechanism of ['PLAIN', 'LOGIN'])
      it(
        `goes from swaks by ${wellKnown} and AUTH ${mechanism} to the next hop, octets unchanged`,
        { skip: !hasSwaks && 'swaks is not installed' },
        async () => {
          const id = `swaks-${wellKnown}-${mechanism}`
          const file = join(watari.dir, `${id}.eml`)
          writeFileSync(file, mailOf(id).replaceAll('\r\n', '\n'))
          const options = [
            ...`--server 127.0.0.1 --port ${watari.port(wellKnown)} ${tls} --tls-verify`.split(' '),
            ...`--auth ${mechanism} --auth-user hanako --from ${FROM} --to ${OUTSIDE}`.split(' '),
            '--tls-ca-path',
            join(watari.dir, 'tls', 'ca.pem'),
            '--auth-password',
            watari.password('hanako'),
            '--data',
            `@${file}`,
          ]
          const { status, stdout, stderr } = await runProgram('swaks', options)
          assert.equal(status, 0, stdout + stderr)
          // swaks ends every message with one line end of its own more.
          const content = await arrived(id)
          assert.ok(content.subarray(-4).equals(Buffer.from('\r\n\r\n')))
          assertUnchanged(content.subarray(0, -2), id)
        },
      )

  it('goes by DATA and by BDAT from a raw client, octets unchanged', async () => {
    for (const how of ['data', 'bdat'] as const) {
      const way = { ...byPort(how === 'data' ? 587 : 465), login: login() }
      assert.match(await sendBy(way, outside(`raw-${how}`), how), /^250 2\.0\.0 /)
      assertUnchanged(await arrived(`raw-${how}`), `raw-${how}`)
    }
  })

  it('leaves as one message, whatever ends of DATA its text pretends', async () => {
    const evil =
      'MAIL FROM:<evil@campus.example>\r\nRCPT TO:<victim@sink.example>\r\nDATA\r\n偽\r\n'
    const fakes = [
      '\n.\n',
      '\n.\r\n',
      '\r\n.\n',
      '\r.\r',
      '\r.\r\n',
      '\r\n.\r',
      '\r.\n',
      '\n\r.\n\r',
    ]
    const text = `${mailOf('smuggler')}${fakes.map((fake) => `行${fake}${evil}`).join('')}`
    const stuffed = text.replace(/\r\n\.(?=\r\n|[^\r\n])/g, '\r\n..')
    const session = await smtpSession({ ...byPort(587), login: login() })
    try {
      for (const line of [`MAIL FROM:<${FROM}>`, `RCPT TO:<${OUTSIDE}>`])
        assert.match(await session.smtp(line), /^250 /)
      assert.match(await session.smtp('DATA'), /^354 /)
      session.send(`${stuffed}.\r\n`)
      assert.match(await session.smtp(), /^250 2\.0\.0 \w+ queued/)
      assert.match(await session.smtp('NOOP'), /^250 2\.0\.0 ok/)
    } finally {
      session.close()
    }
    // What was bare is CRLF now; a dot behind a real CRLF was stuffing.
    const wanted = Buffer.from(
      stuffed.replace(/\r\n\./g, '\r\n').replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n'),
    )
    const content = await arrived('smuggler')
    assert.ok(content.subarray(-wanted.length).equals(wanted), content.toString())
    assert.ok(sink.mails.every(({ mail }) => !mail.includes('evil')))
  })

  it('is refused without AUTH, and the text names the host and the ports that are listened on', async () => {
    for (const wellKnown of [587, 465]) {
      const reply = await sendBy(byPort(wellKnown), outside('no-auth'))
      assert.match(reply, /^530 5\.7\.0 /)
      await assertNamesSubmission(reply)
    }
  })

  it('takes no password on 587 before STARTTLS, and says so', async () => {
    const session = await smtpSession({ port: watari.port(587) })
    try {
      const reply = await session.smtp('AUTH PLAIN AGhhbmFrbwB4')
      assert.match(reply, /^538 5\.7\.11 .*STARTTLS/)
      await assertNamesSubmission(reply)
    } finally {
      session.close()
    }
  })

  for (const [wellKnown, name] of [
    [25, 'the MX'],
    [26, 'the relay'],
  ] as const)
    it(`refuses AUTH on ${name}, with the name and ports of where to log in`, async () => {
      const session = await wire(watari.port(wellKnown))
      try {
        await session.smtp()
        assert.doesNotMatch(await session.smtp('EHLO client.example'), /AUTH/)
        const reply = await session.smtp('AUTH PLAIN AGhhbmFrbwB4')
        assert.match(reply, /^50[0-9] 5\.5\.1 /)
        await assertNamesSubmission(reply)
      } finally {
        session.close()
      }
    })

  it('is relayed for addresses of the access list only, of IPv4 and IPv6', async () => {
    const send = (host: string, id: string) => sendBy({ ...byPort(26), host }, outside(id))
    const refused = async (host: string): Promise<void> => {
      const reply = await send(host, 'unlisted')
      assert.match(reply, /^554 5\.7\.1 /)
      assert.ok(reply.includes(host), reply)
      await assertNamesSubmission(reply)
    }
    await refused('127.0.0.1')
    await run(['access', 'add', '127.0.0.1/32'])
    assert.match(await send('127.0.0.1', 'relay-v4'), /^250 2\.0\.0 /)
    assertUnchanged(await arrived('relay-v4'), 'relay-v4')
    if (hasIpv6) {
      await refused('::1')
      await run(['access', 'add', '::1/128'])
      assert.match(await send('::1', 'relay-v6'), /^250 2\.0\.0 /)
      assertUnchanged(await arrived('relay-v6'), 'relay-v6')
    }
    await run(['access', 'rm', '127.0.0.1/32'])
    await refused('127.0.0.1')
  })

  it('is never relayed by the MX, also not for listed addresses or in disguise', async () => {
    await run(['access', 'add', '127.0.0.1/32'])
    const before = sink.mails.length
    const send = (to: string) => sendBy(byPort(25), { ...outside('mx'), to })
    assert.match(await send(OUTSIDE), /^550 5\.7\.1 .*does not relay/)
    assert.match(await send('@campus.example:someone@sink.example'), /^550 5\.7\.1 /)
    assert.match(await send('someone%sink.example@campus.example'), /^550 5\.1\.1 /)
    assert.match(await send('"someone@sink.example"@campus.example'), /^550 5\.1\.1 /)
    assert.match(await send('sink.example!someone@campus.example'), /^550 5\.1\.1 /)
    // What was taken before has gone out: nothing of the above waits behind it.
    assert.match(await sendBy({ ...byPort(26) }, outside('relay-last')), /^250 /)
    await arrived('relay-last')
    assert.equal(sink.mails.length, before + 1)
  })

  it('leaves an empty queue', async () => {
    await until('the queue is empty', async () => {
      const { stdout } = await watari.watari(['queue', 'ls', '--json'])
      return (JSON.parse(stdout) as { items: unknown[] }).items.length === 0
    })
  })
})
