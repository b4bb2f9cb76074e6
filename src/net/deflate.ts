import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { constants, createInflateRaw, deflateRaw, deflateRawSync } from 'node:zlib'
import type { InflateRaw } from 'node:zlib'
import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { SECOND_MS } from '#base/time.ts'
import type { OctetWriter } from './writer.ts'

/** What deflate may look back on (RFC 1951 §3.2.5). */
const WINDOW_BYTES = 32 * 1024
const SMALL_BYTES = 4 * 1024
/** How an empty stored block ends, which every flush puts behind what it sends. */
const FLUSHED = 0x0000ffff
/** Neither way has an end of its own: that of the connection is enough. */
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH }
/** Silence after which the decoder is given back. */
const REST_MS = SECOND_MS / 10
/** Beyond so many octets, nothing that anybody means to say is so many times shorter. */
const FREE_BYTES = 4 * 1024 * 1024
const RATIO_MAX = 200

/**
 * What a peer sends compressed (RFC 4978 §3), read as it is. Nobody else may read the socket. A peer
 * that rests costs no decoder: at the end of a flush all that counts is what was said last, which
 * becomes the dictionary of the next one.
 */
export class InflatedStream extends Readable {
  readonly #socket: Socket
  readonly #clock: Clock
  #inflate: InflateRaw | undefined
  /** The latest octets, in order: the window at least, unless fewer came. */
  #latest: Buffer[] = []
  #latestBytes = 0
  /** The last four octets that came, as a number. */
  #tail = 0
  #takenBytes = 0
  #givenBytes = 0
  #isBusy = false
  #cancelRest = (): void => undefined

  constructor(socket: Socket, clock: Clock) {
    super()
    this.#socket = socket
    this.#clock = clock
    this.on('error', () => undefined) // whoever reads sees its end
    socket.on('readable', () => this.#pump())
    socket.on('end', () => this.#end())
    socket.on('close', () => this.destroy())
    this.#pump()
  }

  /** Whether there is a decoder now. */
  get isAwake(): boolean {
    return this.#inflate !== undefined
  }

  override _read(): void {
    this.#inflate?.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#cancelRest()
    this.#inflate?.destroy()
    this.#inflate = undefined
    callback(error)
  }

  #end(): void {
    if (this.#isBusy || this.destroyed) return
    this.#cancelRest()
    // What was decoded and not taken yet comes first.
    if (this.#inflate === undefined) this.push(null)
    else this.#inflate.end()
  }

  #pump(): void {
    if (this.#isBusy || this.destroyed) return
    const chunk = this.#socket.read() as Buffer | null
    if (chunk === null) {
      if (this.#socket.readableEnded) this.#end()
      return
    }
    this.#takenBytes += chunk.length
    for (const octet of chunk.subarray(-4)) this.#tail = (this.#tail << 8) | octet
    this.#isBusy = true
    this.#cancelRest()
    this.#inflate ??= this.#decoder()
    this.#inflate.write(chunk, () => {
      this.#isBusy = false
      this.#cancelRest = this.#clock.after(REST_MS, () => this.#rest())
      this.#pump()
    })
  }

  #decoder(): InflateRaw {
    const inflate = createInflateRaw({
      ...FLUSH, // a stream that ends amid its blocks is no fault
      ...(this.#latestBytes === 0 ? {} : { dictionary: Buffer.concat(this.#latest) }),
    })
    inflate.on('data', (octets: Buffer) => this.#take(octets))
    inflate.on('error', (error) => this.destroy(error))
    inflate.on('end', () => !this.destroyed && this.push(null))
    return inflate
  }

  #take(given: Buffer): void {
    // A command is a small part of the decoder's buffer, and whoever reads it holds on to it.
    const octets = given.length < SMALL_BYTES ? apart(given) : given
    this.#givenBytes += octets.length
    if (this.#givenBytes > FREE_BYTES && this.#givenBytes > this.#takenBytes * RATIO_MAX) {
      this.destroy(new Fault('limit', 'a peer sends what becomes much too long'))
      return
    }
    this.#latest.push(octets)
    this.#latestBytes += octets.length
    while (this.#latestBytes - this.#latest[0]!.length >= WINDOW_BYTES)
      this.#latestBytes -= this.#latest.shift()!.length
    if (!this.push(octets)) this.#inflate?.pause()
  }

  /** Gives the decoder back where nothing is lost by it: between two flushes, all that came was read. */
  #rest(): void {
    const untakenBytes =
      this.readableLength + (this.#inflate?.readableLength ?? 0) + this.#socket.readableLength
    if (this.#isBusy || this.#tail !== FLUSHED || untakenBytes > 0) return
    const window = Buffer.concat(this.#latest).subarray(-WINDOW_BYTES)
    this.#latest = [apart(window)]
    this.#latestBytes = window.length
    this.#inflate?.removeAllListeners()
    this.#inflate?.on('error', () => undefined)
    this.#inflate?.destroy()
    this.#inflate = undefined
  }
}

/** A copy that keeps nothing else in memory, no pool of small buffers either. */
const apart = (octets: Octets): Buffer => Buffer.from(new Uint8Array(octets).buffer)

const SLICE_BYTES = 64 * 1024
/** Less is compressed at once: a turn of a thread costs more. */
const AT_ONCE_BYTES = 4 * 1024
/** As much as a short piece can look back on: a tenth of the memory that a whole window takes for a moment. */
const SHORT = { ...FLUSH, windowBits: 12, memLevel: 5 }
const deflate = promisify<Octets, typeof FLUSH, Buffer>(deflateRaw)

/**
 * Writes compressed (RFC 4978 §3). Each piece looks back on itself alone, so that no state is kept
 * between two of them: a connection that rests costs nothing.
 */
export class DeflatingWriter {
  readonly #writer: OctetWriter
  constructor(writer: OctetWriter) {
    this.#writer = writer
  }

  async write(content: Octets | string): Promise<'ok' | 'gone'> {
    const octets = typeof content === 'string' ? fromLatin1(content) : content
    for (let at = 0; at < octets.length; at += SLICE_BYTES) {
      const slice = octets.subarray(at, at + SLICE_BYTES)
      const short =
        slice.length < AT_ONCE_BYTES ? deflateRawSync(slice, SHORT) : await deflate(slice, FLUSH)
      if ((await this.#writer.write(short)) === 'gone') return 'gone'
    }
    return 'ok'
  }
}
