import type { LoginListener } from '#server/login-listener.ts'
import type { NewEvent } from '#model/event.ts'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { TlsIdentity } from '#net/tls.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import type { ImapListenerOptions, ImapShared } from '#server/imap/serve.ts'
import type { ImapLimits } from '#server/imap/session/limits.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import { FakeAuthenticator, fakeAccount } from './authenticator.ts'
import { fakeCertificate } from './identity.ts'
import { LineClient } from './line-client.ts'
import type { Quotas } from '#engine/deliver/quotas.ts'
import { fakeQuotas } from './quotas.ts'
import type { Limits } from './quotas.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

export interface ImapRoomUnderTest {
  readonly events: readonly NewEvent[]
  readonly store: FakeMailboxStore
  readonly quotas: Quotas
  readonly authenticator: FakeAuthenticator
  readonly shared: ImapShared
  readonly listener: LoginListener
  readonly port: number
  /** A raw client that has read the greeting. */
  connect(): Promise<LineClient>
  /** A raw client of hanako's, logged in. */
  login(user?: string): Promise<LineClient>
}

/** An IMAP server on a port of its own over a store in memory, gone when the test ends. */
export async function imapRoom(
  t: TestContext,
  options: Partial<ImapListenerOptions> & {
    readonly limits?: Partial<ImapLimits>
    readonly passwords?: Readonly<Record<string, string | Octets>>
    readonly withTls?: boolean
    readonly messageBytesMax?: () => number
    readonly jmapUrl?: () => string | undefined
    readonly clock?: Clock
    /** What each account may hold. */
    readonly quota?: () => Limits
    /** Where scripts are managed. */
    readonly sieveUrl?: string
    /** Makes the search index of the room's store. */
    readonly search?: (store: FakeMailboxStore) => TextSearch
  } = {},
): Promise<ImapRoomUnderTest> {
  const { limits, passwords, withTls, messageBytesMax, jmapUrl, search, quota, sieveUrl, ...rest } =
    options
  const store = new FakeMailboxStore()
  const events: NewEvent[] = []
  const quotas = fakeQuotas(store, quota)
  const authenticator = new FakeAuthenticator(passwords ?? { hanako: '渡り 鳥&"1', taro: 'taro' })
  const shared = imapShared({
    store: quota === undefined ? store : quotas.mailboxes,
    names: {
      nameOf: (id) => authenticator.names.find((name) => fakeAccount(name).id === id),
      idOf: (name) => (authenticator.names.includes(name) ? fakeAccount(name).id : undefined),
    },
    ...(quota !== undefined && { quotaOf: quotas.quotaOf }),
    events: { emit: (event) => events.push(event) },
    sieveUrl,
    changes: store.changes,
    ...(search === undefined ? {} : { search: search(store) }),
    ...(limits === undefined ? {} : { limits }),
    ...(messageBytesMax === undefined ? {} : { messageBytesMax }),
    ...(jmapUrl === undefined ? {} : { jmapUrl }),
  })
  const identity = withTls === true ? new TlsIdentity(await fakeCertificate()) : undefined
  const listener = await serveImap({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'imap.campus.example',
    authenticator,
    allowPlaintext: true,
    shared,
    clock: systemClock,
    log: silentLog,
    ...(identity === undefined ? {} : { identity: () => identity }),
    ...rest,
  })
  const clients: LineClient[] = []
  t.after(async () => {
    for (const client of clients) client.end()
    await listener.close(0)
    shared.close()
  })
  const open = async (): Promise<LineClient> => {
    const client =
      rest.tls === 'implicit' ? LineClient.tls(listener.port) : LineClient.plain(listener.port)
    clients.push(client)
    await client.line()
    return client
  }
  return {
    events,
    store,
    quotas,
    authenticator,
    shared,
    listener,
    port: listener.port,
    connect: open,
    async login(user = 'hanako') {
      const client = await open()
      const password = fromUtf8(user === 'hanako' ? '渡り 鳥&"1' : user)
      client.send(`l LOGIN ${user} {${password.length}+}\r\n`)
      client.send(password)
      client.send('\r\n')
      const answer = await client.response((line) => line.startsWith('l '))
      if (!answer.startsWith('l OK')) throw new Error(answer)
      return client
    },
  }
}
