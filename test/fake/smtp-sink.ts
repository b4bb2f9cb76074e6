import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'

export type SinkStep =
  | 'greeting'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'bdat'
  | 'final'
  | 'rset'
  | 'quit'

/** What a misbehaving sink does at a step: vanish, say nothing, or say this instead (CRLF is added). */
type SinkAct = { readonly say: string } | 'vanish' | 'silent'

/** One message that the sink has taken. */
interface SinkMail {
  readonly mail: string
  readonly rcpts: readonly string[]
  readonly content: Buffer
  readonly secure: boolean
  /** Number of the connection, from 1. */
  readonly connection: number
  /** Sizes of the BDAT chunks; none for DATA. */
  readonly chunks: readonly number[]
}

export interface SinkOptions {
  readonly protocol?: 'smtp' | 'lmtp'
  /** Lines of the answer to EHLO. */
  readonly offers?: readonly string[]
  readonly host?: string
  readonly path?: string
  readonly identity?: { readonly certificate: string; readonly key: string }
  /** Asked before each reply; for LMTP's final replies once a recipient, which is then the line. */
  readonly act?: (step: SinkStep, line: string, connection: number) => SinkAct | undefined
}

export interface Sink {
  readonly port: number
  readonly mails: readonly SinkMail[]
  /** Each command as it came, `#N` of its connection in front. */
  readonly commands: readonly string[]
  readonly connections: number
  act: SinkOptions['act'] | undefined
  /** Resolves once `count` messages are there. */
  taken(count: number): Promise<void>
  /** Resolves once a command that `pattern` fits has come. */
  seen(pattern: RegExp): Promise<void>
  /** Ends all connections, as if the host had gone. */
  drop(): void
  close(): Promise<void>
}

export const SINK_OFFERS = [
  'PIPELINING',
  'SIZE 52428800',
  '8BITMIME',
  'SMTPUTF8',
  'ENHANCEDSTATUSCODES',
  'DSN',
  'CHUNKING',
]

