import { domainToASCII } from 'node:url'
import { SECOND_MS } from '#base/time.ts'
import { bufferOf, fromUtf8 } from '#base/octets.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import type { ContentNeeds } from './content.ts'
import type { DeliverJob } from './job.ts'

/** What of the peer's offers one transaction uses. */
export interface Plan {
  readonly mail: string
  readonly utf8: boolean
  readonly dsn: boolean
  /** It is told until when the mail is to arrive. */
  readonly by: boolean
  /** It knows of no time: it is asked to tell of delays. */
  readonly asksForDelay: boolean
}

type Offers = ReadonlyMap<string, string>

const lacking = (status: string, text: string): Reply => ({ code: 554, status, text })

const ASCII = /^[\u0000-\u007f]*$/

/** The address as this peer can take it: a domain in letters of its own goes as A-labels (RFC 5891 §5). */
function wireAddress(address: Address, utf8: boolean): string | undefined {
  if (utf8 || !needsSmtpUtf8(address)) return formatAddress(address)
  const domain = domainToASCII(address.domain)
  return ASCII.test(address.localpart) && domain !== ''
    ? `${address.localpart}@${domain}`
    : undefined
}

/** MAIL for this peer, or why it can never carry the message. */
export function planMail(
  job: DeliverJob,
  offers: Offers,
  needs: ContentNeeds | undefined,
  nowMs: number,
): Plan | Reply {
  const binary = needs === undefined || needs.binary
  if (binary && !(offers.has('CHUNKING') && offers.has('BINARYMIME')))
    return lacking('5.6.3', 'the next server carries no binary content')
  const eightBit = needs?.eightBit === true
  if (eightBit && !offers.has('8BITMIME'))
    return lacking('5.6.3', 'the next server carries no 8-bit content') // RFC 6152 §3
  const limit = Number(offers.get('SIZE') ?? 0)
  if (limit > 0 && job.content.sizeBytes > limit)
    return lacking('5.3.4', `the next server takes at most ${limit} octets`) // RFC 1870 §6.1
  const utf8 = offers.has('SMTPUTF8')
  if (job.smtpUtf8 && !utf8 && needs?.eightBitHeader === true)
    return lacking('5.6.9', 'the next server takes no header in UTF-8') // RFC 6531 §3.5
  const from = job.reversePath === null ? '' : wireAddress(job.reversePath, utf8)
  if (from === undefined) return lacking('5.6.7', 'the next server takes no address in UTF-8') // RFC 6531 §3.5
  const addresses = job.recipients.map((recipient) => recipient.address)
  if (job.reversePath !== null) addresses.push(job.reversePath)
  const foreign = job.smtpUtf8 || addresses.some(needsSmtpUtf8)
  const dsn = offers.has('DSN')
  const by = byOf(job, offers, nowMs)
  if (typeof by !== 'string') return by
  const parameters = [
    utf8 && foreign ? ' SMTPUTF8' : '',
    binary ? ' BODY=BINARYMIME' : offers.has('8BITMIME') && eightBit ? ' BODY=8BITMIME' : '',
    offers.has('SIZE') ? ` SIZE=${job.content.sizeBytes}` : '',
    dsn && job.ret !== undefined ? ` RET=${job.ret.toUpperCase()}` : '',
    dsn && job.envid !== undefined ? ` ENVID=${xtext(job.envid)}` : '',
    by,
    offers.has('XWATARI') && job.handed !== undefined && /^[\w.~-]+$/.test(job.handed)
      ? ` XWATARI=${job.handed}`
      : '',
  ]
  return {
    mail: `MAIL FROM:<${from}>${parameters.join('')}\r\n`,
    utf8,
    dsn,
    by: by !== '',
    asksForDelay: job.deliverBy !== undefined && by === '',
  }
}

/** The time that is left (RFC 2852 §4), or why the mail cannot go there: who wants it back in time trusts no host that knows of none. */
function byOf({ deliverBy }: DeliverJob, offers: Offers, nowMs: number): string | Reply {
  if (deliverBy === undefined) return ''
  const { atMs, mode, isTraced } = deliverBy
  const seconds = Math.trunc((atMs - nowMs) / SECOND_MS)
  const least = offers.get('DELIVERBY')
  if (mode === 'return') {
    if (seconds <= 0) return lacking('5.4.7', 'the time for delivery is over')
    if (least === undefined || seconds < Number(least.split(',')[0]))
      return lacking('5.3.3', 'the next server does not promise to deliver in time') // RFC 2852 §4.1.4.1
  }
  if (least === undefined || Math.abs(seconds) > 999_999_999) return ''
  return ` BY=${seconds};${mode === 'return' ? 'R' : 'N'}${isTraced ? 'T' : ''}`
}

/** RCPT for this peer, or why this recipient can never be reached through it. */
export function rcptLine(recipient: Recipient, plan: Plan): string | Reply {
  const to = wireAddress(recipient.address, plan.utf8)
  if (to === undefined) return lacking('5.6.7', 'the next server takes no address in UTF-8')
  if (!plan.dsn) return `RCPT TO:<${to}>\r\n`
  const notify =
    recipient.notify === undefined
      ? plan.asksForDelay
        ? ' NOTIFY=FAILURE,DELAY' // RFC 2852 §4.1.4.2
        : ''
      : ` NOTIFY=${recipient.notify.length === 0 ? 'NEVER' : recipient.notify.join(',').toUpperCase()}`
  const original = recipient.original === undefined ? '' : ` ORCPT=${orcpt(recipient.original)}`
  return `RCPT TO:<${to}>${notify}${original}\r\n`
}

/** RFC 3461 §4: every octet outside `!`–`~`, `+` and `=` as +XX. */
const xtext = (text: string): string =>
  bufferOf(fromUtf8(text))
    .toString('latin1')
    .replace(
      /[^!-*,-<>-~]/g,
      (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )

/** The type stays bare; a `utf-8` address escapes by code point (RFC 6533 §3). */
function orcpt(original: string): string {
  const semicolon = original.indexOf(';')
  const type = original.slice(0, Math.max(0, semicolon))
  const address = original.slice(semicolon + 1)
  if (type.toLowerCase() !== 'utf-8') return `${xtext(type)};${xtext(address)}`
  const escaped = Array.from(address, (char) =>
    /[!-*,-<>-[\]-~]/.test(char) ? char : `\\x{${char.codePointAt(0)!.toString(16).toUpperCase()}}`,
  )
  return `${type};${escaped.join('')}`
}
