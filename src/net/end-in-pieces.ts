import type { Writable } from 'node:stream'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

const PIECE_BYTES = 64 * 1024

/**
 * Ends an answer with a content, piece by piece as its reader takes them: of one large write nobody sees
 * whether it is taken slowly or not at all.
 */
export function endInPieces(stream: Writable, content: Octets | string): void {
  const octets = typeof content === 'string' ? fromUtf8(content) : content
  if (octets.length <= PIECE_BYTES) stream.end(octets)
  else void writePieces(stream, octets)
}

/** Never rejects: who is gone has taken what it took. */
async function writePieces(stream: Writable, octets: Octets): Promise<void> {
  for (let at = 0; at < octets.length && !stream.destroyed; at += PIECE_BYTES)
    if (!stream.write(octets.subarray(at, at + PIECE_BYTES))) await drained(stream)
  if (!stream.destroyed) stream.end()
}

/** Resolves once more may be written, or nobody is there any more. */
export function drained(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
