import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { isFault } from '#base/outcome.ts'
import { FakeClock, systemClock } from '#base/time.ts'
import { startFakeDns } from '#test/fake/dns-server.ts'
import type { DnsMood, Zone } from '#test/fake/dns-server.ts'
import { askServer, parseServer } from './exchange.ts'
import { mailauthResolver } from './mailauth-resolver.ts'
import { Resolver } from './resolver.ts'

const ZONE: Zone = {
  'campus.example MX': [
    { preference: 20, exchange: 'mx2.campus.example' },
    { preference: 10, exchange: 'MX1.campus.example' },
  ],
  'mx1.campus.example A': ['192.0.2.1'],
  'mx1.campus.example AAAA': ['2001:db8::1'],
  'campus.example TXT': [['v=spf1 ', 'mx -all'], '二つ目'],
  'nomail.example MX': [{ preference: 0, exchange: '.' }],
  'bare.example A': ['192.0.2.9'],
  'www.example CNAME': ['bare.example'],
  'xn--wgv71a119e.example A': ['192.0.2.10'],
  '7.2.0.192.in-addr.arpa PTR': ['host.example'],
}

async function start(t: TestContext, count = 1) {
  const servers = await Promise.all(Array.from({ length: count }, () => startFakeDns(ZONE)))
  t.after(() => Promise.all(servers.map((server) => server.close())))
  const clock = new FakeClock()
  const resolver = new Resolver({
    servers: servers.map((server) => server.address),
    timeoutMs: 1_000,
    clock,
  })
  return { servers, dns: servers[0]!, clock, resolver }
}

test('exchangers come by preference; a name without MX is its own (RFC 5321 §5.1)', async (t) => {
  const { resolver } = await start(t)
  assert.deepEqual(await resolver.mx('Campus.Example.'), {
    kind: 'found',
    records: [
      { host: 'mx1.campus.example', preference: 10 },
      { host: 'mx2.campus.example', preference: 20 },
    ],
  })
  assert.deepEqual(await resolver.mx('bare.example'), {
    kind: 'found',
    records: [{ host: 'bare.example', preference: 0 }],
  })
  assert.deepEqual(await resolver.mx('nomail.example'), { kind: 'null' })
  assert.deepEqual(await resolver.mx('no.such.example'), { kind: 'none', exists: false })
})

test('addresses of both families, of aliases, of U-labels, of literals', async (t) => {
  const { resolver, dns } = await start(t)
  const found = (...records: string[]) => ({ kind: 'found', records })
  assert.deepEqual(
    await resolver.addresses('mx1.campus.example'),
    found('2001:db8::1', '192.0.2.1'),
  )
  assert.deepEqual(await resolver.addresses('www.example'), found('192.0.2.9'))
  assert.deepEqual(await resolver.addresses('日本語.example'), found('192.0.2.10'))
  const asked = dns.queries.length
  assert.deepEqual(await resolver.addresses('2001:db8::7'), found('2001:db8::7'))
  assert.deepEqual(await resolver.addresses('localhost'), found('127.0.0.1', '::1'))
  assert.equal(dns.queries.length, asked)
  assert.deepEqual(await resolver.addresses('campus.example'), { kind: 'none', exists: true })
  assert.deepEqual(await resolver.addresses(`${'a'.repeat(64)}.example`), {
    kind: 'none',
    exists: false,
  })
})

test('texts are joined, octet for octet; names of an address', async (t) => {
  const { resolver, dns } = await start(t)
  const answer = await resolver.txt('campus.example')
  assert.ok(answer.kind === 'found')
  assert.deepEqual(
    answer.records.map((text) => Buffer.from(text, 'latin1').toString()),
    ['v=spf1 mx -all', '二つ目'],
  )
  assert.deepEqual(await resolver.ptr('192.0.2.7'), { kind: 'found', records: ['host.example'] })
  await resolver.ptr('2001:db8::ff:192.0.2.1')
  assert.equal(
    dns.queries.at(-1),
    '1.0.2.0.0.0.0.c.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR',
  )
})

for (const [mood, queries] of [
  ['forged', ['bare.example A']],
  ['truncated', ['bare.example A', 'tcp bare.example A']],
  ['noEdns', ['bare.example A', 'bare.example A']],
] as const)
  test(`a ${mood} answer does not keep from the true one`, async (t) => {
    const { resolver, dns } = await start(t)
    dns.mood = mood
    assert.deepEqual(await resolver.query('bare.example', 'A'), {
      kind: 'found',
      records: [{ text: '192.0.2.9' }],
    })
    assert.deepEqual(dns.queries, queries)
  })

test('answers are kept for their TTL, those that say none too', async (t) => {
  const { resolver, dns, clock } = await start(t)
  for (const name of ['bare.example', 'no.such.example']) await resolver.query(name, 'A')
  clock.advance(59_999)
  for (const name of ['bare.example', 'no.such.example']) await resolver.query(name, 'A')
  assert.equal(dns.queries.length, 2)
  clock.advance(1)
  for (const name of ['bare.example', 'no.such.example']) await resolver.query(name, 'A')
  assert.equal(dns.queries.length, 4)
})

