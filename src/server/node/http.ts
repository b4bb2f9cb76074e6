import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { BODY_BYTES_MAX } from '#contract/node/wire.ts'

/** The body as JSON of this shape. Throws Fault `limit` or `invalid`. */
export async function readBody<S extends z.ZodType>(
  request: IncomingMessage,
  shape: S,
  bytesMax = BODY_BYTES_MAX,
): Promise<z.infer<S>> {
  const octets = await readOctets(request, bytesMax)
  let value: unknown
  try {
    value = JSON.parse(octets.toString('utf8'))
  } catch (cause) {
    throw new Fault('invalid', 'the body is no JSON', { cause })
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw new Fault('invalid', parsed.error.issues[0]?.message ?? 'invalid')
  return parsed.data
}

/** The whole body. Throws Fault `limit`. */
export async function readOctets(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // Not destroyed where it is too long: the peer is still to be told.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > bytesMax) throw new Fault('limit', `more than ${bytesMax} octets`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body ?? {})
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

const STATUS: Readonly<Partial<Record<Fault['code'], number>>> = {
  notFound: 404,
  conflict: 409,
  invalid: 400,
  limit: 413,
  full: 507,
}

/** Answers with the fault's code: the other side makes the same fault of it. */
export function sendFault(response: ServerResponse, cause: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // What is left of the request nobody reads: the connection ends with the answer.
  if (!response.req.complete) response.shouldKeepAlive = false
  const code = isFault(cause) ? cause.code : 'unavailable'
  sendJson(response, isFault(cause) ? (STATUS[cause.code] ?? 503) : 500, {
    error: { code, message: messageOf(cause) },
  })
}
