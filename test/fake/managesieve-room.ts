import assert from 'node:assert/strict'
import type { LoginListener } from '#server/login-listener.ts'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromLatin1, toLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import { parseManageSieveLine } from '#codec/managesieve/response.ts'
import type { ManageSieveLine, ManageSieveResponse } from '#codec/managesieve/response.ts'
import { Words } from '#codec/managesieve/words.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { toldScripts } from '#engine/deliver/told-scripts.ts'
import type { NewEvent } from '#model/event.ts'
import { manageSieveShared, serveManageSieve } from '#server/managesieve/serve.ts'
import type { ManageSieveLimits, ManageSieveListenerOptions } from '#server/managesieve/serve.ts'
import { FakeAuthenticator } from './authenticator.ts'
import { LineClient } from './line-client.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

export interface ManageSieveRoomUnderTest {
  readonly store: FakeMailboxStore
  readonly authenticator: FakeAuthenticator
  readonly events: readonly NewEvent[]
  readonly listener: LoginListener
  readonly port: number
  /** A raw client that has read the greeting. */
  readonly connect: () => Promise<LineClient>
  /** A raw client of hanako's, logged in. */
  readonly login: () => Promise<LineClient>
}

/** A ManageSieve server on a port of its own over a store in memory, gone when the test ends. */
export async function manageSieveRoom(
  t: TestContext,
  options: Partial<ManageSieveListenerOptions> & {
    readonly limits?: Partial<ManageSieveLimits>
    readonly passwords?: Readonly<Record<string, string>>
  } = {},
): Promise<ManageSieveRoomUnderTest> {
  const { limits, passwords, ...rest } = options
  const store = new FakeMailboxStore()
  const authenticator = new FakeAuthenticator(passwords ?? { hanako: 'h', taro: 't' })
  const events: NewEvent[] = []
  const told = { events: { emit: (event: NewEvent) => events.push(event) }, clock: systemClock }
  const listener = await serveManageSieve({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'mail.campus.example',
    authenticator,
    allowPlaintext: true,
    shared: manageSieveShared({
      scripts: toldScripts(scriptsOf(store), told),
      store,
      ...(limits === undefined ? {} : { limits }),
    }),
    clock: systemClock,
    log: silentLog,
    ...rest,
  })
  const clients: LineClient[] = []
  t.after(async () => {
    for (const client of clients) client.end()
    await listener.close(0)
  })
  const connect = async (): Promise<LineClient> => {
    const client = LineClient.plain(listener.port)
    clients.push(client)
    const { response } = await answer(client)
    assert.deepEqual(response, { kind: 'OK', text: 'mail.campus.example ManageSieve ready' })
    return client
  }
  const login = async (): Promise<LineClient> => {
    const client = await connect()
    assert.equal(
      await ask(client, `AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"`),
      'OK Logged in',
    )
    return client
  }
  return { store, authenticator, events, listener, port: listener.port, connect, login }
}

export const plain = (login: string, password: string, authzid = ''): string =>
  Buffer.from(`${authzid}\0${login}\0${password}`).toString('base64')

/** A string as a client sends it, as a literal. */
export const literal = (content: string | Octets): string => {
  const octets = Buffer.from(content)
  return `{${octets.length}+}\r\n${octets.toString()}`
}

/** One line of an answer with its literals. */
async function line(client: LineClient): Promise<ManageSieveLine> {
  const text = await client.until((so) => wholeOf(so)?.end ?? 0)
  const words = wholeOf(text)!.words.end()
  const parsed = words.ok ? parseManageSieveLine(words.value) : words
  assert.ok(parsed.ok, `${text}: ${parsed.ok ? '' : parsed.error}`)
  return parsed.value
}

function wholeOf(text: string): { readonly words: Words; readonly end: number } | undefined {
  const words = new Words()
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return undefined
    const ahead = words.line(fromLatin1(text.slice(at, end)))
    at = end + 2
    if (ahead === undefined) return { words, end: at }
    assert.ok(!ahead.plus, 'a server says how long a literal is without a +')
    if (at + ahead.sizeBytes > text.length) return undefined
    words.literal(fromLatin1(text.slice(at, at + ahead.sizeBytes)))
    at += ahead.sizeBytes
  }
}

/** Data up to the response that ends it. */
export async function answer(client: LineClient): Promise<{
  readonly data: readonly (readonly string[])[]
  readonly response: ManageSieveResponse
}> {
  const data: (readonly string[])[] = []
  for (;;) {
    const next = await line(client)
    if (next.kind === 'response') return { data, response: next.response }
    data.push([...next.strings.map(toUtf8), ...next.atoms])
  }
}

/** Sends a command; its response on one line, with the code's argument as text. */
export async function ask(client: LineClient, command: string): Promise<string> {
  client.send(`${command}\r\n`)
  return said((await answer(client)).response)
}

export const said = ({ kind, code, text }: ManageSieveResponse): string => {
  const value = code?.value === undefined ? '' : ` ${toLatin1(code.value)}`
  return `${kind} ${code === undefined ? '' : `(${code.name}${value}) `}${text}`
}

/** Likewise with the data in front of it. */
export async function askData(
  client: LineClient,
  command: string,
): Promise<readonly (readonly string[])[]> {
  client.send(`${command}\r\n`)
  const { data, response } = await answer(client)
  assert.equal(response.kind, 'OK', said(response))
  return data
}
