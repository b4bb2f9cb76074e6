import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { QuotaRule } from '#model/quota.ts'
import { Admission } from '#net/admission.ts'
import { openDoor } from '#net/door.ts'
import { endFallen } from '#store/directory/standing.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-view.ts'
import type { LoginListener, LoginListenerOptions } from '#server/login-listener.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import type { AccountNames } from './session/account-names.ts'
import { Conversation } from './conversation.ts'
import { Counts, IMAP_LIMITS } from './session/limits.ts'
import type { ImapLimits } from './session/limits.ts'
import { ImapSession } from './session/session.ts'
import type { ImapRoom } from './session/room.ts'
import { MailboxViews } from './view/mailbox-views.ts'
import { ReadAhead } from './session/read-ahead.ts'
import { RecentMarks } from './view/recent.ts'
import { ShownTexts } from './view/shown-texts.ts'

export interface ImapListenerOptions extends LoginListenerOptions {
  readonly tls?: 'starttls' | 'implicit'
  /** Shared by all listeners of a process, so that each mailbox has one view in it. */
  readonly shared: ImapShared
}

/** Views and counts of one process. */
export interface ImapShared {
  readonly store: MailboxStore
  readonly views: MailboxViews
  readonly search?: TextSearch
  readonly recent: RecentMarks
  readonly shownTexts: ShownTexts
  readonly names?: AccountNames
  readonly quotaOf?: (accountId: AccountId) => QuotaRule
  readonly jmapUrl?: () => string | undefined
  readonly events?: EventSink
  readonly sieveUrl?: string
  readonly readAhead: ReadAhead
  readonly limits: ImapLimits
  readonly byAccount: Counts
  readonly admission: Admission
  close(): void
}

export function imapShared(options: {
  readonly store: MailboxStore
  readonly search?: TextSearch
  /** Names of other people; absent: nobody's mailboxes but one's own are to be had. */
  readonly names?: AccountNames
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: (accountId: AccountId) => QuotaRule
  /** Where JMAP's Session is; undefined: nobody is told. */
  readonly jmapUrl?: () => string | undefined
  /** Facts for the audit; absent: nobody keeps them. */
  readonly events?: EventSink
  /** Where scripts of mailboxes are managed (RFC 6785 §2.1); absent: nowhere. */
  readonly sieveUrl?: string | undefined
  readonly changes: (listener: (change: MailboxChanged) => void) => () => void
  readonly limits?: Partial<ImapLimits>
  /** The setting of now; `limits` has it once and for all. */
  readonly messageBytesMax?: () => number
}): ImapShared {
  const shownTexts = new ShownTexts()
  const views = new MailboxViews(options.store, options.changes, (view) => shownTexts.forget(view))
  return {
    store: options.store,
    views,
    recent: new RecentMarks(options.store),
    ...(options.search !== undefined && { search: options.search }),
    shownTexts,
    ...(options.names !== undefined && { names: options.names }),
    ...(options.quotaOf !== undefined && { quotaOf: options.quotaOf }),
    ...(options.jmapUrl !== undefined && { jmapUrl: options.jmapUrl }),
    ...(options.events !== undefined && { events: options.events }),
    ...(options.sieveUrl !== undefined && { sieveUrl: options.sieveUrl }),
    get limits() {
      const bytesMax = options.messageBytesMax?.()
      return {
        ...IMAP_LIMITS,
        ...options.limits,
        ...(bytesMax === undefined ? {} : { messageBytesMax: bytesMax }),
      }
    },
    readAhead: new ReadAhead(),
    byAccount: new Counts(),
    admission: new Admission(),
    close: () => views.close(),
  }
}

/** Listens for IMAP (RFC 3501). Throws Fault `config` where the place cannot be had. */
export async function serveImap(options: ImapListenerOptions): Promise<LoginListener> {
  const { shared } = options
  const room: ImapRoom = {
    store: shared.store,
    views: shared.views,
    recent: shared.recent,
    ...(shared.search !== undefined && { search: shared.search }),
    shownTexts: shared.shownTexts,
    ...(shared.names !== undefined && { names: shared.names }),
    ...(shared.quotaOf !== undefined && { quotaOf: shared.quotaOf }),
    ...(shared.jmapUrl !== undefined && { jmapUrl: shared.jmapUrl }),
    ...(shared.events !== undefined && { events: shared.events }),
    ...(shared.sieveUrl !== undefined && { sieveUrl: shared.sieveUrl }),
    readAhead: shared.readAhead,
    authenticator: options.authenticator,
    get limits() {
      return shared.limits
    },
    byAccount: shared.byAccount,
    clock: options.clock,
    log: options.log,
  }
  const door = await openDoor({
    ...options,
    name: 'imap',
    admission: shared.admission,
    limits: () => shared.limits,
    tooMany: '* BYE [LIMIT] Too many connections\r\n',
    open: (client) => {
      const allowPlaintext =
        typeof options.allowPlaintext === 'function'
          ? options.allowPlaintext(client.ip)
          : (options.allowPlaintext ?? false)
      const { hostname, identity } = options
      const session = new ImapSession(room, { hostname, identity, allowPlaintext }, client)
      return {
        session,
        run: () => new Conversation(session).run(),
        bye: () => session.bye('Server shuts down'),
      }
    },
  })
  const stopLooking = endFallen(door.sessions, {
    ...options,
    accountOf: ({ session }) => session.account,
    end: ({ session }) => session.bye('This login may not be used any longer'),
  })
  return {
    port: door.port,
    connections: () => door.connections(),
    close: (graceMs) => {
      stopLooking()
      return door.close(graceMs)
    },
  }
}
