import type { IncomingMessage } from 'node:http'
import { toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { JSON_DEPTH_MAX } from '#server/jmap/limits.ts'
import { RequestError } from './problem.ts'

/**
 * The request's body. Rejects with RequestError 413 as soon as it is larger; what still comes is
 * dropped, so that the client hears the answer. Rejects with Fault `closed` where the client left.
 */
export function readBody(
  incoming: IncomingMessage,
  limit: { readonly name: string; readonly bytesMax: number },
): Promise<Octets> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const refuse = (): void => {
      chunks.length = 0
      incoming.off('data', take)
      incoming.resume()
      reject(new RequestError('limit', `At most ${limit.bytesMax} octets`, limit.name, 413))
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit.bytesMax) return refuse()
      chunks.push(chunk)
    }
    incoming.on('error', () => undefined) // 'close' follows
    incoming.once('close', () => reject(new Fault('closed', 'the client left')))
    if (Number(incoming.headers['content-length'] ?? 0) > limit.bytesMax) return refuse()
    incoming.on('data', take)
    incoming.once('end', () => resolve(Buffer.concat(chunks)))
  })
}

/**
 * Hands on the request's body in pieces, no faster than they are taken; returns its length. Throws
 * likewise.
 */
export async function streamBody(
  incoming: IncomingMessage,
  limit: { readonly name: string; readonly bytesMax: number },
  take: (octets: Octets) => Promise<void>,
): Promise<number> {
  const refuse = (): never => {
    incoming.resume()
    throw new RequestError('limit', `At most ${limit.bytesMax} octets`, limit.name, 413)
  }
  if (Number(incoming.headers['content-length'] ?? 0) > limit.bytesMax) refuse()
  let size = 0
  let waiting: Buffer[] = []
  let waitingBytes = 0
  const flush = async (): Promise<void> => {
    const octets = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    for (let at = 0; at < octets.length; at += PIECE_BYTES)
      await take(octets.subarray(at, at + PIECE_BYTES))
  }
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      const octets = chunk as Buffer
      size += octets.length
      if (size > limit.bytesMax) refuse()
      waiting.push(octets)
      waitingBytes += octets.length
      if (waitingBytes >= PIECE_BYTES) await flush()
    }
  } catch (thrown) {
    if (incoming.destroyed && !incoming.complete) throw new Fault('closed', 'the client left')
    incoming.resume()
    throw thrown
  }
  await flush()
  return size
}

const PIECE_BYTES = 256 * 1024

/** Throws RequestError notJSON. */
export function parseJson(octets: Octets): unknown {
  const text = toUtf8Strict(octets)
  try {
    if (text !== undefined && depthOf(octets) <= JSON_DEPTH_MAX) return JSON.parse(text) as unknown
  } catch {
    // answered below
  }
  throw new RequestError('notJSON', `The body is no JSON in UTF-8, at most ${JSON_DEPTH_MAX} deep`)
}

/** How deep lists and objects lie within one another: whoever walks them later may recurse. */
function depthOf(octets: Octets): number {
  let depth = 0
  let deepest = 0
  let isText = false
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!
    if (isText) {
      if (octet === BACKSLASH) at++
      else if (octet === QUOTE) isText = false
    } else if (octet === QUOTE) isText = true
    else if (octet === OPEN_LIST || octet === OPEN_OBJECT) deepest = Math.max(deepest, ++depth)
    else if (octet === CLOSE_LIST || octet === CLOSE_OBJECT) depth--
  }
  return deepest
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
