import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from './body.ts'
import { sendProblem } from './problem.ts'
import type { Call } from './room.ts'

const TYPE = /^[\u0020-\u007e]{1,200}$/

/** RFC 8620 §6.1. */
export async function upload(
  call: Call,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { limits, uploads } = call.room
  const limit = { name: 'maxSizeUpload', bytesMax: limits.maxSizeUpload }
  const octets = await readBody(incoming, limit)
  const given = incoming.headers['content-type'] ?? ''
  const type = TYPE.test(given) ? given : 'application/octet-stream'
  const blobId = uploads.put(call.account.id, { octets, type })
  if (blobId === undefined)
    return sendProblem(response, { status: 507, title: 'Too much is being uploaded now' })
  const text = JSON.stringify({
    accountId: call.account.id,
    blobId,
    type,
    size: octets.length,
  })
  response.writeHead(201, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
