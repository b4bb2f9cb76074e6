import assert from 'node:assert/strict'
import type { LoginListener } from '#server/login-listener.ts'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, MailboxPath, Uid } from '#model/mailbox.ts'
import { pop3Shared, servePop3 } from '#server/pop3/serve.ts'
import type { Pop3Limits, Pop3ListenerOptions } from '#server/pop3/serve.ts'
import { FakeAuthenticator } from './authenticator.ts'
import { LineClient } from './line-client.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

export interface Pop3RoomUnderTest {
  readonly store: FakeMailboxStore
  readonly authenticator: FakeAuthenticator
  readonly listener: LoginListener
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
    readonly withJunk?: () => boolean
  } = {},
): Promise<Pop3RoomUnderTest> {
  const { limits, passwords, withJunk, ...rest } = options
  const store = new FakeMailboxStore()
  const authenticator = new FakeAuthenticator(passwords ?? { hanako: 'h' })
  const listener = await servePop3({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'pop.campus.example',
    authenticator,
    allowPlaintext: true,
    shared: pop3Shared({
      store,
      ...(limits === undefined ? {} : { limits }),
      ...(withJunk === undefined ? {} : { withJunk }),
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

/** A multi-line response after its first line. */
export async function many(client: LineClient, line: string): Promise<string> {
  assert.match(await ask(client, line), /^\+OK/)
  return client.until((text) => {
    if (text.startsWith('.\r\n')) return 3
    const end = text.indexOf('\r\n.\r\n')
    return end < 0 ? 0 : end + 5
  })
}

export const HANAKO = 'account-hanako' as AccountId

/** Appends to a mailbox of hanako's. */
export async function fill(
  store: FakeMailboxStore,
  contents: readonly Octets[],
  more: { readonly path?: MailboxPath; readonly uidls?: readonly string[] } = {},
): Promise<void> {
  const path = more.path ?? ['INBOX']
  for (const [index, octets] of contents.entries()) {
    const uidl = more.uidls?.[index]
    const assigned = uidl === undefined ? {} : { assigned: { uid: (index + 1) as Uid, uidl } }
    const { results } = await store.commit({
      contents: [{ octets: [octets] }],
      commits: [
        {
          accountId: HANAKO,
          changes: [
            {
              kind: 'append',
              mailbox: { path, create: true },
              content: 0,
              flags: 0,
              keywords: [],
              internalDateMs: 0,
              ...assigned,
            },
          ],
        },
      ],
    })
    assert.equal(results[0]?.kind, 'committed')
  }
}

/** Of a mailbox of hanako's. */
export async function uidsLeft(
  store: FakeMailboxStore,
  path: MailboxPath = ['INBOX'],
): Promise<number[]> {
  const view = await store.view({ accountId: HANAKO, mailboxId: await mailboxId(store, path) })
  return [...view!.uids]
}

export async function mailboxId(store: FakeMailboxStore, path: MailboxPath): Promise<MailboxId> {
  const { mailboxes } = await store.mailboxes({ accountId: HANAKO })
  return mailboxes.find((mailbox) => mailbox.path.join('/') === path.join('/'))!.id
}
