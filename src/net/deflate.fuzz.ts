import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { FakeClock } from '#base/time.ts'
import { InflatedStream } from './deflate.ts'

const word = fc.constantFrom('FETCH 1:* ', '渡り鳥', '\0', 'x'.repeat(300), '\r\n')

test('what is said in flushes and rests is heard as it was, however it is cut', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(word, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 }),
      async (bursts) => {
        const clock = new FakeClock()
        const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
        const [socket] = (await once(server, 'connection')) as [Socket]
        const stream = new InflatedStream(socket, clock)
        let heard = Buffer.alloc(0)
        let wake = (): void => undefined
        stream.on('data', (octets: Buffer) => {
          heard = Buffer.concat([heard, octets])
          wake()
        })
        let said = Buffer.alloc(0)
        for (const words of bursts) {
          const burst = Buffer.from(words.join(''))
          // As one stream of the whole talk makes it: it looks back on all before.
          const before = said.subarray(-32_768)
          const options = { finishFlush: constants.Z_SYNC_FLUSH }
          client.write(
            deflateRawSync(
              burst,
              before.length === 0 ? options : { ...options, dictionary: before },
            ),
          )
          said = Buffer.concat([said, burst])
          while (heard.length < said.length) await new Promise<void>((resolve) => (wake = resolve))
          // Its last octets have been taken; the callback of the write may still be under way.
          for (let turn = 0; stream.isAwake && turn < 50; turn++) {
            await new Promise(setImmediate)
            clock.advance(3_000)
          }
          assert.equal(stream.isAwake, false, 'a peer that rests costs no decoder')
        }
        assert.ok(heard.equals(said))
        client.destroy()
        socket.destroy()
      },
    ),
    { numRuns: 60 },
  )
})

test('a connection that ends just before its decoder is given back is heard to its end', async (t) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const clock = new FakeClock()
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    client.destroy()
    socket.destroy()
  })
  const stream = new InflatedStream(socket, clock)
  // Behind the stream's own listener: its decoder has been told of the end, and has not answered yet.
  socket.on('end', () => clock.advance(60_000))
  client.write(deflateRawSync('渡り鳥\r\n', { finishFlush: constants.Z_SYNC_FLUSH }))
  await once(stream, 'data')
  await new Promise(setImmediate)
  client.end()
  await once(stream, 'end')
})
