import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { Resolver } from '#client/dns/resolver.ts'
import { leaveField, leaveOf } from '#engine/list/leave-way.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import { Signer } from '#engine/sender/signer.ts'
import { formatAddress } from '#model/address.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { NewEvent } from '#model/event.ts'
import type { NextHop } from '#model/route.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { openSpool } from '#store/spool/open.ts'
import type { Accept, SpoolStore } from '#store/spool/spool-store.ts'
import { addr, fakeAccount, fakeDirectory, fakeList } from '#test/fake/directory.ts'
import { startFakeDns } from '#test/fake/dns-server.ts'
import type { Zone } from '#test/fake/dns-server.ts'
import { dkimResults, fakeDkimKey, fakeSigner, recordOf } from '#test/fake/signing.ts'
import { SINK_OFFERS, startSink } from '#test/fake/smtp-sink.ts'
import type { SinkOptions } from '#test/fake/smtp-sink.ts'
import { dkimpy, dkimpyMissing } from '#test/peers/dkimpy.ts'
import { opendkim, opendkimMissing } from '#test/peers/opendkim.ts'
import { Carrier } from './carrier.ts'
import type { CarrierOptions } from './carrier.ts'
import { Courier } from './courier.ts'
import type { CourierOptions } from './courier.ts'

const HEADER = 'Subject: =?utf-8?B?5rih44KK?=\r\n'
const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'account', account: fakeAccount('hanako@campus.example') },
  { kind: 'account', account: fakeAccount('taro@campus.example') },
]
const ZONE: Zone = {
  'else.example MX': [{ preference: 10, exchange: 'mx.else.example' }],
  'mx.else.example A': ['127.0.0.1'],
  'nomail.example MX': [{ preference: 0, exchange: '.' }],
}

interface Setting {
  readonly mx?: SinkOptions
  readonly lmtp?: SinkOptions
  readonly rows?: readonly DirectoryRow[]
  readonly zone?: Zone
  readonly options?: Partial<CourierOptions>
  readonly carrier?: Partial<CarrierOptions>
  readonly wrap?: (spool: SpoolStore) => SpoolStore
}

