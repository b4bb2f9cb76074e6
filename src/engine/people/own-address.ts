import { DAY_MS } from '#base/time.ts'
import type { OwnEnd } from '#contract/admin/choices.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { isKept, isReserved } from '#model/account-life.ts'
import type { Moment } from '#model/account-life.ts'
import { addressKey, equalAddress, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Choices } from '#model/choices.ts'
import { roleOf } from '#model/role.ts'
import type { Settings } from '#store/settings/table.ts'
import { formerOf } from './account-change.ts'

type Rules = Pick<
  Settings,
  | 'ownAddress.who'
  | 'ownAddress.max'
  | 'ownAddress.changeDays'
  | 'ownAddress.lengthMin'
  | 'ownAddress.patterns'
  | 'ownAddress.reserved'
>

/** Whether the settings let this person choose an address. */
export const mayChoose = (account: Account, rules: Rules): boolean =>
  rules['ownAddress.who'].some(
    (word) =>
      word === '*' ||
      word === `@${account.domain}` ||
      word === `role:${roleOf(account)}` ||
      account.tags?.includes(word) === true,
  )

/** Before that none is chosen or changed. */
export const changesFromMs = ({ choseAt }: Choices, rules: Rules): number =>
  choseAt === undefined ? 0 : Date.parse(choseAt) + rules['ownAddress.changeDays'] * DAY_MS

interface Owner {
  readonly account: Account
  readonly choices: Choices
}

/** The account with an address of its owner's choice, in the place of another one or besides; or why not. */
export function withOwnAddress(
  { account, choices }: Owner,
  claim: { readonly address: Address; readonly instead?: Address | undefined },
  { rules, moment }: { readonly rules: Rules; readonly moment: Moment },
): Owner | OwnEnd {
  const { address, instead } = claim
  if (!mayChoose(account, rules))
    return { end: 'policy', message: 'the settings let nobody of your kind choose an address' }
  const fromMs = changesFromMs(choices, rules)
  if (fromMs > moment.nowMs) {
    const from = new Date(fromMs).toISOString()
    return { end: 'tooSoon', message: `the next change can be made from ${from} on`, from }
  }
  const fault = localpartFault(address, account, rules)
  if (fault !== undefined) return fault
  const chosen = choices.chosen ?? []
  if (instead !== undefined && !chosen.some((each) => equalAddress(each.address, instead)))
    return { end: 'notFound', message: `${formatAddress(instead)} was not chosen by you` }
  const left = chosen.filter(
    (each) => instead === undefined || !equalAddress(each.address, instead),
  )
  if (left.length >= rules['ownAddress.max'])
    return { end: 'limit', message: `you have ${left.length} addresses of your choice, the most` }
  if ([mainAddressOf(account), ...account.addresses].some((each) => equalAddress(each, address)))
    return { end: 'taken', message: `${formatAddress(address)} is yours already` }
  const now = new Date(moment.nowMs).toISOString()
  const without = instead === undefined ? account : withoutAddress(account, instead, moment)
  if (hasTooManyFormer(without)) return TOO_MANY_FORMER
  const former = (without.formerAddresses ?? []).filter(
    (each) => !equalAddress(each.address, address),
  )
  const { formerAddresses: _, ...rest } = without
  return {
    account: {
      ...rest,
      addresses: [...without.addresses, address],
      ...(former.length > 0 && { formerAddresses: former }),
    },
    choices: { ...choices, chosen: [...left, { address, since: now }], choseAt: now },
  }
}

/** Without one of the addresses of the owner's choice: it still takes mail, and stays reserved. */
export function withoutOwnAddress(
  { account, choices }: Owner,
  address: Address,
  moment: Moment,
): Owner | OwnEnd {
  const chosen = choices.chosen ?? []
  const left = chosen.filter((each) => !equalAddress(each.address, address))
  if (left.length === chosen.length)
    return { end: 'notFound', message: `${formatAddress(address)} was not chosen by you` }
  const without = withoutAddress(account, address, moment)
  if (hasTooManyFormer(without)) return TOO_MANY_FORMER
  const { chosen: _, ...rest } = choices
  const choseAt = new Date(moment.nowMs).toISOString()
  return {
    account: without,
    choices: { ...rest, ...(left.length > 0 && { chosen: left }), choseAt },
  }
}

const withoutAddress = (account: Account, address: Address, moment: Moment): Account => ({
  ...account,
  addresses: account.addresses.filter((each) => !equalAddress(each, address)),
  formerAddresses: [
    ...(account.formerAddresses ?? []).filter(
      (each) =>
        !equalAddress(each.address, address) && (isKept(each, moment) || isReserved(each, moment)),
    ),
    formerOf(address, moment),
  ],
})

/** Of one person: each keeps a name from everybody else. */
const FORMER_MAX = 50

const hasTooManyFormer = ({ formerAddresses = [] }: Account): boolean =>
  formerAddresses.length > FORMER_MAX
const TOO_MANY_FORMER: OwnEnd = {
  end: 'limit',
  message: `${FORMER_MAX} addresses of before are kept for you, the most`,
}

const LOCALPART = /^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*$/
const LOCALPART_MAX = 64

function localpartFault(address: Address, account: Account, rules: Rules): OwnEnd | undefined {
  const { localpart, domain } = address
  if (domain !== account.domain)
    return { end: 'pattern', message: `the address has to end with @${account.domain}` }
  const least = rules['ownAddress.lengthMin']
  if (localpart.length < least || localpart.length > LOCALPART_MAX)
    return { end: 'pattern', message: `${least} to ${LOCALPART_MAX} characters before the @` }
  const patterns = rules['ownAddress.patterns']
  // Whatever a pattern says: an address that looks like another one is no one's choice.
  const isPlain = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(localpart)
  if (patterns.length === 0 ? !LOCALPART.test(localpart) : !isPlain || !isLike(localpart, patterns))
    return {
      end: 'pattern',
      message:
        patterns.length === 0
          ? 'small letters and digits, with single dots, hyphens and underscores between them, a letter first'
          : `it has to be like ${patterns.join(' or ')}`,
    }
  const bare = localpart.replaceAll(/[._-]/g, '')
  const reserved = rules['ownAddress.reserved']
  const words = reserved.map((each) => each.toLowerCase())
  const isReserved =
    isLike(localpart, words) ||
    words.some((each) => !each.includes('*') && each.replaceAll(/[._-]/g, '') === bare)
  return isReserved
    ? { end: 'reserved', message: `${addressKey(address)} is kept for the office` }
    : undefined
}

/** Whether a text is like one of these: `*` anything, `?` a character, `#` a digit. Takes length × length steps at most. */
export const isLike = (text: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => matches(text, pattern))

function matches(text: string, pattern: string): boolean {
  let [at, from, star, back] = [0, 0, -1, 0]
  while (at < text.length) {
    const sign = pattern[from]
    if (sign === '*') {
      star = from++
      back = at
    } else if (
      sign !== undefined &&
      (sign === '?' || (sign === '#' ? /\d/.test(text[at]!) : sign === text[at]))
    ) {
      at++
      from++
    } else if (star >= 0) {
      from = star + 1
      at = ++back
    } else return false
  }
  while (pattern[from] === '*') from++
  return from === pattern.length
}
