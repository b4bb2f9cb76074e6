import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** A raw client of IMAP, POP3 or ManageSieve: what it reads is one character an octet. */
export class LineClient {
  readonly socket: Socket
  ended = false
  #text = ''
  #tags = 0
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#text += toLatin1(chunk)
      this.#wake?.()
    })
    const end = (): void => {
      this.ended = true
      this.#wake?.()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  static plain(port: number, host = '127.0.0.1'): LineClient {
    return new LineClient(connect({ port, host }))
  }

  static tls(port: number, host = '127.0.0.1'): LineClient {
    return new LineClient(connectTls({ port, host, rejectUnauthorized: false }))
  }

  /** Goes on inside TLS on the same connection. */
  secured(): LineClient {
    this.socket.removeAllListeners('data')
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false })
    socket.on('error', () => undefined)
    return new LineClient(socket)
  }

  /** Text goes as UTF-8. */
  send(content: string | Octets): void {
    this.socket.write(typeof content === 'string' ? fromUtf8(content) : content)
  }

  /** What has come, as soon as `enough` gives its end; that much is taken. */
  async until(enough: (text: string) => number): Promise<string> {
    for (;;) {
      const end = enough(this.#text)
      if (end > 0) {
        const taken = this.#text.slice(0, end)
        this.#text = this.#text.slice(end)
        return taken
      }
      if (this.ended) throw new Error(`connection ended after: ${this.#text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** One line without its CRLF. */
  async line(): Promise<string> {
    const line = await this.until(
      (text) => text.indexOf('\r\n') + 2 * Number(text.includes('\r\n')),
    )
    return line.slice(0, -2)
  }

  /** Lines and literals up to the line that `isLast` accepts. */
  async response(isLast: (line: string) => boolean): Promise<string> {
    return this.until((text) => {
      let at = 0
      for (;;) {
        const end = text.indexOf('\r\n', at)
        if (end < 0) return 0
        const line = text.slice(at, end)
        if (isLast(line)) return end + 2
        const literal = /\{(\d+)\}$/.exec(line)
        at = end + 2 + (literal === null ? 0 : Number(literal[1]))
        if (at > text.length) return 0
      }
    })
  }

  /** Sends an IMAP command with a tag of its own; resolves with all up to its tagged response. */
  async command(text: string): Promise<string> {
    const tag = `t${++this.#tags}`
    this.send(`${tag} ${text}\r\n`)
    const response = await this.response((line) => line.startsWith(`${tag} `))
    return response.replace(new RegExp(`(^|\\r\\n)${tag} (?=[^\\r]*\\r\\n$)`), '$1')
  }

  /** APPEND with a literal that waits for nobody. */
  async append(head: string, octets: Octets): Promise<string> {
    const tag = `t${++this.#tags}`
    this.send(`${tag} APPEND ${head} {${octets.length}+}\r\n`)
    this.send(octets)
    this.send('\r\n')
    return this.response((line) => line.startsWith(`${tag} `))
  }

  async closed(): Promise<string> {
    while (!this.ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    const rest = this.#text
    this.#text = ''
    return rest
  }

  end(): void {
    this.socket.destroy()
  }
}
