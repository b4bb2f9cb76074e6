import type { IncomingMessage, ServerResponse } from 'node:http'
import { randomId } from '#base/id.ts'
import { isFault } from '#base/outcome.ts'
import { streamBody } from './body.ts'
import { sendProblem } from './problem.ts'
import type { Call } from '#server/jmap/room.ts'

const TYPE = /^[\u0020-\u007e]{1,200}$/
const NO_ROOM = { status: 507, title: 'There is no room for that now' }

/** RFC 8620 §6.1. The octets are on the disk before the client hears of their id. */
export async function upload(
  call: Call,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const given = incoming.headers['content-type'] ?? ''
  const type = TYPE.test(given) ? given : 'application/octet-stream'
  const id = `U${randomId(24)}`
  let size: number | undefined
  try {
    size = await keep(call, incoming, { id, type })
  } catch (thrown) {
    if (!isFault(thrown, 'full')) throw thrown
  }
  if (size === undefined) return sendProblem(response, NO_ROOM)
  const text = JSON.stringify({ accountId: call.account.id, blobId: id, type, size })
  response.writeHead(201, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

/** The length; undefined where the account may not have so much. */
async function keep(
  { room, login }: Call,
  incoming: IncomingMessage,
  { id, type }: { readonly id: string; readonly type: string },
): Promise<number | undefined> {
  const { store, limits } = room
  const limit = { name: 'maxSizeUpload', bytesMax: limits.maxSizeUpload }
  const { handle: large } = await store.openLarge()
  let size: number
  try {
    size = await streamBody(incoming, limit, (octets) =>
      store.appendLarge({ handle: large, octets }),
    )
  } catch (thrown) {
    await store.abortLarge({ handle: large }).catch(() => undefined)
    throw thrown
  }
  // What one email may refer to has room beside another one (RFC 8620 §6).
  const bytesMax = Math.max(limits.uploadBytesPerAccountMax, limits.maxSizeUpload)
  const ask = { accountId: login.id, id, type, large, bytesMax }
  return (await store.keepUpload(ask)).isKept ? size : undefined
}
