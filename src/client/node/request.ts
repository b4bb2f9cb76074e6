import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { FAULT_CODES, Fault, messageOf } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import { BODY_BYTES_MAX, nodeError } from '#contract/node/wire.ts'

/** Opens a request to one peer: over a Unix socket, or over mutual TLS; nobody here needs to know. */
export type Dial = (options: RequestOptions) => ClientRequest

export interface Ask {
  readonly dial: Dial
  readonly clock: Clock
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: AsyncIterable<Octets> | string
  /** From the start to the head of the answer. */
  readonly timeoutMs: number
}

/** The answer's head, once it is a 200; anything else is the Fault that the peer names. */
export async function open(ask: Ask): Promise<IncomingMessage> {
  const response = await head(ask)
  if (response.statusCode === 200) return response
  const text = await bodyText(response, ask).catch(() => '')
  throw faultOf(text, `${ask.path}: answered ${response.statusCode}`)
}

/** The whole answer as text. */
export async function askText(ask: Ask): Promise<string> {
  return bodyText(await open(ask), ask)
}

export async function askJson(ask: Ask): Promise<unknown> {
  const text = await askText(ask)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('protocol', `${ask.path}: the answer is no JSON`, { cause })
  }
}

function head(ask: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = ask.dial({
      method: ask.method,
      path: ask.path,
      headers: {
        ...ask.headers,
        ...(typeof ask.body === 'string' && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(ask.body)),
        }),
      },
    })
    const cancel = ask.clock.after(ask.timeoutMs, () =>
      request.destroy(new Fault('timeout', `${ask.path}: no answer in ${ask.timeoutMs} ms`)),
    )
    request.once('response', (response) => {
      cancel()
      resolve(response)
    })
    // For its whole life: an error after the answer's head must not end the process.
    request.on('error', (cause) => {
      cancel()
      reject(
        cause instanceof Fault
          ? cause
          : new Fault('unreachable', `${ask.path}: ${cause.message}`, { cause }),
      )
    })
    if (ask.body === undefined || typeof ask.body === 'string') request.end(ask.body)
    else
      writeAll(request, ask.body).catch((cause: unknown) =>
        request.destroy(cause instanceof Error ? cause : new Error(messageOf(cause))),
      )
  })
}

async function writeAll(request: ClientRequest, body: AsyncIterable<Octets>): Promise<void> {
  for await (const octets of body) {
    if (request.destroyed) return
    if (!request.write(octets))
      await new Promise<void>((resolve) => {
        request.once('drain', resolve)
        request.once('close', resolve)
      })
  }
  request.end()
}

/** A table of networks may be longer than a JSON body. */
const TEXT_BYTES_MAX = 32 * BODY_BYTES_MAX

function bodyText(response: IncomingMessage, ask: Ask): Promise<string> {
  const cancel = ask.clock.after(ask.timeoutMs, () =>
    response.destroy(new Fault('timeout', `${ask.path}: the answer stopped`)),
  )
  return collect(response).finally(cancel)
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > TEXT_BYTES_MAX) throw new Fault('limit', 'the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function faultOf(text: string, otherwise: string): Fault {
  try {
    const { error } = nodeError.parse(JSON.parse(text))
    const code = Object.hasOwn(FAULT_CODES, error.code) ? (error.code as FaultCode) : 'unavailable'
    return new Fault(code, error.message)
  } catch {
    return new Fault('protocol', otherwise)
  }
}