/** A small SMTP or LMTP server on loopback that takes all mail, and misbehaves as it is told. */
export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const sockets = new Set<Socket>()
  const mails: SinkMail[] = []
  const commands: string[] = []
  let connections = 0
  let waiting: { ready: () => boolean; resolve: () => void }[] = []
  const changed = (): void => {
    for (const wait of waiting) if (wait.ready()) wait.resolve()
    waiting = waiting.filter((wait) => !wait.ready())
  }
  const until = (ready: () => boolean): Promise<void> =>
    ready()
      ? Promise.resolve()
      : new Promise((resolve) => {
          waiting.push({ ready, resolve })
        })
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const number = ++connections
    const session = new SinkSession(options, {
      number,
      act: (step, line) => sink.act?.(step, line, number),
      command(line) {
        commands.push(`#${number} ${line}`)
        changed()
      },
      mail(mail) {
        mails.push(mail)
        changed()
      },
    })
    session.start(socket)
  })
  if (options.path === undefined) server.listen(0, options.host ?? '127.0.0.1')
  else server.listen(options.path)
  await once(server, 'listening')
  const address = server.address()
  const sink: Sink = {
    port:
      typeof address === 'string' || address === null ? 0 : (address satisfies AddressInfo).port,
    mails,
    commands,
    get connections() {
      return connections
    },
    act: options.act,
    taken: (count) => until(() => mails.length >= count),
    seen: (pattern) => until(() => commands.some((line) => pattern.test(line))),
    drop() {
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return sink
}

interface SinkHooks {
  readonly number: number
  readonly act: (step: SinkStep, line: string) => SinkAct | undefined
  readonly command: (line: string) => void
  readonly mail: (mail: SinkMail) => void
}

const TLS_HANDSHAKE = 0x16
const CONTENT_END = Buffer.from('\r\n.\r\n')

class SinkSession {
  readonly #options: SinkOptions
  readonly #hooks: SinkHooks
  #socket!: Socket
  #buffer = Buffer.alloc(0)
  #secure = false
  #data = false
  #chunk: { size: number; last: boolean } | undefined
  #mail: string | undefined
  #rcpts: string[] = []
  #content: Buffer[] = []
  #chunks: number[] = []

  constructor(options: SinkOptions, hooks: SinkHooks) {
    this.#options = options
    this.#hooks = hooks
  }

  start(socket: Socket): void {
    this.#listen(socket)
    this.#say('greeting', '', '220 sink.example')
  }

  #listen(socket: Socket): void {
    this.#socket = socket
    socket.on('data', this.#onData)
  }

  readonly #onData = (octets: Buffer): void => {
    this.#buffer = Buffer.concat([this.#buffer, octets])
    while (this.#step());
  }

  /** Takes one thing off the buffer; false where more must come first. */
  #step(): boolean {
    if (this.#socket.destroyed) return false
    if (this.#data) return this.#takeData()
    if (this.#chunk !== undefined) return this.#takeChunk(this.#chunk)
    if (this.#buffer[0] === TLS_HANDSHAKE) {
      this.#buffer = Buffer.alloc(0) // a ClientHello where no TLS was begun
      this.#socket.write('渡り\r\n')
      return false
    }
    const end = this.#buffer.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#buffer.toString('utf8', 0, end)
    this.#buffer = this.#buffer.subarray(end + 2)
    this.#hooks.command(line)
    this.#command(line)
    return true
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    const offers = this.#options.offers ?? SINK_OFFERS
    if (verb === 'EHLO' || verb === 'LHLO') {
      const right = verb === (this.#options.protocol === 'lmtp' ? 'LHLO' : 'EHLO')
      const shown = this.#secure ? offers.filter((offer) => offer !== 'STARTTLS') : offers
      const lines = ['sink.example', ...shown]
      const reply = lines.map((text, i) => `250${i < lines.length - 1 ? '-' : ' '}${text}`)
      this.#say('ehlo', line, right ? reply.join('\r\n') : '502 5.5.1 what is that')
    } else if (verb === 'HELO') this.#say('helo', line, '250 sink.example')
    else if (verb === 'STAR') this.#starttls(line)
    else if (verb === 'MAIL') {
      if (this.#say('mail', line, '250 2.1.0 ok')) this.#mail = line
    } else if (verb === 'RCPT') {
      if (this.#say('rcpt', line, this.#mail === undefined ? '503 5.5.1 no' : '250 2.1.5 ok'))
        this.#rcpts.push(line)
    } else if (verb === 'DATA')
      this.#data = this.#say('data', line, this.#rcpts.length > 0 ? '354 go' : '503 5.5.1 no')
    else if (verb === 'BDAT') {
      const size = Number(line.split(' ')[1])
      this.#chunk = { size, last: / LAST$/i.test(line) }
    } else if (verb === 'RSET') {
      this.#forget()
      this.#say('rset', line, '250 2.0.0 ok')
    } else if (verb === 'QUIT') {
      this.#say('quit', line, '221 2.0.0 bye')
      this.#socket.end()
    } else this.#socket.write('500 5.5.2 what\r\n')
  }

  #takeData(): boolean {
    const whole = Buffer.concat([Buffer.from('\r\n'), this.#buffer])
    const end = whole.indexOf(CONTENT_END)
    if (end < 0) return false
    const text = whole.toString('latin1', 2, end + 2)
    this.#content.push(Buffer.from(text.replace(/(^|\r\n)\./g, '$1'), 'latin1'))
    this.#buffer = this.#buffer.subarray(end + 3)
    this.#data = false
    this.#finish()
    return true
  }

  #takeChunk(chunk: { readonly size: number; readonly last: boolean }): boolean {
    if (this.#buffer.length < chunk.size) return false
    this.#content.push(Buffer.from(this.#buffer.subarray(0, chunk.size)))
    this.#chunks.push(chunk.size)
    this.#buffer = this.#buffer.subarray(chunk.size)
    this.#chunk = undefined
    if (this.#rcpts.length === 0) this.#say('bdat', '', '503 5.5.1 no')
    else if (chunk.last) this.#finish()
    else this.#say('bdat', `BDAT ${chunk.size}`, '250 2.0.0 more')
    return true
  }

  #finish(): void {
    const replies = this.#options.protocol === 'lmtp' ? this.#rcpts : [this.#mail ?? '']
    const taken = replies.filter((line) => this.#say('final', line, '250 2.0.0 taken'))
    const rcpts = this.#options.protocol === 'lmtp' ? taken : this.#rcpts
    if (taken.length > 0)
      this.#hooks.mail({
        mail: this.#mail ?? '',
        rcpts,
        content: Buffer.concat(this.#content),
        secure: this.#secure,
        connection: this.#hooks.number,
        chunks: this.#chunks,
      })
    this.#forget()
  }

  #forget(): void {
    this.#mail = undefined
    this.#rcpts = []
    this.#content = []
    this.#chunks = []
  }

  #starttls(line: string): void {
    const socket = this.#socket
    const { identity } = this.#options
    if (identity === undefined) return void this.#say('starttls', line, '454 4.7.0 no')
    if (!this.#say('starttls', line, '220 2.0.0 go')) return
    socket.off('data', this.#onData)
    this.#buffer = Buffer.alloc(0)
    this.#forget()
    this.#secure = true
    const secureContext = createSecureContext({ cert: identity.certificate, key: identity.key })
    const secured = new TLSSocket(socket, { isServer: true, secureContext })
    secured.on('error', () => undefined)
    this.#listen(secured)
  }

  /** Writes the reply, or what `act` wants instead; true where it was a yes. */
  #say(step: SinkStep, line: string, usual: string): boolean {
    const act = this.#hooks.act(step, line)
    if (act === 'vanish') this.#socket.destroy()
    if (act === 'vanish' || act === 'silent') return false
    const text = act?.say ?? usual
    this.#socket.write(`${text}\r\n`)
    return /^[23]/.test(text)
  }
}
