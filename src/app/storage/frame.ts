import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { Fault } from '#base/outcome.ts'

/*
 * A frame, integers little-endian:
 *
 *   number of values u32 | number of raws u32 | size of each value u32 … | size of each raw u32 … | values | raws
 *
 * A value is in V8's structured-clone form. A large typed array leaves only its kind and the number
 * of its raw there; its octets follow as they are, so that they are copied neither into the value
 * nor, where they are a Uint8Array, out of it.
 */
const HEAD_BYTES = 8
const RAW_BYTES_MIN = 2_048
const FRAME_BYTES_MAX = 512 * 1024 * 1024

const VIEWS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const
const RAW_TAGS = 128

class Writer extends DefaultSerializer {
  readonly raws: Uint8Array[]
  constructor(raws: Uint8Array[]) {
    super()
    this.raws = raws
  }
  _writeHostObject(view: ArrayBufferView): void {
    const octets = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const kind = VIEWS.findIndex((type) => view instanceof type)
    if (kind < 0) throw new TypeError('only typed arrays pass the pipe')
    if (octets.length >= RAW_BYTES_MIN) {
      this.writeUint32(RAW_TAGS + kind)
      this.writeUint32(this.raws.length)
      this.raws.push(octets)
      return
    }
    this.writeUint32(kind)
    this.writeUint32(octets.length)
    this.writeRawBytes(octets)
  }
}

class Reader extends DefaultDeserializer {
  readonly raws: readonly Buffer[]
  constructor(meta: Buffer, raws: readonly Buffer[]) {
    super(meta)
    this.raws = raws
  }
  _readHostObject(): ArrayBufferView {
    const tag = this.readUint32()
    const isRaw = tag >= RAW_TAGS
    const kind = isRaw ? tag - RAW_TAGS : tag
    const octets = isRaw ? this.raws[this.readUint32()] : this.readRawBytes(this.readUint32())
    if (octets === undefined) throw new RangeError('no such raw')
    if (kind === 0) return octets
    // Numbers must stand at multiples of their size.
    const copy = new Uint8Array(octets)
    const type = VIEWS[kind]
    if (type === undefined) throw new RangeError('no such view')
    return new type(copy.buffer, 0, copy.length / type.BYTES_PER_ELEMENT)
  }
}

/** Gathers values until they are sent together. */
export class FrameWriter {
  readonly #values: Buffer[] = []
  readonly #raws: Uint8Array[] = []
  #rawBytes = 0

  /** Throws a TypeError or DataCloneError for what cannot be carried; the frame is then as it was. */
  add(value: unknown): void {
    const before = this.#raws.length
    try {
      const writer = new Writer(this.#raws)
      writer.writeHeader()
      writer.writeValue(value)
      this.#values.push(writer.releaseBuffer())
    } catch (thrown) {
      this.#raws.length = before
      throw thrown
    }
    for (let i = before; i < this.#raws.length; i++) this.#rawBytes += this.#raws[i]!.length
  }

  /** Octets carried as they are so far. */
  get rawBytes(): number {
    return this.#rawBytes
  }

  /** The frame as buffers for one gathered write. */
  end(): Uint8Array[] {
    const parts = [...this.#values, ...this.#raws]
    const head = Buffer.allocUnsafe(HEAD_BYTES + 4 * parts.length)
    head.writeUInt32LE(this.#values.length, 0)
    head.writeUInt32LE(this.#raws.length, 4)
    for (const [i, part] of parts.entries()) head.writeUInt32LE(part.length, HEAD_BYTES + 4 * i)
    return [Buffer.concat([head, ...this.#values]), ...this.#raws]
  }
}

/** Puts chunks together and gives the values of each whole frame. Octets in them are views: no copy of a chunk that is whole. */
export class FrameReader {
  #chunks: Buffer[] = []
  #bytes = 0
  #wanted = HEAD_BYTES

  /** Throws Fault `protocol` for what no writer of ours made. */
  feed(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#wanted) return []
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes)
    const values: unknown[] = []
    for (;;) {
      this.#wanted = frameBytes(rest)
      if (rest.length < this.#wanted) break
      readFrame(rest.subarray(0, this.#wanted), values)
      rest = rest.subarray(this.#wanted)
    }
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    return values
  }
}

/** How long the frame that begins here is, as far as that can be told. */
function frameBytes(octets: Buffer): number {
  if (octets.length < HEAD_BYTES) return HEAD_BYTES
  const parts = octets.readUInt32LE(0) + octets.readUInt32LE(4)
  let total = HEAD_BYTES + 4 * parts
  if (total <= FRAME_BYTES_MAX && octets.length < total) return total
  for (let i = 0; i < parts && total <= FRAME_BYTES_MAX; i++)
    total += octets.readUInt32LE(HEAD_BYTES + 4 * i)
  if (total > FRAME_BYTES_MAX) throw new Fault('protocol', 'storage pipe: a frame is too long')
  return total
}

function readFrame(frame: Buffer, into: unknown[]): void {
  const values = frame.readUInt32LE(0)
  const parts: Buffer[] = []
  let at = HEAD_BYTES + 4 * (values + frame.readUInt32LE(4))
  for (let place = HEAD_BYTES; parts.length < values + frame.readUInt32LE(4); place += 4) {
    const length = frame.readUInt32LE(place)
    parts.push(frame.subarray(at, at + length))
    at += length
  }
  const raws = parts.slice(values)
  try {
    for (const value of parts.slice(0, values)) {
      const reader = new Reader(value, raws)
      reader.readHeader()
      into.push(reader.readValue())
    }
  } catch (cause) {
    throw new Fault('protocol', 'storage pipe: a value cannot be read', { cause })
  }
}
