import { createHash } from 'node:crypto'
import { addressKey, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** Redirects in a row, after which mail is kept: far more than people chain. */
const REDIRECTS_MAX = 8
const HASH_LENGTH = 8

/**
 * The id of what a delivery sends out, and its delivery id when it comes in again: that of the
 * delivery, then a station `-` from whom, to where. The same delivery made again gives the same id;
 * it fits wherever a delivery id does.
 */
export const entryId = (deliveryId: string, from: Address, to: string): string =>
  `${deliveryId}-${hashOf(addressKey(withoutDetail(from)))}${hashOf(to)}`

/** True where this recipient has sent the message on before: doing it again would be a loop. */
export function hasSentOn(deliveryId: string, recipient: Address): boolean {
  const [, ...stations] = deliveryId.split('-')
  if (stations.length >= REDIRECTS_MAX) return true
  const own = hashOf(addressKey(withoutDetail(recipient)))
  return stations.some((station) => station.startsWith(own))
}

const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)
