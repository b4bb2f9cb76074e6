import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { BODY_BYTES_MAX } from '#contract/node/wire.ts'

/** The body as JSON of this shape. Throws Fault `limit` or `invalid`. */
export async function readBody<S extends z.ZodType>(
  request: IncomingMessage,
  shape: S,
): Promise<z.infer<S>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > BODY_BYTES_MAX) throw new Fault('limit', `more than ${BODY_BYTES_MAX} octets`)
    chunks.push(chunk)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new Fault('invalid', 'the body is no JSON', { cause })
  }
  const parsed = shape.safeParse(value)
  if (!parsed.success) throw new Fault('invalid', parsed.error.issues[0]?.message ?? 'invalid')
  return parsed.data
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
  const code = isFault(cause) ? cause.code : 'unavailable'
  sendJson(response, isFault(cause) ? (STATUS[cause.code] ?? 503) : 500, {
    error: { code, message: messageOf(cause) },
  })
}
