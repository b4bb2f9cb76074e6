import { hash } from 'node:crypto'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { PeerCertificate, TLSSocket } from 'node:tls'

const ANSWER_MS = 60_000

/** A raw connection for any line protocol: octets go out as they are, answers are awaited by form. */
export interface Wire {
  send(octets: string | Uint8Array): void
  /** What came up to the end of the first match of `pattern`, one character an octet. */
  until(pattern: RegExp): Promise<string>
  /** What came up to the end of the connection. */
  ended(): Promise<string>
  /** Sends a line where one is given; the next whole SMTP reply, its lines joined by LF. */
  smtp(line?: string): Promise<string>
  startTls(ca: string): Promise<void>
  /** What the server showed; only in TLS. */
  certificate(): PeerCertificate
  /** What both ends know the TLS connection by (RFC 5929, RFC 9266); the certificates' hash is SHA-256. */
  channel(type: 'tls-exporter' | 'tls-server-end-point'): Buffer
  close(): void
}

const SMTP_REPLY = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/

/** Connects; `tlsCa` for a port that speaks TLS at once. */
export async function wire(
  port: number,
  options: { readonly host?: string; readonly tlsCa?: string; readonly from?: string } = {},
): Promise<Wire> {
  const { host = '127.0.0.1', tlsCa, from } = options
  const local = from === undefined ? {} : { localAddress: from }
  let socket: Socket =
    tlsCa === undefined
      ? createConnection({ host, port, ...local })
      : connectTls({ host, port, ca: tlsCa, servername: 'localhost', ...local })
  let came = ''
  let isClosed = false
  let wake = (): void => undefined
  const listen = (): void => {
    socket.on('data', (chunk: Buffer) => {
      came += chunk.toString('latin1')
      wake()
    })
    socket.on('close', () => {
      isClosed = true
      wake()
    })
    socket.on('error', () => undefined)
  }
  await opened(socket, tlsCa === undefined ? 'connect' : 'secureConnect')
  listen()
  /** Until something comes, or the connection ends. */
  const news = (endMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, endMs - Date.now())
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const until = async (pattern: RegExp): Promise<string> => {
    const endMs = Date.now() + ANSWER_MS
    for (;;) {
      const match = pattern.exec(came)
      if (match !== null) {
        const text = came.slice(0, match.index + match[0].length)
        came = came.slice(text.length)
        return text
      }
      if (isClosed || Date.now() >= endMs)
        throw new Error(`no ${String(pattern)} ${isClosed ? 'before the end' : 'in time'}: ${came}`)
      await news(endMs)
    }
  }
  const ended = async (): Promise<string> => {
    const endMs = Date.now() + ANSWER_MS
    for (;;) {
      if (isClosed) return came
      if (Date.now() >= endMs) throw new Error(`still open: ${came}`)
      await news(endMs)
    }
  }
  return {
    until,
    ended,
    send: (octets) => void socket.write(octets),
    smtp: async (line) => {
      if (line !== undefined) socket.write(`${line}\r\n`)
      return (await until(SMTP_REPLY)).trimEnd().replaceAll('\r', '')
    },
    startTls: async (ca) => {
      socket.removeAllListeners('data')
      socket.removeAllListeners('close')
      const secured = connectTls({ socket, ca, servername: 'localhost' })
      await opened(secured, 'secureConnect')
      socket = secured
      listen()
    },
    certificate: () => (socket as TLSSocket).getPeerCertificate(),
    channel: (type) =>
      type === 'tls-exporter'
        ? (socket as TLSSocket).exportKeyingMaterial(
            32,
            'EXPORTER-Channel-Binding',
            Buffer.alloc(0),
          )
        : hash('sha256', (socket as TLSSocket).getPeerCertificate().raw, 'buffer'),
    close: () => socket.destroy(),
  }
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', reject)
  })
}

/** One SMTP session up to where MAIL may come: TLS and login as asked. */
export interface SmtpWay {
  readonly port: number
  readonly host?: string
  /** Where it comes from; absent: any address of this machine. */
  readonly from?: string
  readonly tls?: 'implicit' | 'starttls'
  readonly ca?: string
  readonly login?: { readonly user: string; readonly password: string | Uint8Array }
  readonly greeting?: 'EHLO' | 'LHLO'
}

/** A session after EHLO, STARTTLS and login; throws where one of them is refused. */
export async function smtpSession(way: SmtpWay): Promise<Wire> {
  const { greeting = 'EHLO', ca = '' } = way
  const session = await wire(way.port, {
    ...(way.host !== undefined && { host: way.host }),
    ...(way.from !== undefined && { from: way.from }),
    ...(way.tls === 'implicit' && { tlsCa: ca }),
  })
  const must = async (line: string | undefined, code: string): Promise<void> => {
    const reply = await session.smtp(line)
    if (!reply.startsWith(code)) throw new Error(`${line?.split(' ')[0] ?? 'greeting'}: ${reply}`)
  }
  try {
    await must(undefined, '220')
    await must(`${greeting} client.example`, '250')
    if (way.tls === 'starttls') {
      await must('STARTTLS', '220')
      await session.startTls(ca)
      await must(`${greeting} client.example`, '250')
    }
    if (way.login !== undefined) await must(`AUTH PLAIN ${plain(way.login)}`, '235')
    return session
  } catch (thrown) {
    session.close()
    throw thrown
  }
}

/** The initial response of SASL PLAIN (RFC 4616 §2). */
export const plain = (login: NonNullable<SmtpWay['login']>): string =>
  Buffer.concat([Buffer.from(`\0${login.user}\0`), Buffer.from(login.password)]).toString('base64')

export interface Submitted {
  readonly smtpUtf8?: boolean
  readonly from: string
  readonly to: string | readonly string[]
  readonly content: string | Uint8Array
}

/** One transaction; the first refusal, or the reply to its content. */
export async function transact(
  session: Wire,
  mail: Submitted,
  how: 'data' | 'bdat' = 'data',
): Promise<string> {
  const content = Buffer.from(mail.content)
  const parameters = mail.smtpUtf8 === true ? ' BODY=8BITMIME SMTPUTF8' : ''
  const envelope = [
    `MAIL FROM:<${mail.from}>${parameters}`,
    ...[mail.to].flat().map((to) => `RCPT TO:<${to}>`),
  ]
  for (const line of envelope) {
    const reply = await session.smtp(line)
    if (!reply.startsWith('250')) return reply
  }
  if (how === 'bdat') {
    session.send(Buffer.concat([Buffer.from(`BDAT ${content.length} LAST\r\n`), content]))
    return session.smtp()
  }
  const data = await session.smtp('DATA')
  if (!data.startsWith('354')) return data
  session.send(Buffer.from(content.toString('latin1').replace(/^\./gm, '..'), 'latin1'))
  return session.smtp(content.subarray(-2).equals(Buffer.from('\r\n')) ? '.' : '\r\n.')
}

/** A session for one transaction. */
export async function sendBy(
  way: SmtpWay,
  mail: Submitted,
  how: 'data' | 'bdat' = 'data',
): Promise<string> {
  const session = await smtpSession(way)
  try {
    return await transact(session, mail, how)
  } finally {
    session.close()
  }
}
