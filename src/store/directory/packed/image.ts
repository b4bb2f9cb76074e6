import { crc32 } from 'node:zlib'
import type { HeapParts } from './record-heap.ts'
import type { KeyIndexParts } from './key-index.ts'
import type { PackedParts } from './packed-rows.ts'
import type { ChainParts } from './row-chain.ts'

/** Reads so many octets from this place on; fewer at the end. */
export type ReadAt = (at: number) => Promise<Uint8Array>

const FRAME_BYTES = 1024 * 1024
const FRAME_HEAD_BYTES = 8
/** Far more than rows of which there are few, and the places of all blocks. */
const HEAD_BYTES_MAX = 256 * 1024 * 1024

interface Layout {
  readonly places: number
  /** The octets of each chunk; null: it is free. */
  readonly chunks: readonly (number | null)[]
  readonly names: IndexLayout
  readonly also: IndexLayout
  /** The words of each chain, once for what comes after and once for what comes before. */
  readonly chains?: readonly number[]
}

interface IndexLayout {
  readonly seed: number
  readonly count: number
  readonly words: number
}

/**
 * Packed rows of several kinds as octets, in frames with a CRC each, to be read without looking at a
 * single row. `head` is whatever else belongs to them.
 *
 *     length u32 | crc u32 | how many octets of JSON follow, u32
 *     length u32 | crc u32 | up to a MiB of head and layouts as JSON …
 *     length u32 | crc u32 | up to a MiB of places, chunks, names, further keys, chains …, of each kind in turn
 */
export function* imageOf(
  head: unknown,
  kinds: Readonly<Record<string, PackedParts>>,
): Generator<Uint8Array, undefined> {
  const layouts = Object.entries(kinds).map(([kind, parts]) => [kind, layoutOf(parts)] as const)
  const text = Buffer.from(JSON.stringify({ head, layouts: Object.fromEntries(layouts) }))
  yield* framesOf(octetsOf(Uint32Array.of(text.length)))
  yield* framesOf(text)
  for (const { heap, names, also, chains } of Object.values(kinds)) {
    yield* framesOf(octetsOf(heap.places))
    for (const chunk of heap.chunks) if (chunk !== undefined) yield* framesOf(chunk)
    yield* framesOf(octetsOf(names.slots))
    yield* framesOf(octetsOf(also.slots))
    for (const { after, before } of chains) {
      yield* framesOf(octetsOf(after))
      yield* framesOf(octetsOf(before))
    }
  }
  return undefined
}

/** What `imageOf` made; undefined where it is damaged or cut off. The head is whoever wrote it. */
export async function readImage(
  read: ReadAt,
): Promise<
  { readonly head: unknown; readonly kinds: Readonly<Record<string, PackedParts>> } | undefined
> {
  const frames = new FrameReader(read)
  const [length] = (await words(frames, 1)) ?? []
  if (length === undefined || length > HEAD_BYTES_MAX) return undefined
  const text = await frames.fill(Buffer.alloc(length))
  if (text === undefined) return undefined
  const { head, layouts } = JSON.parse(text.toString('utf8')) as {
    head: unknown
    layouts: Readonly<Record<string, Layout>>
  }
  const kinds: Record<string, PackedParts> = {}
  for (const [kind, layout] of Object.entries(layouts)) {
    const places = await words(frames, layout.places)
    const chunks: (Buffer | undefined)[] = []
    for (const bytes of layout.chunks) {
      const chunk = bytes === null ? undefined : await frames.fill(Buffer.allocUnsafeSlow(bytes))
      if (bytes !== null && chunk === undefined) return undefined
      chunks.push(chunk)
    }
    const names = await index(frames, layout.names)
    const also = await index(frames, layout.also)
    if (places === undefined || names === undefined || also === undefined) return undefined
    const chains: ChainParts[] = []
    // An image of an earlier form has none: whoever reads it looks at its form.
    for (const length of layout.chains ?? []) {
      const after = await words(frames, length)
      const before = await words(frames, length)
      if (after === undefined || before === undefined) return undefined
      chains.push({ after, before })
    }
    kinds[kind] = { heap: { places, chunks }, names, also, chains }
  }
  return { head, kinds }
}

const layoutOf = ({ heap, names, also, chains }: PackedParts): Layout => ({
  places: heap.places.length,
  chunks: heap.chunks.map((chunk: HeapParts['chunks'][number]) => chunk?.length ?? null),
  names: { seed: names.seed, count: names.count, words: names.slots.length },
  also: { seed: also.seed, count: also.count, words: also.slots.length },
  chains: chains.map(({ after }) => after.length),
})

const octetsOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

function* framesOf(octets: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < octets.length; at += FRAME_BYTES) {
    const body = octets.subarray(at, at + FRAME_BYTES)
    const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
    head.writeUInt32LE(body.length, 0)
    head.writeUInt32LE(crc32(body), 4)
    yield head
    yield body
  }
}

async function words(frames: FrameReader, count: number): Promise<Uint32Array | undefined> {
  const array = new Uint32Array(count)
  return (await frames.fill(octetsOf(array))) && array
}

async function index(
  frames: FrameReader,
  { seed, count, words: length }: IndexLayout,
): Promise<KeyIndexParts | undefined> {
  const slots = await words(frames, length)
  return slots && { seed, count, slots }
}

/** Frames in their order; the next piece of the file is under way while one is taken apart. */
class FrameReader {
  readonly #read: ReadAt
  #at = 0
  #piece: Buffer = Buffer.alloc(0)
  #coming: Promise<Uint8Array>

  constructor(read: ReadAt) {
    this.#read = read
    this.#coming = this.#ask()
  }

  /** All of a frame; undefined: there is none that is whole. */
  async next(): Promise<Buffer | undefined> {
    const head = await this.#take(FRAME_HEAD_BYTES)
    if (head === undefined) return undefined
    const length = head.readUInt32LE(0)
    const crc = head.readUInt32LE(4)
    if (length > FRAME_BYTES) return undefined
    const body = await this.#take(length)
    return body !== undefined && crc32(body) === crc ? body : undefined
  }

  /** Fills these octets from as many frames as they were cut into. */
  async fill(octets: Buffer): Promise<Buffer | undefined> {
    for (let at = 0; at < octets.length;) {
      const body = await this.next()
      if (body === undefined || body.length === 0 || at + body.length > octets.length)
        return undefined
      body.copy(octets, at)
      at += body.length
    }
    return octets
  }

  async #take(length: number): Promise<Buffer | undefined> {
    while (this.#piece.length < length) {
      const more = await this.#coming
      if (more.length === 0) return undefined
      this.#at += more.length
      this.#coming = this.#ask()
      this.#piece = Buffer.concat([this.#piece, more])
    }
    const taken = this.#piece.subarray(0, length)
    this.#piece = this.#piece.subarray(length)
    return taken
  }

  #ask(): Promise<Uint8Array> {
    const coming = this.#read(this.#at)
    coming.catch(() => undefined) // thrown where it is awaited
    return coming
  }
}
