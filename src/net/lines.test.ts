import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS, systemClock } from '#base/time.ts'
import { OctetReader } from './lines.ts'

const WAIT_MS = 30 * SECOND_MS
const text = (line: Uint8Array | string): string =>
  typeof line === 'string' ? `(${line})` : Buffer.from(line).toString('utf8')

async function linesOf(chunks: readonly Buffer[], lengthMax: number): Promise<string[]> {
  const stream = new PassThrough()
  const reader = new OctetReader(stream, systemClock)
  const lines: string[] = []
  const reading = (async () => {
    for (;;) {
      const line = await reader.line(lengthMax, WAIT_MS)
      lines.push(text(line))
      if (line === 'eof') return
    }
  })()
  for (const chunk of chunks) {
    stream.write(chunk)
    await new Promise(setImmediate)
  }
  stream.end()
  await reading
  return lines
}

test('only CRLF ends a line, wherever the segments end', async () => {
  const whole = Buffer.from('件名 1\r\na\nb\r\n\r\n\rc\r\r\nrest')
  for (let cut = 0; cut <= whole.length; cut++)
    assert.deepEqual(await linesOf([whole.subarray(0, cut), whole.subarray(cut)], 100), [
      '件名 1',
      'a\nb',
      '',
      '\rc\r',
      '(eof)',
    ])
})

test('lines come out the same however they were cut into segments', async () => {
  const piece = fc.constantFrom('\r', '\n', '\r\n', 'あ', 'x', 'long line of text ')
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.nat(40), { maxLength: 8 }),
      async (pieces, cuts) => {
        const whole = Buffer.from(pieces.join(''))
        const at = [...cuts.map((cut) => Math.min(cut, whole.length)), 0, whole.length].toSorted(
          (a, b) => a - b,
        )
        const chunks = at.slice(1).map((end, i) => whole.subarray(at[i], end))
        assert.deepEqual(await linesOf(chunks, 20), await linesOf([whole], 20))
      },
    ),
    { numRuns: 200 },
  )
})

test('a line over the limit is read to its end, told, and dropped', async () => {
  const lines = Buffer.from(`12345678\r\n123456789\r\n${'x'.repeat(50_000)}\r\nよし\r\n`)
  for (const size of [1_000, 7, 50_100]) {
    const chunks = []
    for (let at = 0; at < lines.length; at += size) chunks.push(lines.subarray(at, at + size))
    assert.deepEqual(await linesOf(chunks, 8), [
      '12345678',
      '(tooLong)',
      '(tooLong)',
      'よし',
      '(eof)',
    ])
  }
})

test('slices that were handed out keep their octets while more arrive', async () => {
  const stream = new PassThrough()
  const reader = new OctetReader(stream, systemClock)
  const kept: Uint8Array[] = []
  for (let i = 0; i < 300; i++) {
    const reading = reader.line(100, WAIT_MS)
    const line = Buffer.from(`行 ${i}\r\n`)
    stream.write(line.subarray(0, 3))
    await new Promise(setImmediate)
    stream.write(Buffer.concat([line.subarray(3), Buffer.from('次')]))
    kept.push((await reading) as Uint8Array)
    assert.equal(text((await reader.octets(3, WAIT_MS)) as Uint8Array), '次')
  }
  kept.forEach((line, i) => assert.equal(text(line), `行 ${i}`))
})

test('octets come as they are, up to what was asked, and can be put back', async () => {
  const stream = new PassThrough()
  const reader = new OctetReader(stream, systemClock)
  stream.write('abcdef\r\nQUIT\r\n')
  assert.equal(text((await reader.octets(4, WAIT_MS)) as Uint8Array), 'abcd')
  reader.unread(2)
  assert.equal(reader.buffered, 12)
  assert.equal(text((await reader.line(10, WAIT_MS)) as Uint8Array), 'cdef')
  assert.equal(text((await reader.line(10, WAIT_MS)) as Uint8Array), 'QUIT')
  stream.destroy()
  assert.equal(await reader.octets(1, WAIT_MS), 'eof')
})

test('a line that comes octet by octet has one deadline for all of it', async () => {
  const clock = new FakeClock()
  const stream = new PassThrough()
  const reader = new OctetReader(stream, clock)
  const line = reader.line(100, 10 * SECOND_MS)
  for (let i = 0; i < 9; i++) {
    stream.write('a')
    await new Promise(setImmediate)
    clock.advance(SECOND_MS)
    await new Promise(setImmediate)
  }
  clock.advance(2 * SECOND_MS)
  assert.equal(await line, 'timeout')
})

