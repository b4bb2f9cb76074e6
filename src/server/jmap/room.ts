import type { Clock } from '#base/time.ts'
import type { ChoicesBody, OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import type { Log } from '#base/log.ts'
import type { ScriptsBy } from '#engine/deliver/told-scripts.ts'
import type { SieveLists } from '#engine/sieve/message.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { QuotaRule } from '#model/quota.ts'
import type { EventSink } from '#model/event.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import type { Args } from '#server/jmap/method/args.ts'
import type { EmailViews } from '#server/jmap/email/email-views.ts'
import type { KnownMetas } from '#server/jmap/email/known-metas.ts'
import type { Shares } from './shares.ts'
import type { JmapLimits } from './limits.ts'

/** Where people's choices are kept: by control, which everybody hears them from. */
export interface ChoicesBook {
  /** From this node's own copy: it is there while control is away. */
  view(account: Account): ChoicesBody
  /** Throws a Fault where control is away. */
  act(accountId: AccountId, act: OwnActBody): Promise<OwnEnd>
}

/** What all requests of a process share. */
export interface JmapRoom {
  readonly store: MailboxStore
  /** Absent: texts are read. */
  readonly search?: TextSearch
  readonly views: EmailViews
  readonly metas: KnownMetas
  readonly shares: Shares
  readonly directory: Pick<Directory, 'account' | 'domain' | 'moment' | 'listByAddress' | 'lists'>
  /** The lists that somebody's scripts may ask, for trials. */
  readonly lists?: (accountId: AccountId) => SieveLists
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: (accountId: AccountId) => QuotaRule
  /** What people want of their mail; absent: nothing is kept of it here. */
  readonly choices?: ChoicesBook
  /** Sieve scripts of one's own, as somebody changes them; absent: none are changed here. */
  readonly scripts?: ScriptsBy
  readonly limits: JmapLimits
  readonly hostname: string
  readonly newDeliveryId: () => string
  /** Facts for the trace. */
  readonly events: EventSink
  /** Told when mail waits in the outbox. */
  readonly submitted: () => void
  readonly clock: Clock
  readonly log: Log
}

/** Who asks of which account, and what method calls hand on to later ones. */
export interface Call {
  readonly room: JmapRoom
  /** Who asks. */
  readonly login: Entrant
  /** Whose mail it is: the login's own, or of somebody who shares it. */
  readonly account: Account
  readonly ip: string
  /** Creation ids with the ids that they got (RFC 8620 §5.3). */
  readonly createdIds: Map<string, string>
  /** Calls that follow this one by themselves, with its call id (RFC 8620 §3.4). */
  readonly following: { readonly name: string; readonly args: Record<string, unknown> }[]
  readonly signal: AbortSignal
  /** Capabilities that the request names: properties of others are unknown to it (RFC 8620 §1.8). */
  readonly using: readonly string[]
}

/** Whose mail, and who asks: what the store lets be seen and done. */
export const asked = ({ account, login }: Call): Asked => ({ accountId: account.id, by: login.id })

export const isShared = ({ account, login }: Call): boolean => account.id !== login.id

export type Answer = Readonly<Record<string, unknown>>

export interface Method {
  readonly name: string
  readonly capability: string
  /** Arguments beside accountId; another one is refused. */
  readonly args: readonly string[]
  /** Takes, among others, what whoever may look the mailbox up may change: whether they subscribe to it. */
  readonly readersToo?: true
  /** Changes the account (RFC 8620 §3.6.2: accountReadOnly). */
  readonly writes?: true
  /** Belongs to the login, not to an account (RFC 8620 §7.2). */
  readonly withoutAccount?: true
  readonly run: (call: Call, args: Args) => Promise<Answer>
}

export const CORE = 'urn:ietf:params:jmap:core'
export const MAIL = 'urn:ietf:params:jmap:mail'
/** Ours: how long mailboxes keep, and what was expunged. */
export const RETENTION = 'https://watari.example/jmap/retention'
/** RFC 9404 §3.1. */
export const BLOB = 'urn:ietf:params:jmap:blob'
/** RFC 9425 §2. */
export const QUOTA = 'urn:ietf:params:jmap:quota'
/** RFC 8621 §1.3.3. */
export const VACATION = 'urn:ietf:params:jmap:vacationresponse'
/** RFC 9661 §1.2.1. */
export const SIEVE = 'urn:ietf:params:jmap:sieve'
/** Ours: trials of scripts. */
export const SIEVE_TRIAL = 'https://watari.example/jmap/sievetrial'
export const SUBMISSION = 'urn:ietf:params:jmap:submission'
/** RFC 8887 §3. */
export const WEBSOCKET = 'urn:ietf:params:jmap:websocket'
