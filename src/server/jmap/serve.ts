import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { SieveLists } from '#engine/sieve/message.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { BrowserSessions } from '#store/directory/browser-sessions.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import { EmailViews } from '#server/jmap/email/email-views.ts'
import { KnownMetas } from '#server/jmap/email/known-metas.ts'
import type { AccessParts } from '#server/jmap/http/access.ts'
import type { AppPasswordBook } from '#server/jmap/http/app-passwords.ts'
import { WebSockets } from '#server/jmap/http/web-socket.ts'
import { Watchers } from '#server/jmap/push/watchers.ts'
import { Door } from './door.ts'
import { JMAP_LIMITS } from './limits.ts'
import type { JmapLimits } from './limits.ts'
import type { ChoicesBook, JmapRoom } from './room.ts'
import { Running } from './running.ts'
import { Shares } from './shares.ts'

export interface JmapParts {
  readonly store: MailboxStore
  /** Absent: texts are read. */
  readonly search?: TextSearch
  readonly changes: (listener: (change: StoreChanged) => void) => () => void
  readonly authenticator: Authenticator
  readonly directory: JmapRoom['directory']
  /** The lists that somebody's scripts may ask, for trials. */
  readonly lists?: (accountId: AccountId) => SieveLists
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: JmapRoom['quotaOf']
  /** Told when what accounts may hold may have changed. */
  readonly onLimits?: (listener: (accounts: readonly AccountId[] | 'all') => void) => void
  /** Of web pages; loaded already. */
  readonly sessions: BrowserSessions
  /** Absent: none can be made here. */
  readonly appPasswords?: AppPasswordBook
  /** Absent: none are kept here. */
  readonly choices?: ChoicesBook
  /** Absent: none are changed here. */
  readonly scripts?: JmapRoom['scripts']
  readonly hostname: string
  readonly limits?: Partial<JmapLimits>
  /** The setting of now. */
  readonly messageBytesMax?: () => number
  readonly newDeliveryId: () => string
  readonly events: EventSink
  readonly submitted: () => void
  readonly clock: Clock
  readonly log: Log
}

export interface Jmap {
  /** Answers the request; false where the path is none of JMAP's. Never rejects. */
  handle(incoming: IncomingMessage, response: ServerResponse): boolean
  /** Takes over the connection of a request that asks to become a WebSocket (RFC 8887), or refuses. */
  upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void
  close(): void
}

/** JMAP (RFC 8620, RFC 8621) over any HTTP server; all of it is TLS's to protect. */
export function serveJmap(parts: JmapParts): Jmap {
  const limits = (): JmapLimits => {
    const bytesMax = parts.messageBytesMax?.()
    return {
      ...JMAP_LIMITS,
      ...(bytesMax === undefined ? {} : { maxSizeUpload: bytesMax }),
      ...parts.limits,
    }
  }
  const { clock } = parts
  const room: JmapRoom = {
    store: parts.store,
    ...(parts.search !== undefined && { search: parts.search }),
    views: new EmailViews(parts.store, clock),
    metas: new KnownMetas(),
    shares: new Shares(parts.store),
    directory: parts.directory,
    ...(parts.lists !== undefined && { lists: parts.lists }),
    ...(parts.quotaOf !== undefined && { quotaOf: parts.quotaOf }),
    get limits() {
      return limits()
    },
    hostname: parts.hostname,
    newDeliveryId: parts.newDeliveryId,
    events: parts.events,
    submitted: parts.submitted,
    ...(parts.choices !== undefined && { choices: parts.choices }),
    ...(parts.scripts !== undefined && { scripts: parts.scripts }),
    clock,
    log: parts.log,
  }
  const access: AccessParts = {
    authenticator: parts.authenticator,
    directory: parts.directory,
    sessions: parts.sessions,
  }
  const watchers = new Watchers(room)
  const running = new Running(room)
  const sockets = new WebSockets(room, watchers, running)
  const unsubscribe = parts.changes((change) => {
    // First what is known is forgotten, then it is asked anew.
    room.shares.forget(change)
    watchers.changed(change)
  })
  const deafen = parts.authenticator.onChange?.((accounts) => {
    watchers.endFallen(accounts)
    sockets.endFallen()
  })
  parts.onLimits?.((accounts) => watchers.limitsChanged(accounts))
  const door = new Door(room, {
    access: { ...access, appPasswords: parts.appPasswords },
    watchers,
    sockets,
    running,
  })
  return {
    handle: (incoming, response) => door.handle(incoming, response),
    upgrade: (incoming, socket, head) => door.upgrade(incoming, socket, head),
    close: () => {
      unsubscribe()
      deafen?.()
      watchers.close()
      sockets.close()
    },
  }
}
