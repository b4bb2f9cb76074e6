import { request } from 'node:https'
import type { Installation } from './installation.ts'
import { plain, smtpSession, wire } from './wire.ts'
import type { Wire } from './wire.ts'

export interface Login {
  readonly user: string
  readonly password: Uint8Array
  /** An address of this machine that it comes from; absent: any. */
  readonly from?: string
}
/** One way to log in: resolves with the server's word, 'ok' where it let us in. */
export type Way = (watari: Installation, login: Login) => Promise<string>

const base64 = (octets: string | Uint8Array): string => Buffer.from(octets).toString('base64')
const line = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat([...parts, '\r\n'].map((part) => Buffer.from(part)))
const escaped = (octets: Uint8Array): Buffer =>
  Buffer.from(
    Buffer.from(octets)
      .toString('latin1')
      .replace(/["\\]/g, String.raw`\$&`),
    'latin1',
  )

async function within(
  open: Promise<Wire>,
  talk: (session: Wire) => Promise<string>,
): Promise<string> {
  const session = await open
  try {
    return await talk(session)
  } finally {
    session.close()
  }
}

/** What a client says; the server's word where that came before its time. */
type Talk = (session: Wire, login: Login) => undefined | Promise<string | undefined>

/** Waits to be asked for more; the server's word where it asks for none. */
async function asked(session: Wire): Promise<string | undefined> {
  const word = await session.until(/^(?:\+|-ERR|a ) ?.*\r\n/)
  return word.startsWith('+') ? undefined : word
}

function say(session: Wire, octets: string | Uint8Array): undefined {
  session.send(octets)
}

const imap =
  (talk: Talk): Way =>
  async (watari, login) =>
    within(wire(watari.port(993), { tlsCa: watari.ca, ...comingFrom(login) }), async (session) => {
      await session.until(/^\* OK .*\r\n/)
      const end = (await talk(session, login)) ?? (await session.until(/^a .*\r\n/m))
      return end.includes('a OK ') ? 'ok' : end
    })

const pop3 =
  (talk: Talk): Way =>
  async (watari, login) =>
    within(wire(watari.port(995), { tlsCa: watari.ca, ...comingFrom(login) }), async (session) => {
      await session.until(/^\+OK .*\r\n/)
      const end = (await talk(session, login)) ?? (await session.until(/^(?:\+OK|-ERR) .*\r\n/))
      if (!end.startsWith('+OK')) return end
      session.send('QUIT\r\n') // RFC 1939 §8: the maildrop is let go before the next one logs in
      await session.until(/^\+OK.*\r\n/)
      return 'ok'
    })

const smtp =
  (talk: (session: Wire, login: Login) => Promise<string>): Way =>
  async (watari, login) =>
    within(
      smtpSession({
        port: watari.port(465),
        tls: 'implicit',
        ca: watari.ca,
        ...comingFrom(login),
      }),
      async (session) => {
        const reply = await talk(session, login)
        return reply.startsWith('235 ') ? 'ok' : reply
      },
    )

/** Each way of the mail protocols; octets of any kind. */
export const MAIL_WAYS: Readonly<Record<string, Way>> = {
  'IMAP LOGIN, quoted': imap((session, { user, password }) =>
    say(session, line('a LOGIN "', escaped(Buffer.from(user)), '" "', escaped(password), '"')),
  ),
  'IMAP LOGIN, literals': imap(async (session, { user, password }) => {
    session.send(`a LOGIN {${Buffer.byteLength(user)}}\r\n`)
    const early = await asked(session)
    if (early !== undefined) return early
    session.send(`${user} {${password.length}}\r\n`)
    return (await asked(session)) ?? say(session, line(password))
  }),
  'IMAP LOGIN, literals without waiting': imap((session, { user, password }) =>
    say(
      session,
      line(`a LOGIN {${Buffer.byteLength(user)}+}\r\n${user} {${password.length}+}\r\n`, password),
    ),
  ),
  'IMAP AUTHENTICATE PLAIN': imap(async (session, login) => {
    session.send('a AUTHENTICATE PLAIN\r\n')
    return (await asked(session)) ?? say(session, line(plain(login)))
  }),
  'IMAP AUTHENTICATE PLAIN, initial response': imap((session, login) =>
    say(session, line(`a AUTHENTICATE PLAIN ${plain(login)}`)),
  ),
  'POP3 USER and PASS': pop3(async (session, { user, password }) => {
    session.send(line(`USER ${user}`))
    return (await asked(session)) ?? say(session, line('PASS ', password))
  }),
  'POP3 AUTH PLAIN': pop3((session, login) => say(session, line(`AUTH PLAIN ${plain(login)}`))),
  'POP3 AUTH LOGIN': pop3(async (session, { user, password }) => {
    session.send('AUTH LOGIN\r\n')
    const early = await asked(session)
    if (early !== undefined) return early
    session.send(line(base64(user)))
    return (await asked(session)) ?? say(session, line(base64(password)))
  }),
  'SMTP AUTH PLAIN': smtp((session, login) => session.smtp(`AUTH PLAIN ${plain(login)}`)),
  'SMTP AUTH LOGIN': smtp(async (session, { user, password }) => {
    await session.smtp('AUTH LOGIN')
    const word = await session.smtp(base64(user))
    return word.startsWith('334 ') ? session.smtp(base64(password)) : word
  }),
}

const comingFrom = ({ from }: Login): { readonly from?: string } =>
  from === undefined ? {} : { from }

const post = (
  watari: Installation,
  ask: {
    readonly path: string
    readonly from: string | undefined
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
  },
): Promise<string> =>
  new Promise((resolve, reject) => {
    const { path, from, headers, body } = ask
    const asked = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port: watari.port(443),
      ca: watari.ca,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
      ...(from !== undefined && { localAddress: from }),
      agent: false,
    })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let said = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
      response.on('end', () => resolve(`HTTP ${response.statusCode} ${said}`))
    })
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })

const letIn =
  (...codes: readonly number[]) =>
  (answer: string): string =>
    codes.some((code) => answer.startsWith(`HTTP ${code} `)) ? 'ok' : answer

/** Each way of the web. Those of pages take the password as text. */
export const WEB_WAYS: Readonly<Record<string, Way>> = {
  'JMAP, Basic': (watari, { user, password, from }) =>
    post(watari, {
      path: '/.well-known/jmap',
      from,
      headers: {
        authorization: `Basic ${base64(Buffer.concat([Buffer.from(`${user}:`), password]))}`,
      },
    }).then(letIn(200)),
  webmail: (watari, { user, password, from }) =>
    post(watari, {
      path: '/auth/login',
      from,
      body: { username: user, password: Buffer.from(password).toString() },
    }).then(letIn(200)),
  // Who is no administrator is told so once the password was right.
  console: (watari, { user, password, from }) =>
    post(watari, {
      path: '/api/v1/session',
      from,
      body: { username: user, password: Buffer.from(password).toString() },
    }).then(letIn(201, 403)),
}

let addresses = 0
/** An address of this machine that nothing has come from: nobody is slowed for what others did. */
export const newClient = (): string =>
  `127.77.${Math.floor(++addresses / 250)}.${(addresses % 250) + 1}`
