import type { Octets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'

/** The texts of an email as they stand in its octets, for who indexes them. */
export interface EmailTexts {
  /** What stands in its id (`emailIdOf`); emails of an account are numbered as they came. */
  readonly emailNumber: number
  /** Absent where its octets cannot be read. */
  readonly content?: {
    /** As `decodeMeta` takes it. */
    readonly meta: Octets
    /** What is put in front of the message, then its header, cut off at `HEAD_BYTES_MAX`. */
    readonly head: Octets
    /** Of `textPlaces`, in order. */
    readonly octets: readonly Octets[]
  }
}

/** What an index of texts is made from; it reads, and changes nothing. */
export interface TextSource {
  /**
   * Emails numbered from `from` to before `before`, as many as one answer holds; those from `from` to
   * before `to` are all told. Also what was expunged and can come back. `next` is given to the next email.
   */
  texts(ask: {
    readonly accountId: AccountId
    readonly from: number
    readonly before?: number
  }): Promise<{
    readonly emails: readonly EmailTexts[]
    readonly to: number
    readonly next: number
  }>
  /** Which email each message above a UID is, in UID order. A message is the same email for ever. */
  emailNumbers(ask: {
    readonly accountId: AccountId
    readonly by?: AccountId
    readonly mailboxId: MailboxId
    readonly aboveUid: Uid | 0
  }): Promise<{ readonly uids: Uint32Array; readonly emailNumbers: Float64Array }>
  /** Numbers from `from` on that are emails still, ascending; `to` as with `texts`. */
  keptEmails(ask: { readonly accountId: AccountId; readonly from: number }): Promise<{
    readonly emailNumbers: Uint32Array
    readonly to: number
    readonly next: number
  }>
  /** Accounts with the number of their next email, by name, after a name. */
  nextEmails(ask: { readonly after?: AccountId; readonly limit: number }): Promise<{
    readonly accounts: readonly { readonly accountId: AccountId; readonly next: number }[]
  }>
}
