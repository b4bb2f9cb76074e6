import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { systemClock, FakeClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { addr } from '#test/fake/directory.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { SINK_OFFERS, startSink } from '#test/fake/smtp-sink.ts'
import type { Sink, SinkOptions, SinkStep } from '#test/fake/smtp-sink.ts'
import { MailClient } from './deliver.ts'
import { COMMAND_TIMEOUT_MS } from './job.ts'
import type { ContentSource, DeliverJob, Delivered } from './job.ts'

const MESSAGE = Buffer.from('Subject: =?utf-8?B?5rih44KK?=\r\n\r\n渡り鳥\r\n.\r\n..先頭の点\r\n')

const sourceOf = (octets: Buffer): ContentSource => ({
  sizeBytes: octets.length,
  read: (offset, length) => Promise.resolve(octets.subarray(offset, offset + length)),
})

function jobFor(sink: Pick<Sink, 'port'>, over: Partial<DeliverJob> = {}): DeliverJob {
  return {
    protocol: 'smtp',
    endpoints: [{ name: 'localhost', ip: '127.0.0.1', port: sink.port }],
    poolKey: 'sink',
    tls: 'opportunistic',
    helo: 'mx.campus.example',
    reversePath: addr('hanako@campus.example'),
    recipients: [{ address: addr('taro@else.example') }],
    body: '8bitmime',
    smtpUtf8: false,
    content: sourceOf(MESSAGE),
    ...over,
  }
}

async function start(t: TestContext, options: SinkOptions = {}, clock: Clock = systemClock) {
  const sink = await startSink(options)
  const client = new MailClient(clock)
  t.after(async () => {
    await client.close()
    await sink.close()
  })
  const deliver = async (over: Partial<DeliverJob> = {}): Promise<Delivered> => {
    const delivered = await client.deliver(jobFor(sink, over))
    assert.ok(delivered.ok, delivered.ok ? '' : delivered.error.message)
    return delivered.value
  }
  return { sink, client, deliver }
}

const codes = (delivered: Delivered): string[] =>
  delivered.results.map(({ reply, by }) => `${by} ${reply.code} ${reply.status ?? ''}`.trim())

const without = (...keywords: string[]): string[] =>
  SINK_OFFERS.filter((offer) => !keywords.includes(offer.split(' ')[0]!))

const OFFERS: Readonly<Record<string, readonly string[]>> = {
  'pipelining and chunking': SINK_OFFERS,
  'pipelining and DATA': without('CHUNKING'),
  'one command after another, chunking': without('PIPELINING'),
  'one command after another, DATA': without('PIPELINING', 'CHUNKING'),
}

for (const [name, offers] of Object.entries(OFFERS))
  for (const protocol of ['smtp', 'lmtp'] as const)
    test(`${protocol}, ${name}: octets arrive as they are, each recipient has its reply`, async (t) => {
      const { sink, deliver } = await start(t, {
        protocol,
        offers,
        act: (step, line) =>
          step === 'rcpt' && line.includes('nobody') ? { say: '550 5.1.1 いません' } : undefined,
      })
      const recipients = ['taro@else.example', 'nobody@else.example', 'a..b@docomo.example']
      const delivered = await deliver({
        protocol,
        recipients: recipients.map((text) => ({ address: addr(text) })),
      })
      assert.deepEqual(codes(delivered), ['peer 250 2.0.0', 'peer 550 5.1.1', 'peer 250 2.0.0'])
      assert.deepEqual(delivered.results[1]?.reply.text, ['いません'])
      assert.deepEqual(sink.mails[0]?.content, MESSAGE)
      assert.deepEqual(sink.mails[0]?.rcpts, [
        'RCPT TO:<taro@else.example>',
        'RCPT TO:<a..b@docomo.example>',
      ])
      assert.equal(delivered.peer, 'localhost [127.0.0.1]')
    })

test('a large message goes in chunks of at most 1 MiB, or dot-stuffed', async (t) => {
  const large = Buffer.alloc(2_500_000, '.渡り\r\n.\r\n')
  const whole = Buffer.concat([large, Buffer.from('\r\n')])
  for (const offers of [SINK_OFFERS, without('CHUNKING')]) {
    const { sink, deliver } = await start(t, { offers })
    // cut mid-character at its end, so that no piece is text by itself
    assert.deepEqual(codes(await deliver({ content: sourceOf(whole) })), ['peer 250 2.0.0'])
    assert.equal(sink.mails[0]?.content.equals(whole), true)
    if (offers === SINK_OFFERS)
      assert.deepEqual(sink.mails[0]?.chunks, [1_048_576, 1_048_576, whole.length - 2_097_152])
  }
})

test('an empty message and one that ends without CRLF', async (t) => {
  for (const [content, seen] of [
    ['', ''],
    ['X: y', 'X: y\r\n'],
    ['.', '.\r\n'],
  ] as const) {
    const chunking = await start(t, {})
    await chunking.deliver({ content: sourceOf(Buffer.from(content)) })
    assert.equal(chunking.sink.mails[0]?.content.toString(), content)
    const data = await start(t, { offers: without('CHUNKING') })
    await data.deliver({ content: sourceOf(Buffer.from(content)) })
    assert.equal(data.sink.mails[0]?.content.toString(), seen)
  }
})

test('what a peer cannot carry is refused for good, and nothing is sent (RFC 6152, 3030, 6531, 1870)', async (t) => {
  const eight = { content: sourceOf(Buffer.from('Subject: x\r\n\r\n渡り\r\n')) }
  const bare = { content: sourceOf(Buffer.from('Subject: x\r\n\r\na\nb\r\n')) }
  const header = { content: sourceOf(Buffer.from('Subject: 渡り\r\n\r\n')), smtpUtf8: true }
  const plain = { content: sourceOf(Buffer.from('Subject: x\r\n\r\nx\r\n')) }
  const utf8 = { ...plain, recipients: [{ address: addr('花子@else.example') }] }
  const cases: [string[], Partial<DeliverJob>, string][] = [
    [without('8BITMIME'), eight, 'self 554 5.6.3'],
    [without('8BITMIME'), plain, 'peer 250 2.0.0'],
    [SINK_OFFERS, bare, 'self 554 5.6.3'],
    [[...without('CHUNKING'), 'BINARYMIME'], bare, 'self 554 5.6.3'],
    [[...SINK_OFFERS, 'BINARYMIME'], bare, 'peer 250 2.0.0'],
    [without('SMTPUTF8'), header, 'self 554 5.6.9'],
    [without('SMTPUTF8'), { ...plain, smtpUtf8: true }, 'peer 250 2.0.0'],
    [without('SMTPUTF8'), utf8, 'self 554 5.6.7'],
    [SINK_OFFERS, utf8, 'peer 250 2.0.0'],
    [[...without('SIZE'), 'SIZE 10'], plain, 'self 554 5.3.4'],
  ]
  for (const [offers, over, outcome] of cases) {
    const { sink, deliver } = await start(t, { offers })
    assert.deepEqual(codes(await deliver(over)), [outcome])
    assert.equal(sink.mails.length, outcome.startsWith('peer') ? 1 : 0)
  }
})

test('a domain in letters of its own goes as A-labels where SMTPUTF8 is lacking', async (t) => {
  const { sink, deliver } = await start(t, { offers: without('SMTPUTF8') })
  await deliver({ recipients: [{ address: addr('taro@日本語.example') }] })
  assert.deepEqual(sink.mails[0]?.rcpts, ['RCPT TO:<taro@xn--wgv71a119e.example>'])
})

test('DSN parameters go on, in xtext, to a peer that offers DSN only (RFC 3461 §4)', async (t) => {
  const over: Partial<DeliverJob> = {
    ret: 'hdrs',
    envid: '渡り=1',
    recipients: [
      { address: addr('taro@else.example'), original: 'rfc822;a+b@else.example', notify: [] },
      {
        address: addr('花子@else.example'),
        original: 'utf-8;花子@else.example',
        notify: ['success', 'delay'],
      },
    ],
  }
  const one = await start(t, {})
  assert.equal((await one.deliver(over)).relayedDsn, true)
  assert.equal(
    one.sink.mails[0]?.mail,
    `MAIL FROM:<hanako@campus.example> SMTPUTF8 BODY=8BITMIME SIZE=${MESSAGE.length} RET=HDRS ENVID=+E6+B8+A1+E3+82+8A+3D1`,
  )
  assert.deepEqual(one.sink.mails[0].rcpts, [
    'RCPT TO:<taro@else.example> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@else.example',
    'RCPT TO:<花子@else.example> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\\x{82B1}\\x{5B50}@else.example',
  ])
  const other = await start(t, { offers: without('DSN') })
  assert.equal((await other.deliver(over)).relayedDsn, false)
  assert.deepEqual(other.sink.mails[0]?.rcpts[0], 'RCPT TO:<taro@else.example>')
})

test('a time until when to arrive goes to a peer that keeps it, and to no other where the mail is to come back (RFC 2852 §4)', async (t) => {
  const atMs = systemClock.nowMs() + 1_000_000
  const by = (mode: 'return' | 'notify', ms = atMs) => ({
    deliverBy: { atMs: ms, mode, isTraced: mode === 'notify' },
  })
  const kept = await start(t, { offers: [...SINK_OFFERS, 'DELIVERBY 240'] })
  assert.equal((await kept.deliver(by('return'))).relayedBy, true)
  assert.match(kept.sink.mails[0]?.mail ?? '', / BY=9\d\d;R$/)
  await kept.deliver(by('notify', systemClock.nowMs() - 500_000))
  assert.match(kept.sink.mails[1]?.mail ?? '', / BY=-5\d\d;NT$/)
  assert.deepEqual(codes(await kept.deliver(by('return', systemClock.nowMs() + 100_000))), [
    'self 554 5.3.3',
  ])
  assert.deepEqual(codes(await kept.deliver(by('return', 0))), ['self 554 5.4.7'])
  const other = await start(t)
  assert.deepEqual(codes(await other.deliver(by('return'))), ['self 554 5.3.3'])
  assert.equal((await other.deliver(by('notify'))).relayedBy, false)
  assert.doesNotMatch(other.sink.mails[0]?.mail ?? '', /BY=/)
  assert.match(other.sink.mails[0]?.rcpts[0] ?? '', / NOTIFY=FAILURE,DELAY$/)
})

test('verdict and delivery id are handed to our own stores only', async (t) => {
  const own = await start(t, { offers: [...SINK_OFFERS, 'BINARYMIME', 'XWATARI'] })
  await own.deliver({ handed: 'eyJ4Ijoxf_-Q', content: sourceOf(Buffer.from('a\nb')) })
  assert.match(own.sink.mails[0]?.mail ?? '', / BODY=BINARYMIME SIZE=3 XWATARI=eyJ4Ijoxf_-Q$/)
  const other = await start(t, {})
  await other.deliver({ handed: 'eyJ4Ijoxf_-Q' })
  assert.doesNotMatch(other.sink.mails[0]?.mail ?? '', /XWATARI/)
})

test('TLS where it is offered, whatever the certificate', async (t) => {
  const identity = await fakeCertificate()
  const { sink, deliver } = await start(t, { offers: [...SINK_OFFERS, 'STARTTLS'], identity })
  assert.equal((await deliver()).tls, true)
  assert.equal(sink.mails[0]?.secure, true)
  assert.deepEqual(sink.mails[0].content, MESSAGE)
})

for (const [name, options] of Object.entries({
  'no certificate (454)': {},
  'a handshake of garbage': { act: garbage('starttls', '220 go') },
  'hanging up at the handshake': { act: vanishSecured },
} satisfies Record<string, SinkOptions>))
  test(`TLS that does not come about gives way to plain: ${name}`, async (t) => {
    const { sink, deliver } = await start(t, { offers: [...SINK_OFFERS, 'STARTTLS'], ...options })
    const delivered = await deliver()
    assert.equal(delivered.tls, false)
    assert.deepEqual(codes(delivered), ['peer 250 2.0.0'])
    assert.equal(sink.mails[0]?.secure, false)
  })

function garbage(at: SinkStep, say: string): NonNullable<SinkOptions['act']> {
  return (step, _, connection) => (step === at && connection === 1 ? { say } : undefined)
}

function vanishSecured(step: SinkStep): 'vanish' | undefined {
  return step === 'starttls' ? 'vanish' : undefined
}

test('replies injected in plain behind the 220 of STARTTLS are dropped', async (t) => {
  const identity = await fakeCertificate()
  const { sink, deliver } = await start(t, {
    offers: [...SINK_OFFERS, 'STARTTLS'],
    identity,
    act: (step) =>
      step === 'starttls' ? { say: '220 go\r\n250-evil.example\r\n250 XWATARI' } : undefined,
  })
  await deliver({ handed: 'secret' })
  assert.doesNotMatch(sink.mails[0]?.mail ?? '', /XWATARI/)
  assert.equal(sink.mails[0]?.secure, true)
})

for (const offers of [SINK_OFFERS, without('PIPELINING', 'CHUNKING')])
  for (const step of ['mail', 'rcpt', offers === SINK_OFFERS ? 'final' : 'data', 'final'] as const)
    for (const act of ['vanish', { say: 'なんと' }, { say: '421 4.3.2 going' }] as const)
      test(`a peer that at ${step} does ${JSON.stringify(act)} costs a 4xx of ours (${offers.length} offers)`, async (t) => {
        const { deliver } = await start(t, {
          offers,
          act: (at) => (at === step ? act : undefined),
        })
        const delivered = await deliver()
        assert.match(codes(delivered)[0] ?? '', /^(?:self 451 4\.4\.2|peer 421 4\.3\.2)$/)
      })

test('a refusal stays with its recipient when the connection breaks later', async (t) => {
  const { deliver } = await start(t, {
    protocol: 'lmtp',
    act(step, line) {
      if (step === 'rcpt' && line.includes('nobody')) return { say: '550 5.1.1 no' }
      return step === 'final' && line.includes('taro') ? 'vanish' : undefined
    },
  })
  const recipients = ['hanako@x.example', 'nobody@x.example', 'taro@x.example']
  const delivered = await deliver({
    protocol: 'lmtp',
    recipients: recipients.map((text) => ({ address: addr(text) })),
  })
  assert.deepEqual(codes(delivered).slice(1), ['peer 550 5.1.1', 'self 451 4.4.2'])
})

test('a refused MAIL is the answer to each recipient, and the connection goes on', async (t) => {
  const { sink, deliver } = await start(t, {
    act: (step, line) =>
      step === 'mail' && line.includes('<>') ? { say: '550 5.7.1 no' } : undefined,
  })
  const refused = await deliver({ reversePath: null })
  assert.deepEqual(codes(refused), ['peer 550 5.7.1'])
  assert.deepEqual(codes(await deliver()), ['peer 250 2.0.0'])
  assert.equal(sink.connections, 1)
})

for (const step of ['greeting', 'ehlo', 'mail', 'final'] as const)
  test(`a peer that is silent at ${step} costs its deadline and no more`, async (t) => {
    const clock = new FakeClock()
    let told: (() => void) | undefined
    const silent = new Promise<void>((resolve) => (told = resolve))
    const { sink, client } = await start(
      t,
      {
        act(at) {
          if (at !== step) return undefined
          told?.()
          return 'silent'
        },
      },
      clock,
    )
    const delivering = client.deliver(jobFor(sink))
    await silent
    const done = delivering.then((delivered) => delivered)
    // The reader may not have begun to wait yet: time passes until it has.
    const settled = { yes: false }
    void done.finally(() => (settled.yes = true))
    while (!settled.yes) {
      clock.advance(COMMAND_TIMEOUT_MS)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const delivered = await done
    if (delivered.ok) assert.deepEqual(codes(delivered.value), ['self 451 4.4.2'])
    else assert.equal(delivered.error.code, 'timeout')
    assert.equal(delivered.ok, step === 'mail' || step === 'final')
  })

test('the next address is tried where one does not let us in', async (t) => {
  const gone = await startSink()
  await gone.close()
  const rude = await startSink({
    act: (step) => (step === 'greeting' ? { say: '554 5.3.2 no' } : undefined),
  })
  t.after(() => rude.close())
  const { sink, client, deliver } = await start(t)
  const at = (port: number) => ({ name: 'localhost', ip: '127.0.0.1', port })
  const endpoints = [at(gone.port), at(rude.port), at(sink.port)]
  assert.deepEqual(codes(await deliver({ endpoints })), ['peer 250 2.0.0'])
  const nowhere = await client.deliver(
    jobFor(sink, { poolKey: 'other', endpoints: endpoints.slice(0, 2) }),
  )
  assert.ok(!nowhere.ok)
  assert.equal(nowhere.error.code, 'unreachable')
  assert.match(nowhere.error.message, /^554 5\.3\.2 no/)
})

test('a peer that knows no EHLO is greeted by HELO (RFC 5321 §3.2)', async (t) => {
  const { sink, deliver } = await start(t, {
    act: (step) => (step === 'ehlo' ? { say: '502 what' } : undefined),
  })
  const content = Buffer.from('Subject: x\r\n\r\n.\r\n')
  await deliver({ content: sourceOf(content) })
  assert.deepEqual(sink.mails[0]?.content, content)
  assert.equal(sink.mails[0].mail, 'MAIL FROM:<hanako@campus.example>')
})

test('connections are used again, and not once they were hung up', async (t) => {
  const { sink, deliver } = await start(t)
  await deliver()
  await deliver()
  assert.equal(sink.connections, 1)
  sink.drop()
  assert.deepEqual(codes(await deliver()), ['peer 250 2.0.0'])
  assert.equal(sink.connections, 2)
  await deliver({ poolKey: 'another' })
  assert.equal(sink.connections, 3)
})

test('an idle connection is ended after a moment', async (t) => {
  const clock = new FakeClock()
  const { sink, deliver } = await start(t, {}, clock)
  await deliver()
  clock.advance(10_000)
  await sink.seen(/^#1 QUIT/)
  await deliver()
  assert.equal(sink.connections, 2)
})

test('LMTP over a Unix socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'watari-lmtp-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'lmtp')
  const { sink, deliver } = await start(t, { protocol: 'lmtp', path })
  const delivered = await deliver({ protocol: 'lmtp', endpoints: [{ path }] })
  assert.equal(delivered.peer, path)
  assert.deepEqual(sink.mails[0]?.content, MESSAGE)
})

test('a hostile stream of replies ends in a fault, not in memory', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    const flood = (): void => {
      while (!socket.destroyed && socket.write('220-渡り鳥渡り鳥渡り鳥\r\n'.repeat(100)));
    }
    socket.on('drain', flood)
    flood()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const client = new MailClient(systemClock)
  const { port } = server.address() as AddressInfo
  const delivered = await client.deliver(jobFor({ port }))
  assert.ok(!delivered.ok)
  assert.equal(delivered.error.code, 'protocol')
})

