import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { QuotaRule } from '#model/quota.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import type { MailboxViews } from '#server/imap/view/mailbox-views.ts'
import type { RecentMarks } from '#server/imap/view/recent.ts'
import type { ShownTexts } from '#server/imap/view/shown-texts.ts'
import type { AccountNames } from './account-names.ts'
import type { Counts, ImapLimits } from './limits.ts'
import type { ReadAhead } from './read-ahead.ts'

/** What all sessions of a process share. */
export interface ImapRoom {
  readonly store: MailboxStore
  readonly views: MailboxViews
  readonly recent: RecentMarks
  /** Absent: texts are read. */
  readonly search?: TextSearch
  readonly shownTexts: ShownTexts
  /** Names of other people; absent: nobody's mailboxes but one's own are to be had. */
  readonly names?: AccountNames
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: (accountId: AccountId) => QuotaRule
  /** Where JMAP's Session is, of now; undefined: nobody is told. */
  readonly jmapUrl?: () => string | undefined
  /** Facts for the audit; absent: nobody keeps them. */
  readonly events?: EventSink
  /** Where scripts of mailboxes are managed (RFC 6785 §2.1); absent: nowhere. */
  readonly sieveUrl?: string
  readonly readAhead: ReadAhead
  readonly authenticator: Authenticator
  readonly limits: ImapLimits
  readonly byAccount: Counts
  readonly clock: Clock
  readonly log: Log
}

/** What one listener says to its sessions. */
export interface ImapDoor {
  readonly hostname: string
  readonly identity: (() => TlsIdentity) | undefined
  readonly allowPlaintext: boolean
}
