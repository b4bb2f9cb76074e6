import type { IncomingMessage, ServerResponse } from 'node:http'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import { mayStay } from '#store/directory/entrant.ts'
import { sendProblem } from './problem.ts'
import type { Call } from '#server/jmap/room.ts'
import { typesOf } from '#server/jmap/push/states.ts'
import type { Watchers } from '#server/jmap/push/watchers.ts'

/** However busy: its client opens another one, and logs in again for it. */
const LIFETIME_MS = 12 * HOUR_MS
const PING_SECONDS_MIN = 5
const PING_SECONDS_MAX = 900
/** Octets that wait for a client which does not read: it is cut off. */
const WAITING_BYTES_MAX = 256 * 1024

/** Answers with a stream of events that tells of changes (RFC 8620 §7.3). */
export async function eventSource(
  call: Call,
  {
    incoming,
    response,
    query,
    watchers,
  }: {
    readonly incoming: IncomingMessage
    readonly response: ServerResponse
    readonly query: URLSearchParams
    readonly watchers: Watchers
  },
): Promise<void> {
  const { clock, directory } = call.room
  const names = namesOf(query.get('types') ?? '*')
  if (names === undefined)
    return sendProblem(response, { status: 400, title: 'types is * or a list of names' })
  const closesAfterState = query.get('closeafter') === 'state'
  const send = (lines: string): void => {
    if (response.writableLength > WAITING_BYTES_MAX) response.destroy()
    else response.write(`${lines}\n\n`)
  }
  const last = incoming.headers['last-event-id']
  const watch = await watchers.watch(
    call,
    {
      get isGone() {
        return response.destroyed
      },
      tell: ({ pushState, ...change }) => {
        // The id in a block of its own: some programs take `event` and `data` for the whole of one.
        send(`id: ${pushState}\n\nevent: state\ndata: ${JSON.stringify(change)}`)
        if (closesAfterState) response.end()
      },
      end: () => response.end(),
    },
    { types: typesOf(names), ...(typeof last === 'string' && { pushState: last }) },
  )
  if (watch === undefined)
    return sendProblem(response, { status: 429, title: 'Too many event streams' })
  if (response.destroyed) return watch.stop()
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  // An id without an event: whoever is cut off before the first one tells it when it comes again.
  response.write(`: 渡り\nid: ${watch.pushState}\n\n`)
  let cancel = (): void => undefined
  const seconds = pingSeconds(query.get('ping'))
  const ping = (): void => {
    cancel = clock.after(seconds * SECOND_MS, () => {
      if (!mayStay(call.login, directory)) return void response.end()
      send(`event: ping\ndata: ${JSON.stringify({ interval: seconds })}`)
      ping()
    })
  }
  if (seconds > 0) ping()
  const cancelEnd = clock.after(LIFETIME_MS, () => response.end())
  response.once('close', () => {
    cancel()
    cancelEnd()
    watch.stop()
  })
}

function namesOf(text: string): readonly string[] | 'all' | undefined {
  if (text === '*') return 'all'
  return /^[A-Za-z,]{1,500}$/.test(text) ? text.split(',') : undefined
}

/** 0: none (RFC 8620 §7.3); others within our limits. */
function pingSeconds(text: string | null): number {
  const seconds = /^\d{1,6}$/.test(text ?? '') ? Number(text) : 0
  return seconds === 0 ? 0 : Math.min(PING_SECONDS_MAX, Math.max(PING_SECONDS_MIN, seconds))
}
