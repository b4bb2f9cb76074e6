import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { convert, withoutForwards } from '#engine/route/convert.ts'
import type { NamedTarget } from '#engine/route/convert.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import type { Directory } from '#store/directory/directory.ts'

/** Who gets the mail: an account here, and addresses elsewhere that an alias or a forward named. */
export interface Destination {
  readonly recipient: Address
  readonly accounts: readonly AccountId[]
  readonly elsewhere: readonly Address[]
  /** Mailing lists that it is for, each once, and by which of their addresses; absent: none. */
  readonly lists?: readonly DestinedList[]
  /** What its sender asked to hear of (RFC 3461 §4); scripts may ask. */
  readonly dsn?: Omit<Recipient, 'address'>
  /** All of it leaves: the account keeps nothing, its outbox carries it. */
  readonly leaves?: true
}

/** A list, and the address that it was called by, with what stood behind a plus. */
export interface DestinedList extends NamedTarget {
  readonly address: Address
}

/** Where a recipient's mail goes by the directory as it stands; the reply where it can go nowhere from here. */
export function destinationOf(
  address: Address,
  directory: Directory,
  mail: {
    /** Aliases and forwards were followed already, by a joined gateway or a queue: what is left is the account itself. */
    readonly isExpanded: boolean
  },
): Outcome<Destination, Reply> {
  const converted = convert(address, directory)
  if (!converted.ok)
    return err({ code: 554, status: '5.4.6', text: 'The address leads back to itself' })
  const { targets } = converted.value
  const accounts = targets.flatMap((target) =>
    target.accountId === undefined ? [] : [target.accountId],
  )
  if (mail.isExpanded) {
    const own = ownAccount(address, directory, () => undefined)
    if (own !== undefined) return ok({ recipient: address, accounts: [own], elsewhere: [] })
  }
  const elsewhere = targets
    .filter((target) => target.class === 'remote' || target.class === 'relay')
    .map((target) => target.address)
  const lists = targets.flatMap(({ address: as, list }) =>
    list === undefined ? [] : [{ ...list, address: as }],
  )
  const isOurs = directory.domain(address.domain) !== undefined
  if (isOurs && accounts.length === 0 && lists.length === 0 && elsewhere.length > 0) {
    const forwarding = ownAccount(address, directory, directory.alias.bind(directory))
    if (forwarding !== undefined)
      return ok({ recipient: address, accounts: [forwarding], elsewhere, leaves: true })
  }
  // Mail that would only pass through belongs to a gateway: here is no queue for it.
  if (!isOurs || (accounts.length === 0 && lists.length === 0))
    return err({
      code: 550,
      status: '5.1.1',
      text: `<${formatAddress(address)}>: no such mailbox here`,
    })
  return ok({ recipient: address, accounts, elsewhere, ...(lists.length > 0 && { lists }) })
}

/** The account of an address after conversion, forwards left aside. */
function ownAccount(
  address: Address,
  directory: Directory,
  alias: Directory['alias'],
): AccountId | undefined {
  // Who has left takes mail that was taken before, and carries what is sent on after it.
  const converted = convert(address, { ...withoutForwards(directory), alias })
  if (!converted.ok) return undefined
  return converted.value.targets.find(({ accountId }) => accountId !== undefined)?.accountId
}
