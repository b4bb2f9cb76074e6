import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { Admitted } from '#net/admission.ts'
import { channelBinding } from '#net/channel-binding.ts'
import { closeSocket } from '#net/close.ts'
import { DeflatingWriter, InflatedStream } from '#net/deflate.ts'
import { OctetReader } from '#net/lines.ts'
import { startTls } from '#net/tls.ts'
import type { TlsIdentity } from '#net/tls.ts'
import { OctetWriter } from '#net/writer.ts'
import { Output } from './output.ts'
import type { ReadAhead } from './read-ahead.ts'

const CLOSE_TIMEOUT_MS = 2_000

/** A client that came in, and where it came from. */
export interface Client {
  readonly socket: Socket
  readonly ip: string
  readonly secure: boolean
  readonly admitted: Admitted
}

export interface ConnectionRules {
  readonly clock: Clock
  /** For a client to take 64 KiB. */
  readonly transferTimeoutMs: number
  readonly readAhead: ReadAhead
}

/** A client's octets, in and out, through TLS and compression as they come to be. */
export class Connection {
  readonly ip: string
  reader: OctetReader
  out: Output
  secure: boolean
  isCompressed = false
  #socket: Socket
  readonly #rules: ConnectionRules

  constructor({ socket, ip, secure }: Client, rules: ConnectionRules) {
    this.ip = ip
    this.secure = secure
    this.#socket = socket
    this.#rules = rules
    this.reader = this.#readerOf(socket)
    this.out = this.#outputTo(socket)
  }

  get isGone(): boolean {
    return this.#socket.destroyed
  }

  /** What SCRAM binds; absent without TLS. */
  get channel(): ((type: string) => Octets | undefined) | undefined {
    return this.secure ? (type) => channelBinding(this.#socket, type) : undefined
  }

  /** Behind the answer to STARTTLS. Without an identity, or where the client fails, the connection ends. */
  async startTls(identity: TlsIdentity | undefined): Promise<void> {
    await this.out.flush()
    const { clock } = this.#rules
    // RFC 9051 §6.2.1: what was pipelined in plain text is not looked at; here it is forgotten.
    this.reader.detach()
    const secured =
      identity === undefined ? undefined : await startTls(this.#socket, identity, { clock })
    if (secured === undefined) this.abort()
    this.#socket = secured
    this.secure = true
    this.reader = this.#readerOf(secured)
    this.out = this.#outputTo(secured)
  }

  /** Behind the answer to COMPRESS. */
  async compress(): Promise<void> {
    await this.out.flush()
    const { clock, readAhead } = this.#rules
    // RFC 4978 §3: nothing may come before our answer was read.
    this.reader.detach()
    this.isCompressed = true
    this.reader = this.#readerOf(new InflatedStream(this.#socket, clock))
    this.out = new Output(new DeflatingWriter(this.#writerTo(this.#socket)), readAhead)
  }

  /** Throws Fault `closed` where the client is gone; lets others run. */
  async stillThere(): Promise<void> {
    await new Promise(setImmediate)
    if (this.isGone) throw new Fault('closed', 'the client is gone')
  }

  /** Ends the connection amid a response that cannot be finished. */
  abort(): never {
    this.#socket.destroy()
    throw new Fault('closed', 'a response could not be finished')
  }

  close(): Promise<void> {
    return closeSocket(this.#socket, { clock: this.#rules.clock, timeoutMs: CLOSE_TIMEOUT_MS })
  }

  /** What was said goes out before the client is waited for: answers to pipelined commands share a write. */
  #readerOf(stream: Readable): OctetReader {
    return new OctetReader(stream, this.#rules.clock, () => this.out.flush())
  }

  #outputTo(socket: Socket): Output {
    return new Output(this.#writerTo(socket), this.#rules.readAhead)
  }

  #writerTo(socket: Socket): OctetWriter {
    const { clock, transferTimeoutMs } = this.#rules
    return new OctetWriter(socket, { clock, timeoutMs: transferTimeoutMs })
  }
}
