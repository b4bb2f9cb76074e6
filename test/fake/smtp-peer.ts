import { once } from 'node:events'
import { connect } from 'node:net'
import type { NetConnectOpts, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A client under a test's full control: it sends exactly what it is told, and reads replies. */
export class SmtpPeer {
  #socket: Socket
  #text = ''
  #ended = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen()
  }

  /** Connects and hands back the greeting as well. */
  static async open(where: NetConnectOpts): Promise<SmtpPeer> {
    const socket = connect({ allowHalfOpen: true, ...where })
    socket.setNoDelay(true)
    return new SmtpPeer(socket)
  }

  static async openTls(where: { port: number; host: string }): Promise<SmtpPeer> {
    const socket = connectTls({ ...where, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return new SmtpPeer(socket)
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('utf8')
      this.#wake()
    })
    const ended = (): void => {
      this.#ended = true
      this.#wake()
    }
    this.#socket.on('end', ended)
    this.#socket.on('close', ended)
    this.#socket.on('error', ended)
  }

  /** The server has ended the connection. */
  get ended(): boolean {
    return this.#ended
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0
  }

  /** Sends in one segment. */
  write(content: string | Uint8Array): void {
    this.#socket.write(content)
  }

  /** Sends in one segment each, and waits until the kernel has taken it. */
  async writeAlone(content: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(content, () => resolve()))
    await new Promise(setImmediate)
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause()
  }

  /** Sends; false where neither kernel takes it for a while: the server has stopped to read. */
  writeOrFull(content: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = setTimeout(() => resolve(false), 500)
      this.#socket.write(content, () => {
        clearTimeout(waiting)
        resolve(true)
      })
    })
  }

  /** The next whole reply, its lines joined by `\n`; `(end)` where the connection ended. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/.exec(this.#text)
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length)
        return match[0].trimEnd().replaceAll('\r\n', '\n')
      }
      if (this.#ended) return `(end)${this.#text}`
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The next `count` replies. */
  async replies(count: number): Promise<readonly string[]> {
    const all = []
    for (let i = 0; i < count; i++) all.push(await this.reply())
    return all
  }

  /** Sends a line, and hands back its reply. */
  async say(line: string): Promise<string> {
    this.write(`${line}\r\n`)
    return this.reply()
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners()
    const secured = connectTls({ socket: this.#socket, rejectUnauthorized: false })
    await once(secured, 'secureConnect')
    this.#socket = secured
    this.#text = ''
    this.#listen()
  }

  /** Resolves when the server has ended, with what it said and nobody has read yet. */
  async end(): Promise<string> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#socket.destroy()
    return this.#text
  }

  finishWriting(): void {
    this.#socket.end()
  }

  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
