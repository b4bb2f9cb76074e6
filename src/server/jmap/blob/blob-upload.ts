import { randomId } from '#base/id.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { findBlob } from '#server/jmap/email/source.ts'
import type { Blob } from '#server/jmap/email/source.ts'
import { isObject } from '#server/jmap/method/args.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { invalidProperties, MethodError, SetRefusal } from '#server/jmap/method/method-error.ts'
import { objects, SetResult } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { BLOB_READ_BYTES_MAX, BLOB_SOURCES_MAX } from '#server/jmap/limits.ts'
import { BLOB } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import { ReadBudget, readRange } from './blob-range.ts'
import type { Range } from './blob-range.ts'

const TYPE = /^[\u0020-\u007e]{1,200}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const APPEND_BYTES = 256 * 1024

/** RFC 9404 §4.1. One after another: a later one may be made of an earlier one. */
export const blobUpload: Method = {
  name: 'Blob/upload',
  capability: BLOB,
  args: ['create'],
  async run(call, args): Promise<Answer> {
    const create = objects(args, 'create')
    if (create.length > call.room.limits.maxObjectsInSet) throw new MethodError('requestTooLarge')
    const result = new SetResult()
    const budget = new ReadBudget(
      BLOB_READ_BYTES_MAX,
      () => new MethodError('requestTooLarge', 'That is more than one call reads'),
    )
    for (const [creationId, properties] of create)
      try {
        result.created(call, creationId, await made({ call, args, budget }, properties))
      } catch (thrown) {
        result.refuse('notCreated', creationId, thrown)
      }
    const { created, notCreated } = result.answer()
    return { created, notCreated }
  },
}

interface Work {
  readonly call: Call
  readonly args: Args
  readonly budget: ReadBudget
}

type Source =
  | { readonly kind: 'octets'; readonly octets: Octets }
  | { readonly kind: 'blob'; readonly blob: Blob; readonly range: Range }

async function made(
  work: Work,
  { data, type, ...others }: Properties,
): Promise<{ readonly id: string; readonly type: string; readonly size: number }> {
  const { room, login } = work.call
  const [strange] = Object.keys(others)
  if (strange !== undefined) throw invalidProperties('that cannot be given', strange.slice(0, 100))
  if ((type ?? null) !== null && !(typeof type === 'string' && TYPE.test(type)))
    throw invalidProperties('type is a media type or null', 'type')
  if (!Array.isArray(data) || data.length > BLOB_SOURCES_MAX)
    throw invalidProperties(`data is a list of at most ${BLOB_SOURCES_MAX} sources`, 'data')
  const sources: Source[] = []
  for (const each of data as unknown[]) sources.push(await sourceOf(work, each))
  const { handle, size } = await written(work, sources)
  const kept = {
    id: `U${randomId(24)}`,
    type: typeof type === 'string' ? type : 'application/octet-stream',
  }
  const bytesMax = Math.max(room.limits.uploadBytesPerAccountMax, room.limits.maxSizeUpload)
  const { isKept } = await room.store.keepUpload({
    accountId: login.id,
    ...kept,
    large: handle,
    bytesMax,
  })
  if (!isKept) throw new SetRefusal({ type: 'overQuota' })
  return { ...kept, size }
}

const KINDS = ['data:asText', 'data:asBase64', 'blobId']

async function sourceOf({ call, args }: Work, given: unknown): Promise<Source> {
  const wrong = (why: string): SetRefusal => invalidProperties(why, 'data')
  if (!isObject(given)) throw wrong('a source is an object')
  if (KINDS.filter((kind) => Object.hasOwn(given, kind)).length !== 1)
    throw wrong(`a source has one of ${KINDS.join(', ')}`)
  const { 'data:asText': text, 'data:asBase64': base64, blobId, offset, length, ...others } = given
  if (Object.keys(others).length > 0) throw wrong('a source has something that is not known')
  if (blobId === undefined) {
    if (offset !== undefined || length !== undefined) throw wrong('a range is one of a blob')
    if (typeof text === 'string' && text.isWellFormed())
      return { kind: 'octets', octets: fromUtf8(text) }
    if (typeof base64 === 'string' && BASE64.test(base64))
      return { kind: 'octets', octets: Buffer.from(base64, 'base64') }
    throw wrong('the data are no text, or no base64')
  }
  const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0
  if (!isCount(offset ?? 0) || !isCount(length ?? 0)) throw wrong('offset and length are numbers')
  if (typeof blobId !== 'string') throw wrong('blobId is no id')
  const blob = await findBlob(call, args.resolved(blobId))
  if (blob === undefined)
    throw new SetRefusal({ type: 'blobNotFound', notFound: [blobId.slice(0, 255)] })
  const range = { offset: Number(offset ?? 0), length: (length ?? undefined) as number | undefined }
  return { kind: 'blob', blob, range }
}

/** All sources one behind the other, as a file. */
async function written(
  { call, budget }: Work,
  sources: readonly Source[],
): Promise<{ readonly handle: LargeHandle; readonly size: number }> {
  const { store, limits } = call.room
  const { handle } = await store.openLarge()
  let size = 0
  const take = async (octets: Octets): Promise<void> => {
    size += octets.length
    if (size > limits.maxSizeUpload)
      throw new SetRefusal({ type: 'tooLarge', maxSize: limits.maxSizeUpload })
    for (let at = 0; at < octets.length; at += APPEND_BYTES)
      await store.appendLarge({ handle, octets: octets.slice(at, at + APPEND_BYTES) })
  }
  try {
    for (const source of sources) {
      if (source.kind === 'octets') await take(source.octets)
      else if ((await readRange(source.blob, source.range, { budget, take })).isTruncated)
        throw invalidProperties('a range goes on behind the end of its blob', 'data')
    }
  } catch (thrown) {
    await store.abortLarge({ handle }).catch(() => undefined)
    throw thrown
  }
  return { handle, size }
}
