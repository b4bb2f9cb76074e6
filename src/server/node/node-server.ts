import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { failpoint } from '#base/failpoint.ts'
import { Fault } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { NODE_PATHS, outboxHead } from '#contract/node/wire.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import { z } from 'zod'
import { readBody, sendFault, sendJson } from './http.ts'
import type { MailboxDoor } from './mailbox-door.ts'
import { keyOf } from './peer-key.ts'

const HEAD_BYTES_MAX = 16 * 1024 * 1024

/** What a node does for the others. */
export interface NodeServices {
  /** How it is: told to those who bring it mail. */
  readonly state?: () => string
  /**
   * Takes an entry of a store's outbox into the queue; durable when it resolves. The same `id` again
   * must make no second message. `octets` gives the content, `head.sizeBytes` in all.
   */
  outbox?(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void>
  /** Where mailboxes are owned: what a joined `deliver` puts into them. */
  readonly mailboxes?: Pick<MailboxDoor, 'take'>
  /** Named calls with one plain argument and one plain result: `queue.list`, `queue.act` … */
  readonly calls?: Readonly<Record<string, (argument: never) => Promise<unknown>>>
}

/** The node API of a gateway or store, as a request listener for whatever server app has. */
export function nodeServer(services: NodeServices): RequestListener {
  /** One at work for each id: a repetition while the first is under way waits for its end. */
  const entries = new Map<string, Promise<void>>()
  return (request, response) => {
    void serve(services, entries, { request, response }).catch((cause: unknown) => {
      sendFault(response, cause)
      request.resume()
    })
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

async function serve(
  services: NodeServices,
  entries: Map<string, Promise<void>>,
  { request, response }: Exchange,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]!
  if (request.method === 'POST' && path === NODE_PATHS.outbox && services.outbox !== undefined) {
    const { head, octets } = await readOutbox(request)
    const running = entries.get(head.id)
    if (running === undefined) {
      const work = services.outbox(head, octets).finally(() => entries.delete(head.id))
      entries.set(head.id, work)
      await work
    } else {
      request.resume()
      await running
    }
    return sendJson(response, 200, {})
  }
  if (request.method === 'GET' && path === NODE_PATHS.alive)
    return sendJson(response, 200, { state: services.state?.() })
  if (request.method === 'POST' && path.startsWith(NODE_PATHS.calls)) {
    const name = path.slice(NODE_PATHS.calls.length)
    const call = Object.hasOwn(services.calls ?? {}, name) ? services.calls![name] : undefined
    if (call === undefined) throw new Fault('notFound', `this node has no call ${name}`)
    const { argument } = await readBody(request, z.object({ argument: z.unknown() }))
    return sendJson(response, 200, { result: await call(argument as never) })
  }
  if (request.method === 'POST' && path.startsWith(NODE_PATHS.mailboxes) && services.mailboxes) {
    const key = keyOf(request)
    if (key === undefined) throw new Fault('invalid', 'the peer shows no key')
    const name = path.slice(NODE_PATHS.mailboxes.length)
    const answer = await services.mailboxes.take(key, name, request)
    // An answer that is lost after its COMMIT.
    if (failpoint(`serve.${name}.replied`) === 'drop') return void request.socket.destroy()
    return sendJson(response, 200, answer)
  }
  throw new Fault('notFound', `there is no ${request.method} ${path}`)
}

/** The first line is the head in JSON, all after it the content. */
async function readOutbox(
  request: IncomingMessage,
): Promise<{ readonly head: OutboxHead; readonly octets: AsyncIterable<Octets> }> {
  const chunks = (request as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let line = Buffer.alloc(0)
  for (;;) {
    const next = await chunks.next()
    if (next.done === true) throw new Fault('invalid', 'the entry ends within its head')
    line = Buffer.concat([line, next.value])
    const end = line.indexOf(0x0a)
    if (end >= 0) {
      const head = parseHead(line.subarray(0, end).toString('utf8'))
      return { head, octets: counted(line.subarray(end + 1), chunks, head.sizeBytes) }
    }
    if (line.byteLength > HEAD_BYTES_MAX)
      throw new Fault('limit', 'the head of the entry is too long')
  }
}

function parseHead(text: string): OutboxHead {
  try {
    return outboxHead.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault('invalid', 'the head of the entry cannot be read', { cause })
  }
}

/** The content; a connection that breaks within it is a fault, never a short message. */
async function* counted(
  first: Octets,
  rest: AsyncIterator<Buffer>,
  sizeBytes: number,
): AsyncGenerator<Octets> {
  let size = first.byteLength
  if (first.byteLength > 0) yield first
  for (;;) {
    const next = await rest.next()
    if (next.done === true) break
    size += next.value.byteLength
    yield next.value
  }
  if (size !== sizeBytes)
    throw new Fault('protocol', `the entry has ${size} octets, not the ${sizeBytes} that it names`)
}
