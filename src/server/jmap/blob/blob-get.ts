import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { bufferOf, concatOctets, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { findBlob } from '#server/jmap/email/source.ts'
import type { Blob } from '#server/jmap/email/source.ts'
import { propertiesOf } from '#server/jmap/method/args.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { BLOB } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { BLOB_READ_BYTES_MAX } from '#server/jmap/limits.ts'
import { ReadBudget, readRange, sizeOf } from './blob-range.ts'
import type { Range } from './blob-range.ts'

/** By the names of RFC 9404 §4.2, of the registry of HTTP digests. */
export const DIGESTS = { sha: 'sha1', 'sha-256': 'sha256' } as const
const DIGEST_NAMES = Object.keys(DIGESTS) as (keyof typeof DIGESTS)[]
const DATA = ['data', 'data:asText', 'data:asBase64'] as const
const PROPERTIES: readonly string[] = [
  'id',
  'size',
  ...DATA,
  ...DIGEST_NAMES.map((name) => `digest:${name}`),
]

/** RFC 9404 §4.2. */
export const blobGet: Method = {
  name: 'Blob/get',
  capability: BLOB,
  args: ['ids', 'properties', 'offset', 'length'],
  async run(call, args): Promise<Answer> {
    const ids = idsToGet(call, args)
    if (ids === undefined) throw invalidArguments('ids is missing')
    const isDefault = args.value('properties') === undefined
    const properties = isDefault ? new Set(['data', 'size']) : propertiesOf(args, PROPERTIES)
    const range = { offset: args.count('offset') ?? 0, length: args.count('length') }
    const ask: Ask = {
      properties,
      range,
      reads: new ReadBudget(BLOB_READ_BYTES_MAX, tooMuch),
      answers: new ReadBudget(call.room.limits.bodyValueBytesMax, tooMuch),
    }
    const list: Answer[] = []
    const notFound: string[] = []
    for (const id of ids) {
      const blob = await findBlob(call, id)
      if (blob === undefined) notFound.push(id)
      else list.push({ id, ...(await described(call, blob, ask)) })
    }
    return { list, notFound }
  },
}

const tooMuch = (): Error =>
  new MethodError('requestTooLarge', 'That is more than one answer carries; ask for ranges')

interface Ask {
  readonly properties: ReadonlySet<string>
  readonly range: Range
  /** Octets that are read, and those of them that are told. */
  readonly reads: ReadBudget
  readonly answers: ReadBudget
}

async function described(call: Call, blob: Blob, ask: Ask): Promise<Answer> {
  const { properties, range, reads, answers } = ask
  const tellsData = DATA.some((name) => properties.has(name))
  const hashes = new Map<string, Hash>(
    DIGEST_NAMES.filter((name) => properties.has(`digest:${name}`)).map((name) => [
      name,
      createHash(DIGESTS[name]),
    ]),
  )
  const size = properties.has('size') ? { size: await sizeOf(blob, reads) } : {}
  if (!tellsData && hashes.size === 0) return size
  const pieces: Octets[] = []
  const { isTruncated } = await readRange(blob, range, {
    budget: reads,
    take: (octets) => {
      if (call.signal.aborted) throw new MethodError('serverUnavailable')
      for (const hash of hashes.values()) hash.update(octets)
      if (!tellsData) return
      answers.take(octets.length)
      pieces.push(octets)
    },
  })
  const digests = Array.from(hashes, ([name, hash]) => [`digest:${name}`, hash.digest('base64')])
  return {
    ...(tellsData && dataOf(concatOctets(pieces), properties)),
    ...(Object.fromEntries(digests) as Answer),
    ...size,
    ...(isTruncated && { isTruncated }),
  }
}

/** Text where it is asked for and is one; `data` is whichever of both forms carries the octets. */
function dataOf(octets: Octets, properties: ReadonlySet<string>): Answer {
  const isText = properties.has('data') || properties.has('data:asText')
  const text = isText ? toUtf8Strict(octets) : undefined
  const isProblem = isText && text === undefined
  const inBase64 = properties.has('data:asBase64') || (properties.has('data') && isProblem)
  return {
    ...(isText && (text !== undefined || properties.has('data:asText'))
      ? { 'data:asText': text ?? null }
      : {}),
    ...(inBase64 && { 'data:asBase64': bufferOf(octets).toString('base64') }),
    ...(isProblem && { isEncodingProblem: true }),
  }
}
