import { domainToASCII } from 'node:url'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { LeaveAddresses, Verp } from '#model/envelope.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import { mark } from './list-key.ts'

/** How members of a list leave it by themselves; undefined: owners alone take them out. */
export function leaveOf(
  list: Pick<MailingList, 'id' | 'address' | 'leaving'>,
  pages: string | undefined,
): LeaveAddresses | undefined {
  if (list.leaving === 'owners') return undefined
  return {
    address: purposeAddress(list.address, 'leave'),
    ...(pages !== undefined && { pages }),
    list: list.id,
    page: encodeURIComponent(formatAddress(list.address)),
  }
}

/** The field as all members can read it (RFC 2369 §3.2): whoever follows it says who they are. */
export function leaveField({ address, pages, page }: LeaveAddresses): string {
  const ways = [`<mailto:${inUrl(address)}>`]
  if (pages !== undefined) ways.push(`<${pages}/lists/${page}>`)
  return `List-Unsubscribe: ${ways.join(',\r\n ')}`
}

/**
 * The fields of one member's copy: one click ends the membership (RFC 8058 §3.1), or an empty mail,
 * without a further question. Both bear a mark that others have not got.
 */
export function ownLeaveFields(
  { address, pages, list }: LeaveAddresses,
  key: string,
  member: Address,
): readonly string[] {
  const own = leaveMark(key, member)
  const mailto = `<mailto:${inUrl({ ...address, localpart: `${address.localpart}+${own}` })}>`
  if (pages === undefined) return [`List-Unsubscribe: ${mailto}`]
  const token = `${own}-${Buffer.from(formatAddress(member)).toString('base64url')}`
  return [
    `List-Unsubscribe: <${pages}${LEAVE_PATH}${list}/${token}>,\r\n ${mailto}`,
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  ]
}

/** Where one click leads; behind it stand the list's id and the token. */
export const LEAVE_PATH = '/unsubscribe/'

/** Good for as long as the list has its key: mails are read years after they came. */
const leaveMark = (key: string, member: Address): string =>
  mark(key, 'unsubscribe', addressKey(member))

/**
 * What a mail to many begins with as all get it, and what stands there in the copy of one member
 * elsewhere; undefined: it is the same for all.
 */
export function ownBeginning(
  { key, leave }: Verp,
  member: Address,
): { readonly common: string; readonly own: string } | undefined {
  if (leave === undefined) return undefined
  return {
    common: `${leaveField(leave)}\r\n`,
    own: ownLeaveFields(leave, key, member)
      .map((line) => `${line}\r\n`)
      .join(''),
  }
}

const inUrl = ({ localpart, domain }: Address): string =>
  `${encodeURIComponent(localpart)}@${domainToASCII(domain) || domain}`
