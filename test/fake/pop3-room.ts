import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import { pop3Shared, servePop3 } from '#server/pop3/serve.ts'
import type { Pop3Limits, Pop3Listener, Pop3ListenerOptions } from '#server/pop3/serve.ts'
import { FakeAuthenticator } from './authenticator.ts'
import { LineClient } from './line-client.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

export interface Pop3RoomUnderTest {
  readonly store: FakeMailboxStore
  readonly authenticator: FakeAuthenticator
  readonly listener: Pop3Listener
  readonly port: number
  /** A raw client that has read the greeting. */
  readonly connect: () => Promise<LineClient>
  /** A raw client of hanako's, logged in. */
  readonly login: () => Promise<LineClient>
}

/** A POP3 server on a port of its own over a store in memory, gone when the test ends. */
export async function pop3Room(
  t: TestContext,
  options: Partial<Pop3ListenerOptions> & {
    readonly limits?: Partial<Pop3Limits>
    readonly passwords?: Readonly<Record<string, string>>
  } = {},
): Promise<Pop3RoomUnderTest> {
  const { limits, passwords, ...rest } = options
  const store = new FakeMailboxStore()
  const authenticator = new FakeAuthenticator(passwords ?? { hanako: 'h' })
  const listener = await servePop3({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'pop.campus.example',
    authenticator,
    allowPlaintext: true,
    shared: pop3Shared({ store, ...(limits === undefined ? {} : { limits }) }),
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
    const client =
      rest.tls === 'implicit' ? LineClient.tls(listener.port) : LineClient.plain(listener.port)
    clients.push(client)
    assert.equal(await client.line(), '+OK pop.campus.example POP3 ready')
    return client
  }
  const login = async (): Promise<LineClient> => {
    const client = await connect()
    assert.match(await ask(client, 'USER hanako'), /^\+OK/)
    assert.match(await ask(client, 'PASS h'), /^\+OK/)
    return client
  }
  return { store, authenticator, connect, listener, login, port: listener.port }
}

/** Sends a line; the first line of its answer. */
export const ask = (client: LineClient, line: string): Promise<string> => {
  client.send(`${line}\r\n`)
  return client.line()
}