async function start(t: TestContext, setting: Setting = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'watari-courier-'))
  const clock = new FakeClock()
  const opened = await openSpool({ dir, clock, reserveBytes: 0 })
  const spool = setting.wrap?.(opened) ?? opened
  const mx = await startSink(setting.mx)
  const lmtp = await startSink({ protocol: 'lmtp', ...setting.lmtp })
  const dns = await startFakeDns(setting.zone ?? ZONE)
  const events: NewEvent[] = []
  let waiting: (() => void)[] = []
  const carrier = new Carrier({
    signer: fakeSigner().signer,
    spool,
    resolver: new Resolver({ servers: [dns.address], timeoutMs: SECOND_MS, clock }),
    clock,
    hostname: 'mx.campus.example',
    local: () => [{ name: 'localhost', ip: '127.0.0.1', port: lmtp.port }],
    isOwn: () => false,
    mxPort: mx.port,
    ...setting.carrier,
  })
  const courier = new Courier({
    signer: fakeSigner().signer,
    spool,
    carrier,
    directory: fakeDirectory([...ROWS, ...(setting.rows ?? [])]),
    clock,
    log: silentLog,
    events: {
      emit(event) {
        events.push(event)
        for (const look of waiting) look()
      },
    },
    hostname: 'mx.campus.example',
    settings: () => ({
      retryMs: [MINUTE_MS, 10 * MINUTE_MS],
      delayNoticeMs: 4 * HOUR_MS,
      lifetimeMs: 120 * HOUR_MS,
    }),
    gatherMs: 0,
    ...setting.options,
  })
  t.after(async () => {
    await courier.stop(20 * SECOND_MS)
    await Promise.all([mx.close(), lmtp.close(), dns.close()])
    await opened.close()
    await rm(dir, { recursive: true })
  })
  /** Waits until `count` events of this name are there, as `recipient status`. */
  const until = async (name: string, count = 1): Promise<NewEvent[]> => {
    const found = (): NewEvent[] => events.filter((event) => event.name === name)
    if (found().length < count)
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (found().length < count) return
          waiting = waiting.filter((other) => other !== look)
          resolve()
        }
        waiting.push(look)
      })
    return found()
  }
  const send = (to: string, over: Partial<Accept> = {}) =>
    spool
      .accept({
        deliveryId: 'D1' as DeliveryId,
        door: 'mx',
        reversePath: addr('hanako@campus.example'),
        recipients: to.split(' ').map((text) => ({ address: addr(text) })),
        body: '7bit',
        smtpUtf8: false,
        receivedAtMs: clock.nowMs(),
        expiresAtMs: clock.nowMs() + 120 * HOUR_MS,
        content: { octets: [fromUtf8(`${HEADER}\r\nbody\r\n`)] },
        ...over,
      })
      .then((accepted) => {
        courier.wake()
        return accepted
      })
  /** Lets everything that is ready run, and waits until the spool shows `count` messages. */
  const left = async (count: number): Promise<void> => {
    while ((await spool.status()).messages !== count)
      await new Promise((resolve) => setImmediate(resolve))
  }
  /** Moves time on until an event has come, but only while nothing is at work: no deadline passes. */
  const pass = async (stepMs: number, name: string, count: number): Promise<void> => {
    while (events.filter((event) => event.name === name).length < count) {
      if ((await spool.status()).recipients.claimed === 0) clock.advance(stepMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { clock, spool, mx, lmtp, dns, events, courier, until, send, left, pass }
}

const line = (event: NewEvent | undefined): string =>
  `${event?.fields['recipient']} ${event?.fields['nextHop']} ${event?.fields['status']}`

test('one message: local recipients together by LMTP, others by their exchanger', async (t) => {
  const { mx, lmtp, send, until, left } = await start(t)
  await send('hanako@campus.example taro@else.example taro@campus.example 花子@else.example')
  const delivered = await until('queue.delivered', 4)
  assert.deepEqual(delivered.map(line).toSorted(), [
    'hanako@campus.example local 250 2.0.0 taken',
    'taro@campus.example local 250 2.0.0 taken',
    'taro@else.example mx:else.example 250 2.0.0 taken',
    '花子@else.example mx:else.example 250 2.0.0 taken',
  ])
  await left(0)
  assert.equal(lmtp.mails.length, 1)
  assert.equal(lmtp.mails[0]?.rcpts.length, 2)
  assert.equal(mx.mails.length, 1)
  assert.equal(mx.mails[0]?.content.toString(), `${HEADER}\r\nbody\r\n`)
  assert.equal(delivered[0]?.deliveryId, 'D1')
})

test('one content to many names each member elsewhere the own way to leave, and the common one here', async (t) => {
  const { mx, lmtp, send, until, left } = await start(t)
  const leave = leaveOf(fakeList('seminar@campus.example'), 'https://mail.campus.example')!
  const rest = `${HEADER}\r\n${'本文。'.repeat(200_000)}\r\n`
  await send('hanako@campus.example taro@else.example jiro@else.example', {
    reversePath: addr('seminar-bounces@campus.example'),
    verp: { key: 'k'.repeat(32), post: 1, leave },
    isBulk: true,
    body: '8bitmime',
    content: { octets: [fromUtf8(`${leaveField(leave)}\r\n${rest}`)] },
  })
  await until('queue.delivered', 3)
  await left(0)
  assert.equal(lmtp.mails[0]?.content.toString(), `${leaveField(leave)}\r\n${rest}`)
  const marks = mx.mails.map(({ content }) => {
    const text = content.toString()
    assert.ok(text.endsWith(`\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n${rest}`))
    assert.equal(text.match(/List-Unsubscribe:/g)?.length, 1)
    return /^List-Unsubscribe: <https:\/\/mail\.campus\.example\/unsubscribe\/[^/]+\/([0-9a-f]{20})-\S+>,\r\n <mailto:seminar-leave%2B\1@campus\.example>\r\n/.exec(
      text,
    )?.[1]
  })
  assert.equal(new Set(marks).size, 2)
  assert.ok(!marks.includes(undefined))
})

test('a signed post is signed once more for each member elsewhere, over fields of their own (RFC 8058 §4)', async (t) => {
  const keys = [fakeDkimKey('rsa'), fakeDkimKey('ed25519')]
  const { mx, lmtp, post, rest, until, left } = await startSigned(t, () => keys)
  await post('hanako@campus.example taro@else.example jiro@else.example')
  await until('queue.delivered', 3)
  await left(0)
  const records = Object.assign({}, ...keys.map((key) => recordOf('campus.example', key)))
  const mails = [...lmtp.mails, ...mx.mails].map(({ content }) => content)
  for (const mail of mails) assert.deepEqual(await dkimResults(mail, records), ['pass', 'pass'])
  if (dkimpyMissing() === undefined)
    for (const said of dkimpy(mails, records)) assert.deepEqual(said, ['pass', 'pass'])
  const links = mx.mails.map(({ content }) => {
    const text = content.toString()
    assert.ok(text.endsWith(`\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n${rest}`))
    assert.equal(text.match(/^(DKIM-Signature|List-Unsubscribe):/gm)?.length, 3)
    for (const name of ['list-unsubscribe', 'list-unsubscribe-post'])
      assert.equal(text.match(new RegExp(`[:\\s]${name}[:;]`, 'g'))?.length, 2, name)
    return /^List-Unsubscribe: <(\S+)>/m.exec(text)?.[1]
  })
  assert.equal(new Set(links).size, 2)
  assert.ok(!links.includes(undefined))
  // Nobody takes the link out of a copy, or another one in.
  const forged = fromUtf8(mx.mails[0]!.content.toString().replace(links[0]!, links[1]!))
  for (const result of await dkimResults(forged, records)) assert.notEqual(result, 'pass')
})

test('a post that was signed waits while its domain has no key, is told of, and never leaves unsigned', async (t) => {
  const keys = [fakeDkimKey('ed25519')]
  let now: readonly DkimKey[] = []
  const { mx, lmtp, signing, post, until, left, pass } = await startSigned(t, () => now, keys)
  await post('hanako@campus.example taro@else.example jiro@else.example')
  const deferred = await until('queue.deferred', 2)
  for (const { fields } of deferred)
    assert.equal(fields['status'], '451 4.7.5 the message cannot be signed now')
  await lmtp.taken(1)
  // Those that were on their way at once, and none that follows them for some minutes.
  const told = signing.length
  assert.ok(told >= 1 && told <= 2, `${told}`)
  for (const { name, fields } of signing)
    assert.deepEqual(
      [name, fields['domain'], fields['outcome']],
      ['dkim.failed', 'campus.example', 'deferred'],
    )
  assert.equal(mx.mails.length, 0)
  await post('saburo@else.example')
  await until('queue.deferred', 3)
  assert.ok(signing.length > told, 'another post is told of for itself')
  now = keys
  await pass(MINUTE_MS, 'queue.delivered', 4)
  await left(0)
  const records = recordOf('campus.example', keys[0]!)
  for (const { content } of mx.mails)
    assert.deepEqual(await dkimResults(content, records), ['pass'])
})

/** A courier whose signer has the keys of the moment, and a post that was signed by `came` when it came. */
async function startSigned(
  t: TestContext,
  now: () => readonly DkimKey[],
  came: readonly DkimKey[] = now(),
) {
  const domain = (dkim: readonly DkimKey[]): readonly DirectoryRow[] => [
    { kind: 'domain', domain: { name: 'campus.example', dkim } },
  ]
  const signing: NewEvent[] = []
  const signer = new Signer({
    directory: { seq: 1, domain: (name) => fakeDirectory(domain(now())).domain(name) },
    settings: () => ({ 'dkim.expiryMs': 0, 'dkim.onFailure': 'defer' }),
    clock: new FakeClock(),
    events: { emit: (event) => signing.push(event) },
  })
  const started = await start(t, { carrier: { signer } })
  const leave = leaveOf(fakeList('seminar@campus.example'), 'https://mail.campus.example')!
  const rest = `From: taro@campus.example\r\n${HEADER}\r\n${'本文。'.repeat(200_000)}\r\n`
  const octets = fromUtf8(`${leaveField(leave)}\r\n${rest}`)
  const post = async (to: string): Promise<unknown> => {
    const signed = new SignedOctets(fakeSigner(domain(came)).signer, 'campus.example')
    signed.feed(octets)
    const signature = await signed.finish('D1')
    return started.send(to, {
      reversePath: addr('seminar-bounces@campus.example'),
      verp: { key: 'k'.repeat(32), post: 1, leave },
      signed: { startBytes: signature.length, bodyHash: signed.bodyHash()! },
      isBulk: true,
      body: '8bitmime',
      content: { octets: [signature, octets] },
    })
  }
  return { ...started, rest, post, signing }
}

test('a refused recipient is reported to the sender, by a route of its own (RFC 3464)', async (t) => {
  const { lmtp, send, until, left } = await start(t, {
    mx: { act: (step) => (step === 'rcpt' ? { say: '550 5.1.1 いません' } : undefined) },
  })
  await send('taro@else.example', { envid: 'Q7' })
  const [dsn] = await until('queue.dsn')
  assert.equal(dsn?.fields['sent'], true)
  await lmtp.taken(1)
  await left(0)
  const report = lmtp.mails[0]
  assert.equal(report?.mail.startsWith('MAIL FROM:<> '), true)
  assert.deepEqual(report?.rcpts, ['RCPT TO:<hanako@campus.example> NOTIFY=NEVER'])
  const text = report.content.toString()
  assert.match(
    text,
    /\r\nFinal-Recipient: rfc822; taro@else\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/,
  )
  assert.match(text, /\r\nOriginal-Envelope-Id: Q7\r\n/)
  assert.ok(text.includes(`text/rfc822-headers\r\n\r\n${HEADER}\r\n--`))
})

test('a report is signed by the domain of our postmaster, and leaves unsigned rather than not at all', async (t) => {
  const keys = [fakeDkimKey('rsa'), fakeDkimKey('ed25519')]
  const records = Object.assign({}, ...keys.map((key) => recordOf('campus.example', key)))
  const broken = keys.map((key) => ({ ...key, privateKey: 'こわれた' }))
  for (const [dkim, expected] of [
    [keys, ['pass', 'pass']],
    [broken, []],
  ] as const) {
    const { signer, events } = fakeSigner([
      { kind: 'domain', domain: { name: 'campus.example', dkim } },
    ])
    const { mx, send, left } = await start(t, {
      mx: { act: (step, text) => refusal(step, text) },
      options: { signer },
    })
    await send('jiro@else.example', { reversePath: addr('saburo@else.example') })
    await mx.taken(1)
    await left(0)
    const report = mx.mails[0]!.content
    assert.match(report.toString(), /\r\nStatus: 5\.1\.1\r\n/)
    const results = await dkimResults(report, records)
    assert.deepEqual(
      results.filter((result) => result !== 'none'),
      expected,
    )
    assert.equal(events.length, dkim === keys ? 0 : 1)
    if (dkim === keys && opendkimMissing() === undefined)
      assert.deepEqual(await opendkim(report, records), expected)
  }
})

/** Of everybody but the one who wrote. */
const refusal = (step: string, text: string): { readonly say: string } | undefined =>
  step === 'rcpt' && text.includes('jiro@') ? { say: '550 5.1.1 いません' } : undefined

test('no report of a report, and none to those who want none (RFC 3461 §4.1)', async (t) => {
  const { lmtp, mx, events, send, left } = await start(t, {
    mx: { act: (step) => (step === 'rcpt' ? { say: '550 5.1.1 no' } : undefined) },
  })
  await send('a@else.example', { reversePath: null })
  await send('b@else.example', {
    recipients: [{ address: addr('b@else.example'), notify: [] }],
  })
  await send('c@else.example', { reversePath: addr('nobody@campus.example') })
  await left(0)
  assert.deepEqual(
    events.filter((event) => event.name === 'queue.dsn').map((event) => event.fields['sent']),
    [false, false],
  )
  assert.equal(lmtp.mails.length + mx.mails.length, 0)
})

test('NOTIFY=SUCCESS: told where the next server tells nothing itself', async (t) => {
  const recipients: Accept['recipients'] = [
    { address: addr('a@else.example'), notify: ['success'] },
  ]
  const silent = await start(t, {
    mx: { offers: SINK_OFFERS.filter((offer) => offer !== 'DSN') },
  })
  await silent.send('a@else.example', { recipients })
  await silent.lmtp.taken(1)
  assert.match(silent.lmtp.mails[0]?.content.toString() ?? '', /\r\nAction: relayed\r\n/)
  const telling = await start(t)
  await telling.send('a@else.example', { recipients })
  await telling.left(0)
  assert.equal(telling.lmtp.mails.length, 0)
  assert.match(telling.mx.mails[0]?.rcpts[0] ?? '', / NOTIFY=SUCCESS$/)
})

test('temporary trouble is tried again later, told of once, and ends at expiry (4.4.7)', async (t) => {
  const { clock, mx, lmtp, events, send, until, left, pass } = await start(t, {
    mx: { act: (step) => (step === 'rcpt' ? { say: '451 4.3.0 あとで' } : undefined) },
  })
  const { queueId } = await send('taro@else.example', { expiresAtMs: clock.nowMs() + 6 * HOUR_MS })
  const [deferred] = await until('queue.deferred')
  assert.equal(line(deferred), 'taro@else.example mx:else.example 451 4.3.0 あとで')
  assert.equal(deferred?.fields['queueId'], queueId)
  await pass(MINUTE_MS, 'queue.failed', 1)
  await lmtp.taken(2)
  await left(0)
  const actions = lmtp.mails.map((mail) =>
    /\r\nAction: (\w+)\r\nStatus: ([\d.]+)\r\n/.exec(mail.content.toString())?.slice(1),
  )
  assert.deepEqual(actions, [
    ['delayed', '4.3.0'],
    ['failed', '4.4.7'],
  ])
  const tries = events.filter((event) => event.name === 'queue.deferred')
  assert.ok(tries.length > 20 && tries.length < 50, `${tries.length} tries`)
  assert.equal(mx.mails.length, 0)
})

test('one recipient of several waits, the others are delivered', async (t) => {
  let busy = true
  const { mx, send, until, left, pass } = await start(t, {
    mx: {
      act: (step, text) =>
        busy && step === 'rcpt' && text.includes('b@') ? { say: '450 4.2.1 later' } : undefined,
    },
  })
  await send('a@else.example b@else.example')
  await until('queue.deferred')
  assert.deepEqual(mx.mails[0]?.rcpts, ['RCPT TO:<a@else.example>'])
  busy = false
  await pass(MINUTE_MS, 'queue.delivered', 2)
  assert.deepEqual(mx.mails[1]?.rcpts, ['RCPT TO:<b@else.example>'])
  await left(0)
})

test('our own store away for a week bounces nothing, and is asked again within seconds', async (t) => {
  let away = true
  const { clock, lmtp, events, send, until, left, pass } = await start(t, {
    lmtp: { act: (step) => (away && step === 'greeting' ? 'vanish' : undefined) },
  })
  await send('taro@campus.example')
  await until('queue.deferred')
  await pass(170 * HOUR_MS, 'queue.deferred', 2)
  away = false
  const before = clock.nowMs()
  await pass(SECOND_MS, 'queue.delivered', 2) // the message, and the notice of its delay
  assert.ok(clock.nowMs() - before < MINUTE_MS)
  await left(0)
  assert.equal(lmtp.mails.length, 2)
  assert.equal(
    events.some((event) => event.name === 'queue.failed'),
    false,
  )
})

test('a reply lost after the final dot is tried again with the same delivery id', async (t) => {
  let lost = true
  const { lmtp, send, until, pass } = await start(t, {
    lmtp: {
      offers: [...SINK_OFFERS, 'BINARYMIME', 'XWATARI'],
      act(step) {
        if (step !== 'final' || !lost) return undefined
        lost = false
        return 'vanish'
      },
    },
    carrier: { handed: ({ deliveryId }) => `id-${deliveryId}` },
  })
  await send('taro@campus.example')
  await until('queue.deferred')
  await pass(SECOND_MS, 'queue.delivered', 1)
  const mails = lmtp.commands.filter((command) => command.includes('MAIL FROM'))
  assert.equal(mails.length, 2)
  assert.ok(mails.every((command) => command.endsWith(' XWATARI=id-D1')))
})

test('what no exchanger can ever take is refused with its reason', async (t) => {
  const { send, until } = await start(t)
  await send('a@nomail.example b@no.such.example', { reversePath: null })
  const failed = await until('queue.failed', 2)
  assert.deepEqual(failed.map(line).toSorted(), [
    'a@nomail.example mx:nomail.example 556 5.1.10 nomail.example takes no mail',
    'b@no.such.example mx:no.such.example 550 5.1.2 there is no domain no.such.example',
  ])
})

test('an exchanger that is ourselves is a loop; those before it are used (RFC 5321 §5.1)', async (t) => {
  const zone: Zone = {
    ...ZONE,
    'loop.example MX': [{ preference: 5, exchange: 'us.example' }],
    'backup.example MX': [
      { preference: 20, exchange: 'worse.example' },
      { preference: 10, exchange: 'us.example' },
      { preference: 5, exchange: 'mx.else.example' },
    ],
    'us.example A': ['127.0.0.2'],
    'worse.example A': ['127.0.0.3'],
  }
  const { mx, send, until } = await start(t, {
    zone,
    carrier: { isOwn: (ip) => ip === '127.0.0.2' },
  })
  await send('a@loop.example', { reversePath: null })
  assert.match(
    line((await until('queue.failed'))[0]),
    /^a@loop\.example mx:loop\.example 554 5\.4\.6 /,
  )
  await send('a@backup.example')
  await mx.taken(1)
})

test('name servers away: mail waits', async (t) => {
  const { clock, dns, mx, send, until, pass } = await start(t)
  dns.mood = 'silent'
  await send('taro@else.example')
  await dns.seen(1)
  clock.advance(SECOND_MS)
  await dns.seen(2)
  clock.advance(SECOND_MS)
  assert.match(line((await until('queue.deferred'))[0]), / 451 4\.4\.3 /)
  dns.mood = 'answer'
  await pass(MINUTE_MS, 'queue.delivered', 1)
  assert.equal(mx.mails.length, 1)
})

test('routes: hold keeps mail, a host by name is asked by SMTP', async (t) => {
  const relay = await startSink()
  t.after(() => relay.close())
  const hop: NextHop = { kind: 'smtp', host: 'localhost', port: relay.port }
  const { spool, send, until } = await start(t, {
    rows: [
      { kind: 'route', route: { match: 'kept.example', nextHop: { kind: 'hold' } } },
      { kind: 'route', route: { match: 'partner.example', nextHop: hop } },
    ],
  })
  const { queueId } = await send('a@kept.example b@partner.example')
  await until('queue.held')
  await until('queue.delivered')
  await relay.taken(1)
  while ((await spool.status()).recipients.held !== 1)
    await new Promise((resolve) => setImmediate(resolve))
  const { message } = await spool.show({ queueId })
  assert.equal(message?.recipients[0]?.state, 'held')
})

test('a spool that does not settle is asked again, and nothing is delivered twice', async (t) => {
  let refuse = 3
  const { clock, spool, lmtp, send, until } = await start(t, {
    wrap: (spool) =>
      new Proxy(spool, {
        get(target, name) {
          const value = Reflect.get(target, name, target) as (...args: unknown[]) => unknown
          if (typeof value !== 'function') return value
          if (name !== 'settle') return value.bind(target)
          return (...args: unknown[]) => {
            if (refuse-- > 0) return Promise.reject(new Fault('stalled', 'no answer'))
            return value.apply(target, args)
          }
        },
      }),
  })
  await send('taro@campus.example')
  await until('queue.delivered') // the reply is there: no deadline runs any more
  while ((await spool.status()).messages > 0) {
    clock.advance(SECOND_MS)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(refuse < 0)
  assert.equal(lmtp.mails.length, 1)
})

test('at most so many connections to one host; the others wait their turn', async (t) => {
  const { mx, send, left } = await start(t, {
    options: { concurrency: { perHop: 2, inAll: 10 } },
  })
  await Promise.all(Array.from({ length: 30 }, (_, i) => send(`r${i}@else.example`)))
  await left(0)
  assert.equal(mx.mails.length, 30)
  assert.ok(mx.connections <= 2, `${mx.connections} connections`)
})

test('stopping waits for what runs and gives back what had not begun', async (t) => {
  let release: (() => void) | undefined
  const reached = new Promise<void>((resolve) => (release = resolve))
  const { spool, mx, courier, send, clock } = await start(t, {
    mx: {
      act(step) {
        if (step !== 'final') return undefined
        release?.()
        return 'silent'
      },
    },
    options: { concurrency: { perHop: 1, inAll: 10 } },
  })
  await send('a@else.example')
  await reached
  await send('b@else.example')
  while ((await spool.status()).recipients.claimed !== 2)
    await new Promise((resolve) => setImmediate(resolve))
  const stopping = courier.stop(5 * SECOND_MS)
  while ((await spool.status()).recipients.ready !== 1)
    await new Promise((resolve) => setImmediate(resolve))
  clock.advance(5 * SECOND_MS)
  await stopping
  const { recipients } = await spool.status()
  assert.deepEqual([recipients.ready, recipients.claimed], [1, 1])
  const { messages } = await spool.list({ limit: 9, state: 'ready' })
  assert.deepEqual(
    messages.flatMap((message) => message.recipients.map(({ address }) => formatAddress(address))),
    ['b@else.example'],
  )
  mx.drop()
})
