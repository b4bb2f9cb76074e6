import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Deliveries a second over so many connections, for so many messages. */
export async function lmtpRate(
  port: number,
  options: {
    readonly connections: number
    readonly count: number
    readonly recipients: readonly string[]
    readonly octets: number
  },
): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: options.connections }, () => LmtpConnection.open(port)),
  )
  let next = 0
  const began = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (next < options.count) {
        const number = next++
        const recipient = options.recipients[number % options.recipients.length] ?? ''
        await connection.deliver([recipient], messageOf(number, options.octets))
      }
    }),
  )
  const rate = options.count / ((performance.now() - began) / 1_000)
  for (const connection of connections) connection.close()
  return rate
}

let run = 0
export function messageOf(number: number, octets: number): string {
  if (number === 0) run++
  const head = [
    'From: sender@else.example',
    'To: hanako@campus.example',
    'Date: Thu, 26 Nov 2026 12:00:00 +0900',
    `Message-ID: <bench-${process.pid}-${run}-${number}@else.example>`,
    'Subject: =?UTF-8?B?5rih44KK?=',
    '',
    '',
  ].join('\r\n')
  const line = `${'a line of a message of a benchmark, as long as most. '.padEnd(74, '.')}\r\n`
  const body = line.repeat(Math.ceil(octets / line.length))
  return (head + body).slice(0, octets).replace(/\r$/, '')
}

/** One LMTP connection that sends one message after the other; commands of a transaction go together (RFC 2920). */
export class LmtpConnection {
  readonly #socket: Socket
  #text = ''
  /** What of it has been read. */
  #at = 0
  #wake: () => void = () => undefined
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
    socket.on('error', () => undefined)
  }

  static async open(port: number): Promise<LmtpConnection> {
    return LmtpConnection.over(connect({ port, host: '127.0.0.1', noDelay: true }))
  }

  static async over(socket: Socket): Promise<LmtpConnection> {
    await once(socket, 'connect')
    const connection = new LmtpConnection(socket)
    await connection.#expect(1)
    socket.write('LHLO bench.else.example\r\n')
    await connection.#expect(1)
    return connection
  }

  /** Resolves after each recipient's 250. */
  async deliver(recipients: readonly string[], content: string): Promise<void> {
    const named = recipients.map((recipient) => `RCPT TO:<${recipient}>\r\n`).join('')
    this.#socket.write(`MAIL FROM:<sender@else.example>\r\n${named}DATA\r\n`, 'latin1')
    await this.#expect(2 + recipients.length)
    this.#socket.write(`${content}\r\n.\r\n`, 'latin1')
    await this.#expect(recipients.length)
  }

  close(): void {
    this.#socket.end('QUIT\r\n')
  }

  /** The next `count` replies; a refusal ends the benchmark. */
  async #expect(count: number): Promise<void> {
    for (let seen = 0; seen < count;) {
      const end = this.#text.indexOf('\r\n', this.#at)
      if (end < 0) {
        this.#text = this.#text.slice(this.#at)
        this.#at = 0
        if (this.#ended) throw new Error('the peer closed the connection')
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      const line = this.#text.slice(this.#at, end)
      this.#at = end + 2
      if (line[3] === '-') continue
      if (!/^[23]/.test(line)) throw new Error(`refused: ${line}`)
      seen++
    }
  }
}

/** Milliseconds of each delivery of a personal mail, one after the other, until that ends. */
export async function personalTimes(
  connection: LmtpConnection,
  recipient: string,
  end: Promise<unknown>,
  octets: number,
): Promise<number[]> {
  const ending = new AbortController()
  void end.finally(() => ending.abort())
  const times: number[] = []
  while (!ending.signal.aborted) {
    const began = performance.now()
    await connection.deliver([recipient], messageOf(times.length, octets))
    times.push(performance.now() - began)
  }
  return times
}