test('one question under way serves all who ask it', async (t) => {
  const { resolver, dns } = await start(t)
  const answers = await Promise.all(Array.from({ length: 9 }, () => resolver.mx('campus.example')))
  assert.equal(dns.queries.length, 1)
  assert.equal(new Set(answers.map((answer) => answer.kind)).size, 1)
})

test('a server that refuses, and one that is not there, give way to the next', async (t) => {
  const { servers, clock, dns } = await start(t, 2)
  dns.mood = 'refused'
  const gone = await startFakeDns()
  await gone.close()
  const resolver = new Resolver({
    servers: [gone.address, ...servers.map((server) => server.address)],
    timeoutMs: 1_000,
    clock,
  })
  assert.equal((await resolver.query('bare.example', 'A')).kind, 'found')
  assert.equal(dns.queries.length, 1)
})

test('a silent server costs its time once, then it is asked last', async (t) => {
  const { servers, clock, resolver, dns } = await start(t, 2)
  dns.mood = 'silent'
  const asked = resolver.query('bare.example', 'A')
  await dns.seen(1)
  clock.advance(1_000)
  assert.equal((await asked).kind, 'found')
  assert.equal((await resolver.query('mx1.campus.example', 'A')).kind, 'found')
  assert.equal(dns.queries.length, 1)
  assert.equal(servers[1]!.queries.length, 2)
})

for (const mood of ['silent', 'garbage'] as const satisfies DnsMood[])
  test(`with every server ${mood} a budget ends all questions of a piece of work`, async (t) => {
    const { clock, resolver, dns } = await start(t)
    dns.mood = mood
    const within = resolver.within(900)
    const asked = [within.mx('campus.example'), within.addresses('bare.example')]
    await dns.seen(3)
    clock.advance(900)
    for (const answer of await Promise.all(asked)) assert.equal(answer.kind, 'temperror')
    assert.equal((await within.txt('campus.example')).kind, 'temperror') // none left, nothing asked
    assert.equal(dns.queries.length, 3)
    clock.advance(100)
  })

test('with every server silent a look-up ends in temperror, not in none', async (t) => {
  const { clock, resolver, dns } = await start(t)
  dns.mood = 'silent'
  const asked = resolver.query('bare.example', 'A')
  await dns.seen(1)
  clock.advance(1_000)
  await dns.seen(2) // the second round
  clock.advance(1_000)
  assert.equal((await asked).kind, 'temperror')
  dns.mood = 'answer'
  assert.equal((await resolver.query('bare.example', 'A')).kind, 'found') // trouble is not kept
})

test('no server at all is temperror', async () => {
  const resolver = new Resolver({ servers: [], timeoutMs: 1_000, clock: new FakeClock() })
  assert.equal((await resolver.mx('campus.example')).kind, 'temperror')
})

test('servers are named HOST:PORT, IPv6 in brackets', () => {
  assert.deepEqual(parseServer('127.0.0.1:5353'), { host: '127.0.0.1', port: 5353 })
  assert.deepEqual(parseServer('[::1]:5353'), { host: '::1', port: 5353 })
  assert.deepEqual(parseServer('2001:db8::1'), { host: '2001:db8::1', port: 53 })
  for (const text of ['ns.example', '127.0.0.1:0', '127.0.0.1:99999', ''])
    assert.throws(
      () => parseServer(text),
      (thrown) => isFault(thrown, 'config'),
    )
})

test('mailauth gets the shapes and codes of dns.promises.resolve', async (t) => {
  const { resolver, dns, clock } = await start(t)
  const troubles: string[] = []
  const resolve = mailauthResolver(resolver, (name) => troubles.push(name))
  assert.deepEqual(await resolve('campus.example', 'MX'), [
    { exchange: 'mx2.campus.example', priority: 20 },
    { exchange: 'mx1.campus.example', priority: 10 },
  ])
  assert.deepEqual((await resolve('campus.example', 'TXT'))[0], ['v=spf1 mx -all'])
  assert.deepEqual(await resolve('bare.example', 'A'), ['192.0.2.9'])
  await assert.rejects(resolve('campus.example', 'A'), { code: 'ENODATA' })
  await assert.rejects(resolve('no.such.example', 'A'), { code: 'ENOTFOUND' })
  dns.mood = 'silent'
  const before = dns.queries.length
  const asked = mailauthResolver(resolver.within(100), (name) => troubles.push(name))(
    'x.example',
    'A',
  )
  await dns.seen(before + 1)
  clock.advance(100)
  await assert.rejects(asked, { code: 'ETIMEOUT' })
  assert.deepEqual(troubles, ['x.example'])
  clock.advance(900)
})

test('a server that no way leads to cannot answer, and ends nothing else', async () => {
  // Broadcast: the kernel refuses to connect, as it does where the network is down.
  const server = { host: '255.255.255.255', port: 53 }
  const question = { name: 'campus.example', type: 'A' } as const
  for (let times = 0; times < 3; times++)
    await assert.rejects(
      askServer(server, question, { clock: systemClock, timeoutMs: 5_000 }),
      (thrown) => isFault(thrown, 'unreachable'),
    )
})
