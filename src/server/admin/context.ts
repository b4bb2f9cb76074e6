import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { SearchStatus } from '#contract/node/search.ts'
import type { ScriptImport, ScriptsImported } from '#engine/deliver/imported-scripts.ts'
import type { Scripts } from '#engine/deliver/scripts.ts'
import type { PostDesk } from '#engine/list/desk.ts'
import type { AccountUpkeep } from '#engine/people/account-upkeep.ts'
import type { Calendar } from '#engine/people/calendar.ts'
import type { HomeKeeper } from '#engine/home/home-keeper.ts'
import type { ListFilters } from '#engine/people/list-filters.ts'
import type { SourceState } from '#engine/people/source-keeper.ts'
import type { SourceReading } from '#engine/people/gather.ts'
import type { Keeping } from '#engine/retention/keeping.ts'
import type { AccountId } from '#model/account.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import type { JoiningRole } from '#model/node.ts'
import type { Role } from '#model/role.ts'
import type { Verdict } from '#model/verdict.ts'
import type { ApiTokenShelf } from '#store/directory/api-token-shelf.ts'
import type { ApiTokens } from '#store/directory/api-tokens.ts'
import type { AppPasswordUses } from '#store/directory/app-password-uses.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'
import type { SessionShelf } from '#store/directory/session-shelf.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { EventIndex } from '#store/events/event-index.ts'
import type { RegisteredNode } from '#store/nodes/node-registry.ts'
import type { SettingsStore } from '#store/settings/generations.ts'
import type { SettingsMaster } from '#store/settings/settings-master.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'
import { ApiError } from './errors.ts'

/** What a node tells of itself; server/node's NodeStatus has this shape. */
interface NodeView {
  readonly node: NodeId
  readonly role: string
  readonly connected: boolean
  readonly state: string
  readonly reason?: string
  readonly version?: string
  readonly pid?: number
  readonly lastBeatMs?: number
  readonly generation?: number
  readonly hash?: string
  readonly seq?: number
  readonly error?: string
}

export interface SieveIssue {
  readonly line?: number
  readonly message: string
}

/** Checks and tries scripts; app gives the engine. */
export interface SieveBench {
  check(script: string): Promise<readonly SieveIssue[]>
  test(ask: {
    readonly script: string
    readonly message: Octets
    readonly envelope: { readonly from: string; readonly to: string }
  }): Promise<{
    readonly errors: readonly SieveIssue[]
    readonly actions: readonly {
      readonly kind: string
      readonly mailbox?: string
      readonly address?: string
      readonly flags?: readonly string[]
      readonly text?: string
      readonly subject?: string
      readonly seconds?: number
      readonly fcc?: string
    }[]
    readonly unsent?: readonly string[]
  }>
}

/** Users' scripts on a store; who changes something stands in the event that tells of it. */
export type RemoteScripts = Pick<Scripts, 'list' | 'get'> & {
  [Act in 'put' | 'activate' | 'remove' | 'rename']: (
    ask: Parameters<Scripts[Act]>[0] & { readonly by: string },
  ) => ReturnType<Scripts[Act]>
} & {
  bringIn(ask: ScriptImport & { readonly by: string }): Promise<ScriptsImported>
}

/** What a store's mailboxes keep, with who changes it. */
export type RemoteKeeping = Pick<Keeping, 'list' | 'acl' | 'gone' | 'damaged' | 'usages'> & {
  [Act in 'grant' | 'retain' | 'expire' | 'undelete' | 'recount']: (
    ask: Parameters<Keeping[Act]>[0] & { readonly by: string },
  ) => ReturnType<Keeping[Act]>
}

/** A store's search index; who has it made anew stands in the event that tells of it. */
export interface RemoteSearch {
  status(): Promise<SearchStatus>
  rebuild(ask: { readonly accountId: AccountId; readonly by: string }): Promise<void>
}

