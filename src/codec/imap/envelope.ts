import type { HeaderAddress, HeaderEnvelope } from '#model/message.ts'
import { nstring } from './render.ts'

/** ENVELOPE's value (RFC 9051 §7.5.2). */
export function renderEnvelope(envelope: HeaderEnvelope): string {
  const from = addresses(envelope.from)
  return (
    `(${nstring(envelope.date)} ${nstring(envelope.subject)} ${from} ` +
    // RFC 9051 §7.5.2: an absent or empty Sender or Reply-To takes From's value.
    `${or(addresses(envelope.sender), from)} ${or(addresses(envelope.replyTo), from)} ` +
    `${addresses(envelope.to)} ${addresses(envelope.cc)} ${addresses(envelope.bcc)} ` +
    `${nstring(envelope.inReplyTo)} ${nstring(envelope.messageId)})`
  )
}

const or = (value: string, otherwise: string): string => (value === 'NIL' ? otherwise : value)

function addresses(list: readonly HeaderAddress[] | undefined): string {
  if (list === undefined || list.length === 0) return 'NIL'
  return `(${list.map(address).join('')})`
}

const address = ({ name, route, mailbox, host }: HeaderAddress): string =>
  `(${nstring(name)} ${nstring(route)} ${nstring(mailbox)} ${nstring(host)})`