test('a line without an end has its deadline too, however fast it comes', async () => {
  const clock = new FakeClock()
  const stream = new PassThrough()
  const reader = new OctetReader(stream, clock)
  const line = reader.line(100, 10 * SECOND_MS)
  // 10 MB in 200 s: the buffer is never found empty.
  for (let sent = 0; sent < 2_000; sent++) {
    stream.write(Buffer.alloc(5_000, '永'))
    clock.advance(SECOND_MS / 10)
    await new Promise(setImmediate)
  }
  stream.write('\r\n')
  assert.equal(await line, 'timeout')
})

test('where no time is left, what lies ready is not taken', async () => {
  const stream = new PassThrough()
  const reader = new OctetReader(stream, new FakeClock())
  stream.write('NOOP\r\nNOOP\r\n')
  assert.equal(text((await reader.line(100, 1)) as Uint8Array), 'NOOP')
  assert.equal(await reader.line(100, 0), 'timeout')
  assert.equal(await reader.octets(100, -1), 'timeout')
  assert.equal(text((await reader.line(100, 1)) as Uint8Array), 'NOOP')
})

test('octets of a known count have one deadline for all of them', async () => {
  const clock = new FakeClock()
  const stream = new PassThrough()
  const reader = new OctetReader(stream, clock)
  stream.write('鳥鳥')
  assert.equal(text((await reader.exactly(3, 1)) as Uint8Array), '鳥')
  const rest = reader.exactly(9, 10 * SECOND_MS)
  for (let i = 0; i < 5; i++) {
    stream.write('x')
    await new Promise(setImmediate)
    clock.advance(3 * SECOND_MS)
  }
  assert.equal(await rest, 'timeout')
  stream.write('渡り')
  assert.equal(((await reader.exactly(6, WAIT_MS)) as Uint8Array).length, 6)
  assert.equal(((await reader.exactly(0, 0)) as Uint8Array).length, 0)
  stream.end()
  await new Promise(setImmediate)
  assert.equal(await reader.exactly(9_000, WAIT_MS), 'eof')
})

test('what nobody asks for stays in the socket', async () => {
  const stream = new PassThrough({ highWaterMark: 1_000 })
  const reader = new OctetReader(stream, systemClock)
  let writes = 0
  while (stream.write(Buffer.alloc(100, 'x'))) writes++
  await new Promise(setImmediate)
  assert.ok(writes < 100)
  assert.equal(stream.write('x'), false)
  assert.equal(((await reader.octets(100_000, WAIT_MS)) as Uint8Array).length > 0, true)
})

test('who waits keeps what it has not read yet, and not the buffer that it came in', async () => {
  const stream = new PassThrough()
  const reader = new OctetReader(stream, systemClock)
  const socketBuffer = (content: string): Buffer => {
    const large = Buffer.from(new ArrayBuffer(64 * 1024))
    return large.subarray(0, large.write(content))
  }
  stream.write(socketBuffer('一行目\r\n'))
  assert.equal(text(await reader.line(100, WAIT_MS)), '一行目')
  const second = reader.line(100, WAIT_MS)
  await new Promise(setImmediate)
  assert.equal(reader.heldBytes, 0)
  stream.write(socketBuffer('二'))
  await new Promise(setImmediate)
  assert.ok(reader.heldBytes < 8 * 1024, `${reader.heldBytes}`)
  stream.write(socketBuffer('行目\r\n三'))
  assert.equal(text(await second), '二行目')
  stream.write(socketBuffer('行目\r\n'))
  assert.equal(text(await reader.line(100, WAIT_MS)), '三行目')
})

test('a literal is gathered as it comes, in any segments', async () => {
  const whole = Buffer.from('渡り鳥が海を渡る。'.repeat(700))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 12 }), async (cuts) => {
      const stream = new PassThrough()
      const reader = new OctetReader(stream, systemClock)
      const taken = reader.exactly(whole.length, WAIT_MS)
      const at = [0, ...cuts, whole.length].toSorted((a, b) => a - b)
      for (const [i, end] of at.slice(1).entries()) {
        stream.write(whole.subarray(at[i], end))
        await new Promise(setImmediate)
      }
      stream.write('x')
      assert.deepEqual(Buffer.from((await taken) as Uint8Array), whole)
      assert.equal(text(await reader.octets(9, WAIT_MS)), 'x')
    }),
    { numRuns: 50 },
  )
})

test('what was said goes out before each wait; a peer that cannot hear it has ended', async () => {
  const stream = new PassThrough()
  let said = 0
  const reader = new OctetReader(stream, systemClock, () => {
    said++
    return said < 3 ? Promise.resolve() : Promise.reject(new Fault('closed', '誰もいない'))
  })
  stream.write('一\r\n二')
  const first = await reader.line(100, 1_000)
  const before = said
  assert.equal(text(first), '一')
  const second = reader.line(100, 1_000)
  await new Promise(setImmediate)
  assert.equal(said, before + 1)
  stream.write('\r\n')
  assert.equal(text(await second), '二')
  said = 2
  assert.equal(await reader.line(100, 1_000), 'eof')
})
