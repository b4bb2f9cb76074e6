import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

import { ImapFlow } from 'imapflow'

import type { Installation } from './installation.ts'

/** A raw line client: tests say exactly which octets go out. */
export interface LineClient {
  /** Sends octets as they are. */
  send(octets: string | Uint8Array): void
  /** The next whole SMTP reply, its lines joined by LF. */
  reply(): Promise<string>
  /** `send` of a line, then its reply. */
  command(line: string): Promise<string>
  startTls(ca: string): Promise<void>
  close(): void
}

export async function lineClient(
  port: number,
  options: { readonly host?: string; readonly tlsCa?: string } = {},
): Promise<LineClient> {
  const host = options.host ?? '127.0.0.1'
  let socket: Socket =
    options.tlsCa === undefined
      ? createConnection({ host, port })
      : connectTls({ host, port, ca: options.tlsCa, servername: 'localhost' })
  let buffer = ''
  let wake = (): void => undefined
  let isClosed = false
  const listen = (): void => {
    socket.on('data', (chunk: Buffer) => {
      buffer += chunk.toString('latin1')
      wake()
    })
    socket.on('close', () => {
      isClosed = true
      wake()
    })
    socket.on('error', () => undefined)
  }
  listen()
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tlsCa === undefined ? 'connect' : 'secureConnect', () => resolve())
    socket.once('error', reject)
  })
  const reply = async (): Promise<string> => {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(buffer)
      if (match !== null) {
        buffer = buffer.slice(match[0].length)
        return match[0].trimEnd().replaceAll('\r', '')
      }
      if (isClosed) throw new Error(`the connection ended; left over: ${JSON.stringify(buffer)}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    reply,
    send: (octets) => void socket.write(octets),
    command: (line) => {
      socket.write(`${line}\r\n`)
      return reply()
    },
    startTls: async (ca) => {
      socket.removeAllListeners('data')
      socket.removeAllListeners('close')
      const secured = connectTls({ socket, ca, servername: 'localhost' })
      await new Promise<void>((resolve, reject) => {
        secured.once('secureConnect', () => resolve())
        secured.once('error', reject)
      })
      socket = secured
      listen()
    },
    close: () => socket.destroy(),
  }
}

/** Sends one message by SMTP DATA; resolves with the reply to it, or the first refusal. */
export async function smtpSend(
  port: number,
  mail: {
    readonly from: string
    readonly to: readonly string[]
    readonly content: string | Uint8Array
    readonly login?: { readonly user: string; readonly password: string }
    readonly tlsCa?: string
    readonly host?: string
  },
): Promise<string> {
  const client = await lineClient(port, {
    ...(mail.host !== undefined && { host: mail.host }),
    ...(mail.tlsCa !== undefined && { tlsCa: mail.tlsCa }),
  })
  try {
    await client.reply()
    await client.command('EHLO client.example')
    if (mail.login !== undefined) {
      const plain = Buffer.from(`\0${mail.login.user}\0${mail.login.password}`).toString('base64')
      const answer = await client.command(`AUTH PLAIN ${plain}`)
      if (!answer.startsWith('235')) return answer
    }
    const from = await client.command(`MAIL FROM:<${mail.from}>`)
    if (!from.startsWith('250')) return from
    for (const to of mail.to) {
      const answer = await client.command(`RCPT TO:<${to}>`)
      if (!answer.startsWith('250')) return answer
    }
    const data = await client.command('DATA')
    if (!data.startsWith('354')) return data
    const content =
      typeof mail.content === 'string' ? Buffer.from(mail.content) : Buffer.from(mail.content)
    const stuffed = Buffer.from(content.toString('latin1').replace(/^\./gm, '..'), 'latin1')
    client.send(stuffed)
    client.send(stuffed.subarray(-2).toString('latin1') === '\r\n' ? '.\r\n' : '\r\n.\r\n')
    return await client.reply()
  } finally {
    client.close()
  }
}

/** An IMAP client of an account, over TLS. */
export async function imap(
  installation: Installation,
  username: string,
  password = installation.password(username),
): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: installation.host,
    port: installation.port(993),
    secure: true,
    tls: { ca: installation.ca, servername: 'localhost' },
    auth: { user: username, pass: password },
    logger: false,
  })
  await client.connect()
  return client
}

/** Every message of a mailbox, in UID order. */
export async function messages(client: ImapFlow, mailbox: string): Promise<Buffer[]> {
  const lock = await client.getMailboxLock(mailbox)
  try {
    const found: Buffer[] = []
    if (client.mailbox === false || client.mailbox.exists === 0) return found
    for await (const message of client.fetch('1:*', { source: true }))
      found.push(message.source ?? Buffer.alloc(0))
    return found
  } finally {
    lock.release()
  }
}

/** Every copy of the message with this Message-ID in all mailboxes of an account. */
export async function copiesOf(
  client: ImapFlow,
  messageId: string,
): Promise<{ readonly mailbox: string; readonly source: Buffer }[]> {
  const copies: { mailbox: string; source: Buffer }[] = []
  for (const { path } of await client.list()) {
    const lock = await client.getMailboxLock(path)
    try {
      const uids = await client.search({ header: { 'message-id': messageId } }, { uid: true })
      for (const uid of Array.isArray(uids) ? uids : []) {
        const message = await client.fetchOne(String(uid), { source: true }, { uid: true })
        if (message !== false)
          copies.push({ mailbox: path, source: message.source ?? Buffer.alloc(0) })
      }
    } finally {
      lock.release()
    }
  }
  return copies
}

/** How many messages a mailbox has now. */
export async function countOf(client: ImapFlow, mailbox: string): Promise<number> {
  const status = await client.status(mailbox, { messages: true })
  return status === false ? 0 : (status.messages ?? 0)
}

/** What a program that keeps a copy compares: one line a mailbox, the same while nothing is carried. */
export async function accountState(far: ImapFlow): Promise<string[]> {
  const found: string[] = []
  for (const { path } of await far.list()) {
    const status = await far.status(path, { messages: true, uidNext: true, highestModseq: true })
    if (status === false) throw new Error(`no status of ${path}`)
    found.push(`${path} ${status.messages} ${status.uidNext} ${status.highestModseq}`)
  }
  return found
}

/** Of each message in UID order. */
export async function flagsIn(far: ImapFlow, mailbox: string): Promise<string[][]> {
  const lock = await far.getMailboxLock(mailbox)
  try {
    const found: string[][] = []
    for await (const { flags } of far.fetch('1:*', { flags: true }))
      found.push([...(flags ?? [])].toSorted())
    return found
  } finally {
    lock.release()
  }
}
