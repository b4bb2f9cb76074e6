import assert from 'node:assert/strict'
import { connect } from 'node:net'
import fc from 'fast-check'
import { SECOND_MS } from '#base/time.ts'
import type { FakeClock } from '#base/time.ts'
import type { memoryLog } from '#base/log.ts'
import { LineClient } from './line-client.ts'

/** What is asked of every server of lines before anybody has logged in. */
interface Door {
  readonly port: number
  readonly listener: { connections(): number }
}

export async function connectionsLeft(listener: Door['listener'], count: number): Promise<void> {
  while (listener.connections() !== count) await new Promise(setImmediate)
}

/** Sends the beginning and then one octet, or line, a second, until the server has enough of it. */
export async function endsWhileSlow(
  client: LineClient,
  clock: FakeClock,
  [start, octet]: readonly [start: string, octet: string],
): Promise<void> {
  client.send(start)
  let seconds = 0
  for (; !client.ended && seconds < 1_000; seconds++) {
    client.send(octet)
    await new Promise((resolve) => setTimeout(resolve, 2)) // the octet's way through the kernel
    clock.advance(SECOND_MS)
  }
  assert.ok(seconds < 1_000, `${start}${octet} is still open after ${seconds} s`)
  client.end()
}

/** What one hears who is one too many and never closes; one connection is left in the end. */
export async function oneTooMany(door: Door & { readonly clock: FakeClock }): Promise<string> {
  const { port, listener, clock } = door
  const stubborn = new LineClient(connect({ host: '127.0.0.1', port, allowHalfOpen: true }))
  const told = await stubborn.closed()
  clock.advance(2 * SECOND_MS)
  await connectionsLeft(listener, 1)
  stubborn.end()
  return told
}

const RUNS = 300

/** Whatever is sent is answered alike however it is cut, the greeting first; no session fails of it. */
export async function answersAlike(
  door: Door & { readonly log: ReturnType<typeof memoryLog> },
  sent: {
    /** Lines of the protocol, and what looks like them. */
    readonly usual: readonly string[]
    readonly odd: readonly string[]
    readonly greeting: RegExp
    /** Makes all as it was before the first word. */
    readonly anew?: () => void
  },
): Promise<void> {
  const { port, listener, log } = door
  const piece = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...sent.usual) },
    { weight: 4, arbitrary: fc.constantFrom(...sent.odd) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  )
  const talk = async (segments: readonly Uint8Array[]): Promise<string> => {
    sent.anew?.()
    const client = LineClient.plain(port)
    for (const segment of segments) {
      client.send(segment)
      await new Promise(setImmediate)
    }
    client.socket.end()
    const said = await client.closed()
    client.end()
    // What it held is free again once the session is gone.
    await connectionsLeft(listener, 0)
    return said
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 25 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      async (pieces, cuts) => {
        const whole = Buffer.concat(
          pieces.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)),
        )
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
        at.sort((a, b) => a - b)
        const said = await talk([whole])
        assert.match(said, sent.greeting)
        assert.equal(await talk(at.slice(1).map((end, i) => whole.subarray(at[i], end))), said)
        assert.deepEqual(
          log.lines.filter(({ level }) => level === 'error'),
          [],
        )
      },
    ),
    { numRuns: RUNS },
  )
}