test('an independent server takes what we send (smtp-server)', async (t) => {
  const { certificate: cert, key } = await fakeCertificate()
  for (const lmtp of [false, true]) {
    const got: { content: Buffer; to: string[]; secure: boolean }[] = []
    const server = new SMTPServer({
      lmtp,
      cert,
      key,
      authOptional: true,
      disableReverseLookup: true,
      onRcptTo: (address, _, done) =>
        done(address.address.startsWith('nobody') ? new Error('いません') : null),
      onData(stream, session, done) {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map((rcpt) => rcpt.address)
          got.push({ content: Buffer.concat(parts), to, secure: session.secure })
          // lmtp wants one answer a recipient
          ;(done as (error: null, answer?: unknown) => void)(null, lmtp ? to.map(() => 'ok') : 'ok')
        })
      },
    })
    server.on('error', () => undefined)
    const listening = server.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const client = new MailClient(systemClock)
    t.after(async () => {
      await client.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    })
    const { port } = listening.address() as AddressInfo
    const delivered = await client.deliver(
      jobFor(
        { port },
        {
          protocol: lmtp ? 'lmtp' : 'smtp',
          recipients: ['taro@x.example', 'nobody@x.example', 'hanako@x.example'].map((text) => ({
            address: addr(text),
          })),
        },
      ),
    )
    assert.ok(delivered.ok)
    assert.deepEqual(
      delivered.value.results.map(({ reply }) => reply.code),
      [250, 550, 250],
    )
    assert.deepEqual(got[0]?.content, MESSAGE)
    assert.deepEqual(got[0].to, ['taro@x.example', 'hanako@x.example'])
    assert.equal(got[0].secure, true)
  }
})
