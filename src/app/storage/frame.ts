import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { Fault } from '#base/outcome.ts'

/*
 * A frame, integers little-endian:
 *
 *   number of values u32 | number of raws u32 | size of all values u32 | size of each raw u32 … | values | raws
 *
 * Values are in V8's structured-clone form, one behind the other in one stream: to begin one costs more
 * than most values. A large typed array leaves only its kind and the number of its raw there; its octets
 * follow as they are, so that they are copied neither into the value nor, where they are a Uint8Array,
 * out of it.
 */
const HEAD_BYTES = 12
/** Of the head, what tells how long it is. */
const COUNTS_BYTES = 8
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
    const isOctets = view instanceof Uint8Array
    const octets = isOctets ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    const kind = isOctets ? 0 : VIEWS.findIndex((type) => view instanceof type)
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
  readonly #values: unknown[] = []
  readonly #raws: Uint8Array[] = []
  #writer = begun(this.#raws)
  #rawBytes = 0

  /** Throws a TypeError or DataCloneError for what cannot be carried; the frame is then as it was. */
  add(value: unknown): void {
    const before = this.#raws.length
    try {
      this.#writer.writeValue(value)
    } catch (thrown) {
      this.#raws.length = 0
      this.#writer = begun(this.#raws)
      for (const each of this.#values) this.#writer.writeValue(each)
      throw thrown
    }
    this.#values.push(value)
    for (let i = before; i < this.#raws.length; i++) this.#rawBytes += this.#raws[i]!.length
  }

  /** Octets carried as they are so far. */
  get rawBytes(): number {
    return this.#rawBytes
  }

  /** The frame as buffers for one gathered write. */
  end(): Uint8Array[] {
    const values = this.#writer.releaseBuffer()
    const head = Buffer.allocUnsafe(HEAD_BYTES + 4 * this.#raws.length)
    head.writeUInt32LE(this.#values.length, 0)
    head.writeUInt32LE(this.#raws.length, 4)
    head.writeUInt32LE(values.length, 8)
    for (const [i, raw] of this.#raws.entries()) head.writeUInt32LE(raw.length, HEAD_BYTES + 4 * i)
    return [Buffer.concat([head, values]), ...this.#raws]
  }
}

function begun(raws: Uint8Array[]): Writer {
  const writer = new Writer(raws)
  writer.writeHeader()
  return writer
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
  if (octets.length < COUNTS_BYTES) return HEAD_BYTES
  const raws = octets.readUInt32LE(4)
  let total = HEAD_BYTES + 4 * raws
  if (total <= FRAME_BYTES_MAX && octets.length < total) return total
  for (let place = 8; place < HEAD_BYTES + 4 * raws && total <= FRAME_BYTES_MAX; place += 4)
    total += octets.readUInt32LE(place)
  if (total > FRAME_BYTES_MAX) throw new Fault('protocol', 'storage pipe: a frame is too long')
  return total
}

function readFrame(frame: Buffer, into: unknown[]): void {
  const count = frame.readUInt32LE(0)
  const head = HEAD_BYTES + 4 * frame.readUInt32LE(4)
  let at = head + frame.readUInt32LE(8)
  const values = frame.subarray(head, at)
  const raws: Buffer[] = []
  for (let place = HEAD_BYTES; place < head; place += 4) {
    const length = frame.readUInt32LE(place)
    raws.push(frame.subarray(at, at + length))
    at += length
  }
  try {
    const reader = new Reader(values, raws)
    reader.readHeader()
    for (let i = 0; i < count; i++) into.push(reader.readValue())
  } catch (cause) {
    throw new Fault('protocol', 'storage pipe: a value cannot be read', { cause })
  }
}
