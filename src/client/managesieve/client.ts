import type { Socket } from 'node:net'
import { concatOctets, fromLatin1, fromUtf8, toLatin1, toUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { parseManageSieveLine } from '#codec/managesieve/response.ts'
import type { ManageSieveLine, ManageSieveResponse } from '#codec/managesieve/response.ts'
import { renderString, Words } from '#codec/managesieve/words.ts'
import { dial, secureClient } from '#net/dial.ts'
import { OctetReader } from '#net/lines.ts'
import { OctetWriter } from '#net/writer.ts'

export interface ManageSieveServer {
  readonly host: string
  readonly port: number
  /** starttls: refused where the server has no TLS. none: for loopback and tests. */
  readonly tls: 'starttls' | 'none'
  /** Certificates, in PEM, that alone are trusted; absent: those of the system. */
  readonly ca?: string
}

export interface ManageSieveLogin {
  readonly user: string
  readonly password: Octets
  /** Whose scripts, where an administrator logs in. */
  readonly authzid?: string
}

/** A script there; undefined text: it is no UTF-8. */
export interface ScriptThere {
  readonly name: string
  readonly active: boolean
  readonly text: string | undefined
}

const CONNECT_TIMEOUT_MS = 30 * SECOND_MS
const ANSWER_TIMEOUT_MS = 60 * SECOND_MS
const LINE_BYTES_MAX = 64 * 1024
/** Of one string; servers keep scripts of some hundred thousand octets at most. */
const LITERAL_BYTES_MAX = 4 * 1024 * 1024
/** Lines of data of one answer: names of scripts, capabilities. */
const LINES_MAX = 10_000
const WORDS_LITERALS_MAX = 8

/**
 * All scripts of one account on another server (RFC 5804), by PLAIN inside TLS. Throws Fault `unreachable`,
 * `timeout`, `closed`, `protocol`; `invalid` where the server refuses, with what it said.
 */
export async function fetchScripts(
  server: ManageSieveServer,
  login: ManageSieveLogin,
  clock: Clock,
): Promise<readonly ScriptThere[]> {
  const connection = await open(server, clock)
  try {
    await connection.command('AUTHENTICATE', ['PLAIN', plain(login)])
    const listed = await connection.command('LISTSCRIPTS', [])
    const scripts: ScriptThere[] = []
    for (const { strings, atoms } of listed) {
      const name = strings[0] === undefined ? undefined : toUtf8Strict(strings[0])
      if (name === undefined) throw new Fault('protocol', 'a name of a script is not UTF-8')
      const [content] = await connection.command('GETSCRIPT', [name])
      const text = toUtf8Strict(content?.strings[0] ?? fromLatin1(''))
      scripts.push({ name, active: atoms.includes('ACTIVE'), text })
    }
    await connection.command('LOGOUT', []).catch(() => undefined) // all was said
    return scripts
  } finally {
    connection.destroy()
  }
}

/** RFC 4616 §2, in base64. */
const plain = ({ user, password, authzid = '' }: ManageSieveLogin): string =>
  Buffer.from(concatOctets([fromUtf8(`${authzid}\0${user}\0`), password])).toString('base64')

async function open({ host, port, tls, ca }: ManageSieveServer, clock: Clock): Promise<Connection> {
  const what = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const socket = await dial({ host, port }, { clock, timeoutMs: CONNECT_TIMEOUT_MS, what })
  const first = new Connection(socket, clock)
  try {
    const offered = await first.answer()
    if (tls === 'none') return first
    if (!offered.some(({ strings: [name] }) => name && /^STARTTLS$/i.test(toLatin1(name))))
      throw new Fault('protocol', `${what} offers no TLS, and the password is not sent without it`)
    await first.command('STARTTLS', [])
    const secured = new Connection(
      await first.secure({ name: host, ...(ca !== undefined && { ca }) }),
      clock,
    )
    await secured.answer() // RFC 5804 §2.2: what was offered in plain is void
    return secured
  } catch (thrown) {
    first.destroy()
    throw thrown
  }
}

type Data = ManageSieveLine & { readonly kind: 'data' }

class Connection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #reader: OctetReader
  readonly #writer: OctetWriter

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.#reader = new OctetReader(socket, clock)
    this.#writer = new OctetWriter(socket, { clock, timeoutMs: ANSWER_TIMEOUT_MS })
  }

  /** Sends a command; the data of its answer, where that is OK. */
  async command(verb: string, strings: readonly string[]): Promise<readonly Data[]> {
    const parts = strings.flatMap((text) => [fromLatin1(' '), renderString(text, 'client')])
    const sent = concatOctets([fromLatin1(verb), ...parts, fromLatin1('\r\n')])
    if ((await this.#writer.write(sent)) === 'gone')
      throw new Fault('closed', 'the connection was closed')
    return this.answer()
  }

  async answer(): Promise<readonly Data[]> {
    const data: Data[] = []
    for (let count = 0; count < LINES_MAX; count++) {
      const line = await this.#line()
      if (line.kind === 'data') data.push(line)
      else if (line.response.kind === 'OK') return data
      else throw refusal(line.response)
    }
    throw new Fault('protocol', `an answer of more than ${LINES_MAX} lines`)
  }

  /** The socket under TLS. What came in plain behind the OK is dropped: it was injected. */
  secure(trust: { readonly name: string; readonly ca?: string }): Promise<Socket> {
    this.#reader.detach()
    for (;;) if (this.#socket.read() === null) break
    return secureClient(this.#socket, trust, { clock: this.#clock, timeoutMs: CONNECT_TIMEOUT_MS })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #line(): Promise<ManageSieveLine> {
    const words = new Words()
    for (let literals = 0; literals < WORDS_LITERALS_MAX; literals++) {
      const ahead = words.line(came(await this.#reader.line(LINE_BYTES_MAX, ANSWER_TIMEOUT_MS)))
      if (ahead === undefined) {
        const gathered = words.end()
        const parsed = gathered.ok ? parseManageSieveLine(gathered.value) : gathered
        if (parsed.ok) return parsed.value
        throw new Fault('protocol', `the answer is no ManageSieve: ${parsed.error}`)
      }
      if (ahead.sizeBytes > LITERAL_BYTES_MAX)
        throw new Fault('protocol', `a string of ${ahead.sizeBytes} octets`)
      words.literal(came(await this.#reader.exactly(ahead.sizeBytes, ANSWER_TIMEOUT_MS)))
    }
    throw new Fault('protocol', 'a line of too many strings')
  }
}

function came(octets: Octets | 'eof' | 'timeout' | 'tooLong'): Octets {
  if (octets === 'eof') throw new Fault('closed', 'the connection was closed')
  if (octets === 'timeout') throw new Fault('timeout', `no answer in ${ANSWER_TIMEOUT_MS} ms`)
  if (octets === 'tooLong') throw new Fault('protocol', 'a line of the answer is too long')
  return octets
}

const refusal = ({ kind, code, text }: ManageSieveResponse): Fault =>
  new Fault(
    kind === 'BYE' || code?.name === 'TRYLATER' ? 'unavailable' : 'invalid',
    oneLine(
      `the server said ${kind}${code === undefined ? '' : ` (${code.name})`} ${toUtf8(fromUtf8(text))}`,
    ).trim(),
  )
