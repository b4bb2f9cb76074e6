import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import type { AccountId } from '#model/account.ts'
import type { Address } from '#model/address.ts'
import type { EventSink } from '#model/event.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

import type { DmarcDemands } from './dmarc-demand.ts'
import type { ListMailboxes } from './list-store.ts'
import type { Reach } from './reach.ts'

/** What the work on mail of lists needs. */
export interface ListParts {
  readonly mailboxes: ListMailboxes
  readonly directory: Directory
  /** Whom a list reaches as the directory stands. */
  readonly reachOf: (list: MailingList) => Promise<Reach>
  readonly demands: Pick<DmarcDemands, 'of'>
  /** Has control change somebody's own place in a list; throws a Fault where it is away. */
  readonly membership: (act: MembershipActBody) => Promise<MembershipEnd>
  /** Where pages of lists are found, `https://mail.campus.example`; undefined: nowhere. */
  readonly pages: () => string | undefined
  /** Where people elsewhere reach those pages; undefined: nobody has said so. */
  readonly publicUrl: () => string | undefined
  /** Something may have come into the outbox. */
  readonly filed: () => void
  /** Unguessable, of letters and digits. */
  readonly newId: () => string
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Log
}

/** Days that a held post waits, and that a Message-ID is known by. */
export const HELD_DAYS = 14
export const DUPLICATE_DAYS = 7

/** Whose address it is, whatever alias or former name it is by. */
export function accountOfAddress(directory: Directory, address: Address): AccountId | undefined {
  return (directory.byAddress(address) ?? directory.byFormerAddress(address)?.account)?.id
}
