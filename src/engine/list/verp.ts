import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Verp } from '#model/envelope.ts'

import { isMark, mark } from './list-key.ts'

/** RFC 5321 §4.5.3.1.1 gives a local part 64 octets; longer ones pass nearly everywhere, up to this. */
const LOCALPART_BYTES_MAX = 240
const PLAIN = /^[A-Za-z0-9._+-]+$/

/**
 * The reverse-path under which a post goes to one member, `seminar-bounces+12-MARK-hanako=example.org`;
 * without a member: where our own queue sends its reports, whose recipients are believed. The mark keeps
 * others from having members suspended. An address that does not fit is not named.
 */
export function verpAddress(bounces: Address, { key, post }: Verp, member?: Address): Address {
  const { localpart, domain } = bounces
  const name = member === undefined ? '' : `-${writtenMember(member)}`
  const who = member === undefined ? '' : addressKey(member)
  const whole = `${localpart}+${post}-${mark(key, 'bounce', post, who)}${name}`
  return Buffer.byteLength(whole) > LOCALPART_BYTES_MAX ? bounces : { localpart: whole, domain }
}

/** Of whom mail to such an address tells. */
export interface BouncedPost {
  readonly post: number
  /** Absent: the report itself names its recipients. */
  readonly member?: Address
}

/** What stands behind the plus of a `-bounces` address; undefined where its mark is not ours. */
export function bouncedPost(detail: string, key: string): BouncedPost | undefined {
  const match = /^(\d{1,10})-([0-9a-f]{20})(?:-(.+))?$/i.exec(detail)
  if (match === null) return undefined
  const post = Number(match[1])
  const member = match[3] === undefined ? undefined : readMember(match[3])
  if (match[3] !== undefined && member === undefined) return undefined
  const who = member === undefined ? '' : addressKey(member)
  if (!isMark(match[2]!, key, 'bounce', post, who)) return undefined
  return { post, ...(member !== undefined && { member }) }
}

/** `hanako=example.org`; what could be misread stands whole in base64url behind a tilde. */
export const writtenMember = (member: Address): string =>
  PLAIN.test(member.localpart) && PLAIN.test(member.domain)
    ? `${member.localpart}=${member.domain}`
    : `~${Buffer.from(formatAddress(member)).toString('base64url')}`

/** The reverse of `writtenMember`. */
export function readMember(text: string): Address | undefined {
  const at = text.lastIndexOf('=')
  const plain = text.startsWith('~')
    ? Buffer.from(text.slice(1), 'base64url').toString('utf8')
    : `${text.slice(0, Math.max(0, at))}@${text.slice(at + 1)}`
  const parsed = parseAddress(plain)
  return parsed.ok ? parsed.value : undefined
}