/** Everything that the API stands on; made by app. */
export interface AdminDeps {
  readonly version: string
  readonly clock: Clock
  /** SHA-256 of each token in hex, with the name that its acts are recorded under, and what it may do. */
  readonly tokens: readonly {
    readonly name: string
    readonly sha256: string
    readonly role?: Role
  }[]
  /** Those that were made since; absent: none can be made. */
  readonly apiTokens?: ApiTokens
  readonly tokenLog?: Pick<ApiTokenShelf, 'tokenHistory'>
  /** Checks administrators' passwords, and slows guessing. */
  readonly authenticator: Authenticator
  /** Where sessions of the console outlive a restart. */
  readonly sessionShelf?: SessionShelf
  /** When app passwords were used last; absent: nobody knows. */
  readonly uses?: Pick<AppPasswordUses, 'usesOf'>
  readonly directory: DirectoryMaster
  readonly directoryLog: Pick<DirectoryLog, 'history'>
  readonly settings: SettingsMaster
  readonly settingsStore: Pick<SettingsStore, 'generation' | 'history'>
  readonly hub: {
    nodes(): readonly NodeView[]
    settled(): Promise<readonly { readonly node: string; readonly reason: string }[]>
    forget(node: string): void
  }
  /** The nodes that have joined and may join; server/node's NodeBook has this shape. */
  readonly nodes: {
    readonly nodes: readonly RegisteredNode[]
    issue(ask: {
      readonly name: string
      readonly role: JoiningRole
    }): Promise<{ readonly token: string; readonly expiresAtMs: number }>
    drain(name: string, draining: boolean): Promise<boolean>
    remove(name: string): Promise<boolean>
  }
  /** Other directories whose people are ours. */
  /** What time does to accounts. */
  readonly upkeep?: Pick<AccountUpkeep, 'state' | 'run'>
  /** What day it is for accounts; absent: the clock's. */
  readonly calendar?: Pick<Calendar, 'doubt'>
  readonly sources?: {
    states(): readonly SourceState[]
    readings(): readonly SourceReading[]
    read(name: string, options?: { readonly accept?: boolean }): Promise<boolean>
  }
  /** Whom filters among members of lists name. */
  readonly filters?: Pick<ListFilters, 'ask'>
  /** Where the directory's rows have their home. */
  readonly home?: Pick<HomeKeeper, 'state' | 'servers' | 'move' | 'back' | 'accept'>
  /** The queues of all nodes that have one, through the node API. */
  queues(): readonly {
    readonly node: string
    readonly queue: Pick<SpoolStore, 'list' | 'show' | 'act' | 'status'>
  }[]
  /** The scripts of an account, by the store that holds it. */
  scripts(accountId: AccountId): { readonly node: string; readonly scripts: RemoteScripts }
  /** The mailboxes of all accounts, by the store that holds them. */
  keeping(): { readonly node: string; readonly keeping: RemoteKeeping }
  /** Posts of mailing lists, by the store that holds them. */
  posts(): { readonly node: string; readonly posts: PostDesk }
  /** The search index of all accounts, by the store that holds them. */
  search(): { readonly node: string; readonly search: RemoteSearch }
  readonly index: EventIndex
  /** TXT records of a name, asked anew; undefined: nobody could tell now. */
  readonly texts: (name: string) => Promise<readonly string[] | undefined>
  /** Judges a message that was uploaded. */
  readonly scan?: (message: Octets) => Promise<Verdict>
  readonly sieve?: SieveBench
}

export type AdminServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Who asks: set once the token is checked. */
export const AUTHOR = Symbol('author')
/** True where a session in a browser asks, and no token. */
export const BY_SESSION = Symbol('bySession')
/** Whose session it is. */
export const ACCOUNT = Symbol('account')
/** What whoever asks may do. */
export const ROLE = Symbol('role')

export interface Author {
  readonly who: string
  readonly from: string
}

export function authorOf(request: FastifyRequest): Author {
  const author = (request as unknown as { [AUTHOR]?: Author })[AUTHOR]
  if (author === undefined) throw new ApiError('unauthorised', 'no token', 'Send a bearer token.')
  return author
}

export const isBySession = (request: FastifyRequest): boolean =>
  (request as unknown as { [BY_SESSION]?: boolean })[BY_SESSION] === true

/** The account of a session; undefined: a program asks, by token. */
export const accountOfRequest = (request: FastifyRequest): AccountId | undefined =>
  (request as unknown as { [ACCOUNT]?: AccountId })[ACCOUNT]

/** A user, who may nothing here, where nobody has been asked who it is. */
export const roleOfRequest = (request: FastifyRequest): Role =>
  (request as unknown as { [ROLE]?: Role })[ROLE] ?? 'user'

/** The value, or the refusal as the API's error. */
export function taken<T>(
  outcome: Outcome<T, { readonly code: string; readonly message: string; readonly remedy: string }>,
): T {
  if (outcome.ok) return outcome.value
  const { code, message, remedy } = outcome.error
  throw new ApiError(code, message, remedy)
}

export const isoTime = (ms: number): string => new Date(ms).toISOString()

export const eventBody = ({ atMs, ...record }: EventRecord) => ({ ...record, at: isoTime(atMs) })

/** The generation that the editor has seen, from If-Match (RFC 9110 §13.1.1). */
export function baseOf(request: FastifyRequest): { readonly base?: number } {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return {}
  const match = /^"(\d+)"$/.exec(header)
  if (match === null)
    throw new ApiError('invalid', `If-Match ${header} names no generation`, 'Send If-Match: "N".')
  return { base: Number(match[1]) }
}
