import { mainAddressOf } from '#model/account.ts'
import type { Account, FormerAddress } from '#model/account.ts'
import type { Moment } from '#model/account-life.ts'
import { DAY_MS } from '#base/time.ts'
import { addressKey, equalAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { factsAfter, withoutFacts } from '#model/person-facts.ts'
import type { BulkChange } from '#model/plan.ts'

/** The account under another main address; the one of before still takes mail, and is kept from others. */
export function renamed(account: Account, to: Address, moment: Moment): Account {
  const before = mainAddressOf(account)
  if (addressKey(before) === addressKey(to)) return account
  const others = (account.formerAddresses ?? []).filter(
    ({ address }) => !equalAddress(address, to) && !equalAddress(address, before),
  )
  return {
    ...account,
    username: to.localpart,
    domain: to.domain,
    addresses: account.addresses.filter((address) => !equalAddress(address, to)),
    formerAddresses: [...others, formerOf(before, moment)],
  }
}

/** An address that is given up at this moment. */
export const formerOf = (address: Address, { nowMs, rules }: Moment): FormerAddress => ({
  address,
  keptUntil: new Date(nowMs + rules.formerAddressDays * DAY_MS).toISOString(),
  reservedUntil: monthsAfter(nowMs, rules.addressReservedMonths),
})

/** Without an address of before, which others may have from now on. */
export function released(account: Account, address: Address): Account {
  const { formerAddresses = [], ...rest } = account
  const left = formerAddresses.filter((former) => !equalAddress(former.address, address))
  return left.length === 0 ? rest : { ...rest, formerAddresses: left }
}

/** Nobody logs in and nothing arrives, but all is kept. */
export const deleted = (account: Account, { nowMs }: Moment): Account => ({
  ...account,
  deletedAt: new Date(nowMs).toISOString(),
})

export function undeleted(account: Account): Account {
  const { deletedAt: _, ...rest } = account
  return rest
}

/** When it is deleted for good. */
export const goneAtMs = ({ deletedAt }: Account, { rules }: Moment): number | undefined =>
  deletedAt === undefined ? undefined : Date.parse(deletedAt) + rules.undeleteDays * DAY_MS

/** The account as a change of many makes it. */
export function bulkChanged(account: Account, change: BulkChange, moment: Moment): Account {
  const { addTags = [], removeTags = [], startsOn, expiresOn, disabled, quota } = change
  const left = (account.tags ?? []).filter((tag) => !removeTags.includes(tag))
  const hasTags = addTags.length > 0 || removeTags.length > 0
  const facts = factsAfter(account, {
    startsOn,
    expiresOn,
    ...(hasTags && { tags: [...left, ...addTags.filter((tag) => !left.includes(tag))] }),
  })
  const changed = {
    ...withoutFacts(account),
    ...facts,
    ...(disabled !== undefined && { disabled }),
    ...(quota !== undefined && { quota: { ...account.quota, ...quota } }),
  }
  return change.delete === true ? deleted(changed, moment) : changed
}

function monthsAfter(ms: number, months: number): string {
  const date = new Date(ms)
  date.setUTCMonth(date.getUTCMonth() + months)
  return date.toISOString()
}
