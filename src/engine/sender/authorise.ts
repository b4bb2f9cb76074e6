import { fromLatin1, toUtf8 } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { ADDRESSES_MAX, parseAddressList } from '#codec/mime/address-list.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { isKept } from '#model/account-life.ts'
import { addressKey, equalAddress, parseAddress, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { maySendAsList } from '#model/list.ts'
import type { HeaderAddress } from '#model/message.ts'
import type { Directory } from '#store/directory/directory.ts'

const CONVERSIONS_MAX = 32
/** Every field that says who wrote or sent a message (RFC 5322 §3.6.2, RFC 5322 §3.6.6). */
const SENDER_FIELDS: readonly string[] = ['from', 'sender', 'resent-from', 'resent-sender']

/** The text of a refusal, for the person who sends. */
export type Unauthorised = string

export type SenderDirectory = Pick<Directory, 'domain' | 'moment' | 'listByAddress'>

/**
 * May this account send under the address? Its own and its delegated addresses, and those of lists that
 * let it, with or without `+detail`, in their domain or in one that is converted to it.
 */
export function maySendAs(account: Account, address: Address, directory: SenderDirectory): boolean {
  const own: readonly Address[] = [
    mainAddressOf(account),
    ...account.addresses,
    ...account.delegated,
    // Programs that still write the name of before.
    ...(account.formerAddresses ?? [])
      .filter((former) => isKept(former, directory.moment))
      .map((former) => former.address),
  ]
  let tried = address
  for (let i = 0; i < CONVERSIONS_MAX; i++) {
    const plain = withoutDetail(tried)
    if (own.some((mine) => equalAddress(mine, tried) || equalAddress(mine, plain))) return true
    const named = directory.listByAddress(plain)
    if (named?.purpose === 'post' && maySendAsList(named.list, account.id)) return true
    const convertTo = directory.domain(tried.domain)?.convertTo
    if (convertTo === undefined) return false
    tried = { ...tried, domain: convertTo }
  }
  return false
}

/**
 * Where what comes back of a mail goes: for who sends as a list to the person, since a list would take a
 * bounce for no post, and nobody would hear of it.
 */
export const bounceAddressOf = (
  account: Account,
  address: Address,
  directory: Pick<Directory, 'listByAddress'>,
): Address =>
  directory.listByAddress(withoutDetail(address)) === undefined ? address : mainAddressOf(account)

/** Every address of every sender field must be one that the account may use; fields that are absent are not asked for. */
export function authoriseHeader(
  account: Account,
  fields: readonly HeaderField[],
  directory: SenderDirectory,
): Outcome<void, Unauthorised> {
  for (const field of fields) {
    if (!SENDER_FIELDS.includes(field.key)) continue
    const list = parseAddressList(toUtf8(fromLatin1(field.value)))
    // The parser stops there: nobody hides behind the end of a list.
    if (list.length >= ADDRESSES_MAX) return err(`${field.name} names too many addresses`)
    if (list.length === 0 && field.value !== '') return err(`${field.name} names no address`)
    for (const named of list) {
      if (named.host === undefined) continue // begin or end of a group (RFC 6854 §2)
      const address = addressOf(named)
      if (address === undefined || !maySendAs(account, address, directory))
        return err(refusal(account, `${field.name}: ${shown(named)}`))
    }
  }
  return ok(undefined)
}

/** The text that refuses a sender address to an account. */
export const refusal = (account: Account, what: string): Unauthorised =>
  `${oneLine(what, 200)} is not an address of ${account.username}: use one of your own`

function addressOf(named: HeaderAddress): Address | undefined {
  const plain = parseAddress(`${named.mailbox ?? ''}@${named.host ?? ''}`)
  if (plain.ok) return plain.value
  const quoted = (named.mailbox ?? '').replace(/["\\]/g, '\\$&')
  const again = parseAddress(`"${quoted}"@${named.host ?? ''}`)
  return again.ok ? again.value : undefined
}

const shown = (named: HeaderAddress): string => {
  const address = addressOf(named)
  return address === undefined ? (named.name ?? named.mailbox ?? 'it') : addressKey(address)
}
