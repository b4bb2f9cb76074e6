import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { DAY_MS, MINUTE_MS } from '#base/time.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'

import { isMark, mark } from './list-key.ts'
import { readMember, writtenMember } from './verp.ts'

/** What an answer to a question of a list does. j, l: whoever was written to joins or leaves; y, n: an owner lets in, or not. */
export type Errand = 'j' | 'l' | 'y' | 'n'

/** So long a question can be answered. */
export const ERRAND_DAYS = { j: 3, l: 3, y: 14, n: 14 } as const satisfies Record<Errand, number>

/**
 * Where the answer to a question goes, `seminar-confirm+j-UNTIL-MARK`: a secret between us and who was
 * written to, good for one thing, one address and some days. Whom it is about is not in it, so that it
 * fits where a local part has 64 octets; owners' answers name whom they let in.
 */
export function errandAddress(
  list: Pick<MailingList, 'address'>,
  key: string,
  {
    errand,
    member,
    nowMs,
  }: { readonly errand: Errand; readonly member: Address; readonly nowMs: number },
): Address {
  const { localpart, domain } = purposeAddress(list.address, 'confirm')
  const until = Math.ceil((nowMs + ERRAND_DAYS[errand] * DAY_MS) / MINUTE_MS)
  const made = mark(key, 'errand', errand, until, addressKey(member))
  const name = errand === 'y' || errand === 'n' ? `-${writtenMember(member)}` : ''
  return { localpart: `${localpart}+${errand}-${until.toString(36)}-${made}${name}`, domain }
}

/** What stands behind the plus of a `-confirm` address, as far as it can be read. */
export interface GivenErrand {
  readonly errand: Errand
  /** Whom an owner's answer is about. */
  readonly member?: Address
  /** Whether it was made by us for this address, and is still good. */
  readonly check: (address: Address, nowMs: number) => 'good' | 'forged' | 'expired'
}

export function givenErrand(detail: string, key: string): GivenErrand | undefined {
  const match = /^([jlyn])-([0-9a-z]{1,8})-([0-9a-f]{20})(?:-(.+))?$/i.exec(detail)
  if (match === null) return undefined
  const errand = match[1]!.toLowerCase() as Errand
  const until = Number.parseInt(match[2]!, 36)
  const member = match[4] === undefined ? undefined : readMember(match[4])
  return {
    errand,
    ...(member !== undefined && { member }),
    check: (address, nowMs) => {
      if (!isMark(match[3]!, key, 'errand', errand, until, addressKey(address))) return 'forged'
      return nowMs > until * MINUTE_MS ? 'expired' : 'good'
    },
  }
}
