import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Reply } from '#model/reply.ts'
import { gatewayRoom, SUBMISSION } from '#test/fake/gateway-room.ts'
import { HEADER_BYTES_MAX, HeaderCollector } from './header-collector.ts'

const shown = ({ code, status, text }: Reply): string => `${code} ${status} ${[text].flat().join()}`

/** The message in segments of so many octets. */
function* cut(message: string, size: number): Generator<Octets> {
  const whole = fromUtf8(message)
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
}

/** A header of exactly so many octets, its blank line included. */
const header = (octets: number): string => {
  const line = `X-Filler: ${'x'.repeat(900)}\r\n`
  const start = `Subject: 件名\r\n${line.repeat(Math.floor(octets / line.length) - 1)}`
  const rest = octets - Buffer.byteLength(start) - 'X-Last: \r\n\r\n'.length
  return `${start}X-Last: ${'y'.repeat(rest)}\r\n\r\n`
}

test('a header has 1 MiB, to the octet, however it is cut', async () => {
  for (const size of [1_000, 65_536, 10_000_000])
    for (const [octets, wanted] of [
      [HEADER_BYTES_MAX, /^250 2\.0\.0 /],
      [HEADER_BYTES_MAX + 1, /^552 5\.3\.4 Header exceeds 1048576 octets$/],
      [HEADER_BYTES_MAX * 2, /^552 5\.3\.4 Header exceeds/],
    ] as const) {
      const at = gatewayRoom()
      const message = `${header(octets)}本文\r\n`
      const reply = await at.send(cut(message, size))
      assert.match(shown(reply), wanted, `${octets} octets by ${size}`)
      assert.equal(at.larges.size, reply.code === 250 ? 1 : 0)
      assert.equal(at.accepts.length, reply.code === 250 ? 1 : 0)
    }
})

test('a header that never ends is refused as soon as it is too long', async () => {
  for (const line of ['X-A: 値\r\n', ' folded\r\n', 'x']) {
    const at = gatewayRoom()
    const reply = await at.send(
      cut(`Subject: a\r\n${line.repeat(1_200_000 / line.length)}`, 65_536),
    )
    assert.match(shown(reply), /^552 5\.3\.4 Header exceeds/)
    assert.equal(at.events.at(-1)?.name, 'receive.refused')
  }
})

test('a header that comes octet by octet is no more work than one that comes at once', () => {
  const collector = new HeaderCollector()
  const octet = fromUtf8('x')
  assert.equal(collector.feed(fromUtf8('Subject: ')), undefined)
  let fed = 'Subject: '.length
  for (; fed < HEADER_BYTES_MAX; fed++) assert.equal(collector.feed(octet), undefined)
  assert.equal(collector.feed(octet), 'tooLarge')
})

test('a body without a header may be as long as a message', async () => {
  const at = gatewayRoom()
  const body = '渡り鳥の群れが行く\r\n'.repeat(60_000)
  assert.equal((await at.send(cut(body, 65_536))).code, 250)
  assert.ok(at.accepts[0]!.content.endsWith(`\r\n\r\n${body}`))
})

test('fields are counted, those that claim to be ours as well', async () => {
  for (const field of ['A: 値\r\n', 'X-Watari-A: 1\r\n'])
    for (const [count, wanted] of [
      [20_000, /^250 2\.0\.0 /],
      [20_001, /^552 5\.3\.4 Header has more than 20000 fields$/],
    ] as const) {
      const reply = await gatewayRoom().send(`${field.repeat(count)}\r\n本文\r\n`)
      assert.match(shown(reply), wanted, field)
    }
})

test('stations are counted up to received.max, at every door (RFC 5321 §6.3)', async () => {
  const hops = (count: number): string => 'Received: by x; 日\r\n'.repeat(count)
  for (const max of [100, 10]) {
    const at = gatewayRoom({ settings: { 'received.max': max } })
    assert.equal((await at.send(`${hops(max)}\r\n`)).code, 250)
    for (const command of [{}, { door: 'relay' }, SUBMISSION] as const) {
      const reply = await at.send(`${hops(max + 1)}\r\n`, undefined, command)
      assert.match(shown(reply), /^554 5\.4\.6 Too many hops: /)
    }
    assert.equal((await at.send(`X: ${'Received: '.repeat(200)}\r\n\r\n${hops(200)}`)).code, 250)
  }
})

test('a size is judged when it is told and when it has come, header and body together', async () => {
  const at = gatewayRoom({ settings: { 'mail.sizeBytesMax': 500_000 } })
  const exceeds = /^552 5\.3\.4 Message size exceeds 500000 octets$/
  assert.match(shown(await at.send('', undefined, { sizeBytes: 500_001 })), exceeds)
  const exact = header(2_000) + '本'.repeat(166_000)
  assert.equal(Buffer.byteLength(exact), 500_000)
  assert.equal((await at.send(cut(exact, 65_536), undefined, { sizeBytes: 1 })).code, 250)
  assert.match(shown(await at.send(cut(`${exact}x`, 65_536))), exceeds)
  assert.match(shown(await at.send(cut(exact.repeat(3), 65_536))), exceeds)
  assert.equal(at.accepts.length, 1)
  assert.equal(at.larges.size, 1, 'what was refused has left no large file')
})

test('recipients over the limit are put off one by one', async () => {
  const at = gatewayRoom({ settings: { 'smtp.recipientsMax': 1 } })
  const both = await at.send('', ['hanako@campus.example', 'taro@campus.example'])
  assert.match(shown(both), /^452 4\.5\.3 Too many recipients$/)
})
