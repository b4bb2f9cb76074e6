import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'

import type { Installation } from './installation.ts'

/** A raw IMAP connection: what goes out and what comes is seen octet for octet. */
export interface RawImap {
  /** For tests that stop reading, or vanish. */
  readonly socket: TLSSocket
  /** A literal and what belongs to it goes as it is; text as UTF-8. */
  send(octets: string | Uint8Array): void
  /** The next whole response, its literals in place, without its last CRLF. */
  response(): Promise<Buffer>
  /** Responses up to the one that matches, one character an octet, joined by LF. */
  until(pattern: RegExp): Promise<string>
  /** Sends a command under a tag of its own; every response up to the tagged one, joined by LF. */
  command(text: string): Promise<string>
  /** APPEND, its literal sent when the server asks; the answer. */
  append(mailbox: string, content: Uint8Array, flags?: string): Promise<string>
  /** COMPRESS DEFLATE (RFC 4978). */
  compress(): Promise<void>
  close(): void
}

/** Logs in over TLS. */
export async function rawImap(watari: Installation, username: string): Promise<RawImap> {
  const socket = connectTls({
    host: '127.0.0.1',
    port: watari.port(993),
    ca: watari.ca,
    servername: 'localhost',
  })
  const input = new Input(socket)
  let tags = 0
  let write = (octets: string | Uint8Array): unknown => socket.write(octets)
  const send = (octets: string | Uint8Array): void => void write(octets)
  const response = async (): Promise<Buffer> => {
    let length = 0
    for (;;) {
      length = await input.lineEnd(length)
      const announced = /\{(\d+)\}\r\n$/.exec(input.peek(Math.max(0, length - 20), length))
      if (announced === null) return input.take(length).subarray(0, -2)
      length += Number(announced[1])
    }
  }
  const until = async (pattern: RegExp): Promise<string> => {
    const found: string[] = []
    for (;;) {
      const text = (await response()).toString('latin1')
      found.push(text)
      if (pattern.test(text)) return found.join('\n')
    }
  }
  const command = (text: string): Promise<string> => {
    const tag = `t${++tags}`
    send(`${tag} ${text}\r\n`)
    return until(new RegExp(`^${tag} `))
  }
  await until(/^\* OK /)
  await command(`LOGIN ${username} "${watari.password(username)}"`)
  return {
    socket,
    send,
    response,
    until,
    command,
    append: async (mailbox, content, flags = '()') => {
      const tag = `t${++tags}`
      send(`${tag} APPEND ${mailbox} ${flags} {${content.length}}\r\n`)
      const first = await until(new RegExp(`^(?:\\+|${tag}) `))
      if (!/^\+ /m.test(first)) return first
      send(content)
      send('\r\n')
      return until(new RegExp(`^${tag} `))
    },
    compress: async () => {
      const answer = await command('COMPRESS DEFLATE')
      if (!/^t\d+ OK /m.test(answer)) throw new Error(answer)
      const [deflate, inflate] = [createDeflateRaw(), createInflateRaw()]
      socket.removeAllListeners('data')
      socket.on('data', (chunk: Buffer) => inflate.write(chunk))
      inflate.on('data', (chunk: Buffer) => input.hear(chunk))
      inflate.on('error', () => socket.destroy())
      deflate.on('data', (chunk: Buffer) => socket.write(chunk))
      write = (octets) => {
        deflate.write(octets)
        deflate.flush(constants.Z_SYNC_FLUSH)
      }
    },
    close: () => socket.destroy(),
  }
}

const ANSWER_MS = 60_000

/** What has come and was not taken yet; joined only where it must be, since literals are large. */
class Input {
  #chunks: Buffer[] = []
  #length = 0
  #isClosed = false
  #wake = (): void => undefined

  constructor(socket: TLSSocket) {
    socket.on('data', (chunk: Buffer) => this.hear(chunk))
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
    socket.on('error', () => undefined)
  }

  hear(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    this.#wake()
  }

  /** Where the first line that ends after `from` ends, its CRLF included. */
  async lineEnd(from: number): Promise<number> {
    for (let seen = from; ;) {
      if (this.#length > seen) {
        const at = this.#all().indexOf('\n', seen)
        if (at >= 0) return at + 1
        seen = this.#length
      }
      await this.#more(Math.max(seen, from))
    }
  }

  peek(from: number, to: number): string {
    return this.#all().toString('latin1', from, to)
  }

  take(length: number): Buffer {
    const all = this.#all()
    this.#chunks = [all.subarray(length)]
    this.#length -= length
    return all.subarray(0, length)
  }

  #all(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  /** Resolves when there are more than `length` octets. */
  async #more(length: number): Promise<void> {
    const end = Date.now() + ANSWER_MS
    while (this.#length <= length) {
      const leftMs = end - Date.now()
      if (this.#isClosed || leftMs <= 0) {
        const last = this.#all().subarray(-500).toString('latin1')
        throw new Error(`no answer ${this.#isClosed ? 'before the end' : 'in time'}: ${last}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
