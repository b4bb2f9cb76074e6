import { fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { parseHanded, renderHanded } from '#codec/auth/verdict.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { BodyKind } from '#model/envelope.ts'
import { LIST_PURPOSES } from '#model/list.ts'
import type { ListPurpose } from '#model/list.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { Verdict } from '#model/verdict.ts'

/** Mail to a list lies here from its 250 until the list has made something of it. */
export const INCOMING: MailboxPath = ['Incoming']
/** The archive: the UID of a post is its number. */
export const POSTS: MailboxPath = ['Posts']
/** What waits for somebody's decision. */
export const HELD: MailboxPath = ['Held']

/** What could not be worked on, until somebody looks at it. */
export const ASIDE: MailboxPath = ['Aside']

/** What is known of a mail to a list beside its octets. */
export interface ListEnvelope {
  readonly deliveryId: string
  readonly reversePath: Address | null
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly purpose: ListPurpose
  /** As the mail called the list, with what stood behind a plus. */
  readonly address: Address
  readonly verdict?: Verdict
}

const NAME = 'X-Watari-Envelope'
/** Of a note of ours; what is longer is none. */
const NOTE_BYTES_MAX = 8_192

/**
 * The envelope as one line that stands in front of the mail, in what differs by delivery: written by
 * us, always the first octets, so that nothing in a mail can be taken for it.
 */
export function renderEnvelope(envelope: ListEnvelope): Octets {
  const { deliveryId, reversePath, body, smtpUtf8, purpose, address, verdict } = envelope
  const note = {
    from: reversePath === null ? '' : formatAddress(reversePath),
    to: formatAddress(address),
    body,
    smtpUtf8,
    purpose,
    handed: renderHanded({
      deliveryId,
      ...(verdict !== undefined && { verdict }),
    }),
  }
  return fromLatin1(`${NAME}: ${Buffer.from(JSON.stringify(note)).toString('base64url')}\r\n`)
}

/** The reverse, with the length of the line; undefined where the octets do not begin with one. */
export function parseEnvelope(
  octets: Octets,
): { readonly envelope: ListEnvelope; readonly length: number } | undefined {
  const line = /^X-Watari-Envelope: ([A-Za-z0-9_-]+)\r\n/.exec(
    toLatin1(octets.subarray(0, NOTE_BYTES_MAX)),
  )
  const note = line === null ? undefined : noteOf(line[1]!)
  if (note === undefined) return undefined
  const handed = parseHanded(String(note['handed']))
  const address = parseAddress(String(note['to']))
  const from = parseAddress(String(note['from']))
  const purpose = PURPOSES.find((each) => each === note['purpose'])
  const body = BODIES.find((each) => each === note['body'])
  if (handed === undefined || !address.ok || purpose === undefined || body === undefined)
    return undefined
  const envelope = {
    ...handed,
    body,
    purpose,
    smtpUtf8: note['smtpUtf8'] === true,
    address: address.value,
    reversePath: from.ok ? from.value : null,
  }
  return { envelope, length: line![0].length }
}

const PURPOSES: readonly ListPurpose[] = ['post', ...LIST_PURPOSES]
const BODIES: readonly BodyKind[] = ['7bit', '8bitmime', 'binarymime']

function noteOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
