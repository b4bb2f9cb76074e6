import type { Blobs } from '#store/blob/blobs.ts'
import type { MetaParser } from '#store/mailbox/rows/content.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'
import type { HeldMailboxes } from './held.ts'

export interface Place {
  readonly account: AccountWork
  readonly mid: number
}

/** What messages are read from. */
export interface Source {
  readonly sql: Sql
  readonly blobs: Blobs
  /** Makes a parser for one message whose meta is damaged. */
  readonly parser: () => MetaParser
  /** Told of a mailbox when an expunged row of it is read. */
  readonly held: HeldMailboxes
}
