import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { transmissionType } from '#model/envelope.ts'
import type { Peer } from '#model/envelope.ts'

/** One Received field a transaction (RFC 5321 §4.4), shared by all its recipients. */
export function receivedField(from: {
  /** Absent: it was made here. */
  readonly peer?: Peer
  readonly smtpUtf8: boolean
  readonly hostname: string
  readonly deliveryId: string
  readonly atMs: number
}): Octets {
  const { peer, smtpUtf8, hostname, deliveryId, atMs } = from
  const date = new Date(atMs).toUTCString().replace('GMT', '+0000')
  if (peer === undefined)
    return fromUtf8(`Received: by ${hostname} id ${deliveryId};\r\n ${date}\r\n`)
  const name = peer.helo ?? 'localhost'
  const protocol = transmissionType(peer, smtpUtf8)
  return fromUtf8(
    `Received: from ${name} (${peer.ip})\r\n by ${hostname} with ${protocol} id ${deliveryId};\r\n ${date}\r\n`,
  )
}
