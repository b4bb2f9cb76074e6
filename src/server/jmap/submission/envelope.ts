import { SECOND_MS } from '#base/time.ts'
import { bounceAddressOf } from '#engine/sender/authorise.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { isObject } from '#server/jmap/method/args.ts'
import { utcMs } from '#server/jmap/email/filing.ts'
import { asAddresses } from '#server/jmap/email/header-forms.ts'
import { maySend } from './identity.ts'
import { DELAYED_SEND_MS_MAX } from '#server/jmap/limits.ts'
import { invalidProperties, SetRefusal } from '#server/jmap/method/method-error.ts'
import type { Answer, Call } from '#server/jmap/room.ts'

const RECIPIENTS_MAX = 1_000

/** An envelope that may be sent (RFC 8621 §7). */
export interface Envelope {
  readonly mailFrom: Address
  readonly rcptTo: readonly Address[]
  /** As they came with MAIL. */
  readonly parameters: Readonly<Record<string, string>> | null
  /** RFC 4865: not to be released before. */
  readonly releaseAtMs: number | undefined
}

/** As it is given, or with null as the message's header has it. Throws SetRefusal. */
export function readEnvelope(
  call: Call,
  given: unknown,
  message: { readonly fields: readonly HeaderField[]; readonly identityEmail: string },
): Envelope {
  if (given === null) return envelopeOf(call, message)
  const { mailFrom, rcptTo, ...strange } = isObject(given) ? given : {}
  if (!Array.isArray(rcptTo) || Object.keys(strange).length > 0)
    throw invalidProperties('an envelope is mailFrom and rcptTo', 'envelope')
  const from = readAddress(mailFrom)
  const to = (rcptTo as unknown[]).map(readAddress)
  if (to.some(({ parameters }) => parameters !== null))
    throw invalidProperties('recipients have no parameters here', 'envelope')
  return {
    ...checked(
      call,
      from.email,
      to.map(({ email }) => email),
    ),
    parameters: from.parameters,
    releaseAtMs: releaseOf(call, from.parameters ?? {}),
  }
}

export const showEnvelope = ({ mailFrom, rcptTo, parameters }: Envelope): Answer => ({
  mailFrom: { email: formatAddress(mailFrom), parameters },
  rcptTo: rcptTo.map((to) => ({ email: formatAddress(to), parameters: null })),
})

function readAddress(given: unknown): {
  readonly email: string
  readonly parameters: Envelope['parameters']
} {
  const { email, parameters = null, ...strange } = isObject(given) ? given : {}
  if (typeof email !== 'string' || Object.keys(strange).length > 0)
    throw invalidProperties('an address has an email', 'envelope')
  if (parameters === null) return { email, parameters }
  if (!isObject(parameters)) throw invalidProperties('parameters are an object', 'envelope')
  const entries = Object.entries(parameters).map(([name, value]) => {
    if (typeof value !== 'string') throw invalidProperties('a parameter is a text', 'envelope')
    return [name, value] as const
  })
  return { email, parameters: entries.length === 0 ? null : Object.fromEntries(entries) }
}

/** HOLDFOR and HOLDUNTIL (RFC 4865 §4.1, RFC 4865 §4.2); other parameters are not offered. */
function releaseOf(
  { room }: Call,
  parameters: Readonly<Record<string, string>>,
): number | undefined {
  const entries = Object.entries(parameters)
  const [first] = entries
  if (first === undefined) return undefined
  const [name, value] = [first[0].toUpperCase(), first[1]]
  if (entries.length > 1 || (name !== 'HOLDFOR' && name !== 'HOLDUNTIL'))
    throw invalidProperties('MAIL takes HOLDFOR or HOLDUNTIL', 'envelope')
  const nowMs = room.clock.nowMs()
  const isSeconds = name === 'HOLDFOR' && /^\d{1,9}$/.test(value)
  if (name === 'HOLDFOR' && !isSeconds)
    throw invalidProperties('HOLDFOR is a number of seconds', 'envelope')
  const atMs = isSeconds ? nowMs + Number(value) * SECOND_MS : utcMs(value, 'envelope')
  if (atMs - nowMs > DELAYED_SEND_MS_MAX)
    throw invalidProperties('nothing is held for so long', 'envelope')
  return atMs <= nowMs ? undefined : atMs
}

/** Sender or From, or the identity's own; everybody that To, Cc and Bcc name (RFC 8621 §7). */
function envelopeOf(
  call: Call,
  { fields, identityEmail }: Parameters<typeof readEnvelope>[2],
): Envelope {
  const emails = (key: string): string[] =>
    fields
      .filter((field) => field.key === key)
      .flatMap(({ value }) => asAddresses(parseAddressList(value)).map(({ email }) => email))
  const [named = identityEmail] = [...emails('sender'), ...emails('from')]
  const from = maySend(call, named) ? named : identityEmail
  const to = [...emails('to'), ...emails('cc'), ...emails('bcc')]
  return { ...checked(call, from, to), parameters: null, releaseAtMs: undefined }
}

function checked(
  call: Call,
  from: string,
  to: readonly string[],
): Pick<Envelope, 'mailFrom' | 'rcptTo'> {
  const mailFrom = parseAddress(from)
  if (!mailFrom.ok || !maySend(call, from)) throw new SetRefusal({ type: 'forbiddenMailFrom' })
  if (to.length === 0) throw new SetRefusal({ type: 'noRecipients' })
  if (to.length > RECIPIENTS_MAX)
    throw new SetRefusal({ type: 'tooManyRecipients', maxRecipients: RECIPIENTS_MAX })
  const recipients = new Map<string, Address>()
  const invalid: string[] = []
  for (const each of to) {
    const address = parseAddress(each)
    if (address.ok) recipients.set(formatAddress(address.value), address.value)
    else invalid.push(each.slice(0, 300))
  }
  if (invalid.length > 0)
    throw new SetRefusal({ type: 'invalidRecipients', invalidRecipients: invalid })
  return {
    mailFrom: bounceAddressOf(call.account, mailFrom.value, call.room.directory),
    rcptTo: [...recipients.values()],
  }
}
