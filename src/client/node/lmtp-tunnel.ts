import type { Socket } from 'node:net'
import { Fault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LMTP_PATH, LMTP_PROTOCOL, NODE_PATHS } from '#contract/node/wire.ts'
import { askJson } from './request.ts'
import type { Dial } from './request.ts'

const OPEN_MS = 5 * SECOND_MS
const WATCH_MS = 4 * SECOND_MS
/** So many questions in a row without an answer: nobody is there any more. */
const MISSED_MAX = 2

/**
 * A connection on which a joined store speaks LMTP with us: HTTP changes protocols (RFC 9110 §7.8) on
 * the mutual TLS of the node API, so that the store believes verdict and delivery id.
 * Throws Fault `unreachable`, `timeout` or `protocol`.
 */
export function openLmtp(dial: Dial, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = dial({
      method: 'GET',
      path: LMTP_PATH,
      headers: { connection: 'Upgrade', upgrade: LMTP_PROTOCOL },
    })
    const fail = (fault: Fault): void => {
      cancel()
      request.destroy()
      reject(fault)
    }
    const cancel = clock.after(OPEN_MS, () => fail(new Fault('timeout', 'the store is silent')))
    request.once('upgrade', (_, socket, head) => {
      cancel()
      if (head.byteLength > 0) socket.unshift(head)
      watch(socket, dial, clock)
      resolve(socket)
    })
    request.once('response', (response) => {
      response.resume()
      fail(new Fault('protocol', `the store answered ${response.statusCode} to LMTP`))
    })
    request.on('error', (cause) =>
      fail(cause instanceof Fault ? cause : new Fault('unreachable', cause.message, { cause })),
    )
    request.end()
  })
}

/**
 * A connection whose other end has vanished shows nothing, and SMTP waits for minutes: while it is
 * open, the store is asked beside it whether it is there, and the tunnel ends with the answers.
 */
function watch(socket: Socket, dial: Dial, clock: Clock): void {
  let missed = 0
  let cancel = clock.after(WATCH_MS, look)
  socket.once('close', () => cancel())
  function look(): void {
    const ask = { dial, clock, method: 'GET', path: NODE_PATHS.alive, timeoutMs: WATCH_MS } as const
    askJson(ask).then(
      () => (missed = 0),
      () => {
        if (++missed >= MISSED_MAX)
          socket.destroy(new Fault('timeout', 'the store has fallen silent'))
      },
    )
    if (!socket.destroyed) cancel = clock.after(WATCH_MS, look)
  }
}
