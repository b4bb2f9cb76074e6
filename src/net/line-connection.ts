import type { Socket } from 'node:net'
import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { channelBinding } from './channel-binding.ts'
import { closeSocket } from './close.ts'
import type { DoorClient } from './door.ts'
import { OctetReader } from './lines.ts'
import { startTls } from './tls.ts'
import type { TlsIdentity } from './tls.ts'
import { OctetWriter } from './writer.ts'

const CLOSE_TIMEOUT_MS = 2_000
const PENDING_BYTES_MAX = 64 * 1024

/**
 * A client's octets, in and out, through TLS as it comes to be. What is said gathers until it is flushed, or
 * until the reader has to wait: answers to pipelined commands share a write, and none is held back.
 */
export class LineConnection {
  readonly ip: string
  reader: OctetReader
  secure: boolean
  #socket: Socket
  #writer: OctetWriter
  #pending: Octets[] = []
  #pendingBytes = 0
  readonly #clock: Clock
  readonly #transferTimeoutMs: number

  constructor(
    { socket, ip, secure }: DoorClient,
    wait: {
      readonly clock: Clock
      /** For a client to take 64 KiB. */
      readonly transferTimeoutMs: number
    },
  ) {
    this.ip = ip
    this.secure = secure
    this.#socket = socket
    this.#clock = wait.clock
    this.#transferTimeoutMs = wait.transferTimeoutMs
    this.reader = this.#readerOf(socket)
    this.#writer = this.#writerTo(socket)
  }

  get isGone(): boolean {
    return this.#socket.destroyed
  }

  /** What SCRAM binds; absent without TLS. */
  get channel(): ((type: string) => Octets | undefined) | undefined {
    return this.secure ? (type) => channelBinding(this.#socket, type) : undefined
  }

  put(octets: Octets): void {
    this.#pending.push(octets)
    this.#pendingBytes += octets.length
  }

  /** So much has gathered that it should go before more is put. */
  get full(): boolean {
    return this.#pendingBytes >= PENDING_BYTES_MAX
  }

  /** Throws Fault `closed` where the client is gone. */
  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return
    const octets = concatOctets(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    if ((await this.#writer.write(octets)) === 'gone')
      throw new Fault('closed', 'the client is gone')
  }

  /** Behind the answer that says so. Without an identity, or where the client fails, the connection ends. */
  async startTls(identity: TlsIdentity | undefined): Promise<void> {
    await this.flush()
    // What was pipelined in plain text is forgotten: who put it there is not known (RFC 2595 §4).
    this.reader.detach()
    const secured =
      identity === undefined
        ? undefined
        : await startTls(this.#socket, identity, { clock: this.#clock })
    if (secured === undefined) this.abort()
    this.#socket = secured
    this.secure = true
    this.reader = this.#readerOf(secured)
    this.#writer = this.#writerTo(secured)
  }

  /** Ends the connection amid a response that cannot be finished. */
  abort(): never {
    this.#socket.destroy()
    throw new Fault('closed', 'a response could not be finished')
  }

  close(): Promise<void> {
    return closeSocket(this.#socket, { clock: this.#clock, timeoutMs: CLOSE_TIMEOUT_MS })
  }

  #readerOf(socket: Socket): OctetReader {
    return new OctetReader(socket, this.#clock, () => this.flush())
  }

  #writerTo(socket: Socket): OctetWriter {
    return new OctetWriter(socket, { clock: this.#clock, timeoutMs: this.#transferTimeoutMs })
  }
}
