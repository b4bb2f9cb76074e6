import type { AccountId } from '#model/account.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** What a delivery needs of the mailboxes, here or on another machine. Every commit has a delivery id. */
export interface DeliveryMailboxes extends Pick<
  MailboxStore,
  'openLarge' | 'appendLarge' | 'abortLarge' | 'commit' | 'filing' | 'remembered'
> {
  /** One of the account's scripts, for another that includes it. */
  script(ask: {
    readonly accountId: AccountId
    readonly name: string
  }): Promise<{ readonly script: { readonly text: string } | undefined }>
  /** What its mailboxes are noted with, for scripts that ask; undefined: too much to be told. */
  annotations?(ask: {
    readonly accountId: AccountId
  }): Promise<{ readonly annotations?: readonly ScriptAnnotation[] | undefined }>
  /** Whether its quota has room for so many octets, as far as that can be known before they come. */
  hasRoom?(ask: RoomAsk): Promise<{ readonly hasRoom: boolean }>
}

export interface RoomAsk {
  readonly accountId: AccountId
  /** As the peer declared it; 0: it did not. */
  readonly sizeBytes: number
  /** A delivery that is filed already has its room. */
  readonly copyId?: string
}

/** A note on one of an account's mailboxes, or on the server where none is named (RFC 5464). */
export interface ScriptAnnotation {
  /** `/` between its components. */
  readonly mailbox?: string
  readonly entry: string
  readonly value: string
}
