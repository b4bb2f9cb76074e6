import type { AccountId } from '#model/account.ts'
import type { EmailTexts } from '#store/mailbox/text-source.ts'
import type { SearchQuery } from './query.ts'

/** Numbers that the index does not cover: from `from` to before `to`, without an end where there is none. */
export interface IndexGap {
  readonly from: number
  readonly to?: number
}

export interface SearchFound {
  /** Email numbers, ascending. */
  readonly found: Uint32Array
  /** Those that the index cannot decide: their texts are longer than what is indexed. */
  readonly unsure: Uint32Array
  /** Emails below this number are decided; later ones are not indexed yet. */
  readonly upTo: number
  /** Set where the time was up: ask again with it as `after`. */
  readonly next?: number
}

export interface IndexStatus {
  readonly accounts: number
  readonly segments: number
  readonly bytes: number
}

/**
 * Full-text search over emails, by account. It holds no truth: what it loses is indexed again, and what
 * it does not know is searched by reading. Its answers are exact. Methods throw Fault `io`, `full`.
 */
export interface SearchIndex {
  /** The first gap of each account's numbers. */
  gaps(ask: { readonly accountIds: readonly AccountId[] }): Promise<{
    readonly gaps: readonly IndexGap[]
  }>
  /**
   * Takes the emails numbered from `from` to before `to`, those that are there. False where `from` is not
   * the beginning of a gap. They are found and kept once `flush` has ended.
   */
  add(part: {
    readonly accountId: AccountId
    readonly from: number
    readonly to: number
    readonly emails: readonly EmailTexts[]
  }): Promise<{ readonly taken: boolean }>
  flush(ask: { readonly accountId: AccountId }): Promise<void>
  /** Among the emails of `within`, or all; above `after`. */
  find(ask: {
    readonly accountId: AccountId
    readonly query: SearchQuery
    readonly within?: Uint32Array
    readonly after?: number
  }): Promise<SearchFound>
  /** Says which emails are left of those numbered from `from` to before `to`; the others go by and by. */
  keep(ask: {
    readonly accountId: AccountId
    readonly from: number
    readonly to: number
    readonly emailNumbers: Uint32Array
  }): Promise<{ readonly dead: number }>
  /** Accounts with an index after that one, in the order of the index's own. */
  accounts(ask: { readonly after?: AccountId; readonly limit: number }): Promise<{
    readonly accountIds: readonly AccountId[]
  }>
  /** Forgets an account: it is gone, or is to be indexed anew. */
  forget(ask: { readonly accountId: AccountId }): Promise<void>
  status(): Promise<IndexStatus>
  /** True where nothing is being written in the background. */
  resting(): Promise<boolean>
}
