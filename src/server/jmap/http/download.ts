import type { ServerResponse } from 'node:http'
import type { Octets } from '#base/octets.ts'
import { contentDecoder } from '#codec/mime/content-decoder.ts'
import { drained } from '#net/end-in-pieces.ts'
import { sendProblem } from './problem.ts'
import type { Call } from '#server/jmap/room.ts'
import { findBlob } from '#server/jmap/email/source.ts'
import type { Blob } from '#server/jmap/email/source.ts'

const PIECE_BYTES = 256 * 1024
const TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,100}\/[A-Za-z0-9!#$&^_.+-]{1,100}$/

/**
 * Streams a blob (RFC 8620 §6.2). Whatever it holds, no browser runs it as a page of ours: it is an
 * attachment, its type is not guessed, and a sandbox is around it.
 */
export async function download(
  call: Call,
  response: ServerResponse,
  ask: { readonly blobId: string; readonly name: string; readonly type: string | undefined },
): Promise<void> {
  const blob = await findBlob(call, ask.blobId)
  if (blob === undefined) return sendProblem(response, { status: 404, title: 'No such blob' })
  // Before anything is promised: what cannot be read is no 200.
  const first = await pieceOf(blob, 0)
  const type = ask.type ?? blob.type
  response.writeHead(200, {
    'content-type': TYPE.test(type) ? type : 'application/octet-stream',
    'content-disposition': attachment(ask.name),
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    // An id's octets never change (RFC 8620 §6.2).
    'cache-control': 'private, immutable, max-age=31536000',
  })
  await stream(blob, response, first)
}

const pieceOf = (blob: Blob, at: number): Promise<Octets> =>
  blob.source.read(blob.offset + at, Math.min(PIECE_BYTES, blob.length - at))

async function stream(blob: Blob, response: ServerResponse, first: Octets): Promise<void> {
  const decoder = contentDecoder(blob.encoding)
  for (let at = 0; at < blob.length && !response.destroyed;) {
    const octets = at === 0 ? first : await pieceOf(blob, at)
    if (octets.length === 0) return void response.destroy() // shorter than it was: not a whole one
    at += octets.length
    // A slow reader holds up its own download only.
    if (!response.write(decoder.push(octets))) await drained(response)
  }
  response.end(decoder.end())
}

/** RFC 6266 §4: a plain name for old programs, and the name as it is. */
function attachment(name: string): string {
  const clean = name
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]/g, '_')
    .slice(0, 200)
    .toWellFormed()
  const plain = clean.replace(/[^\u0020-\u007e]|["%]/g, '_')
  const encoded = encodeURIComponent(clean).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
