import { addressKey, parseAddress } from '#model/address.ts'
import type { EventRecord } from '#model/event.ts'

const ADDRESSES_PER_EVENT_MAX = 1_000
/** Fields that name a sender or recipient, alone or several with commas or blanks between. */
const ADDRESS_FIELDS = [
  'from',
  'to',
  'address',
  'recipient',
  'recipients',
  'reversePath',
  'sender',
  'original',
] as const

/**
 * What an event of a message is found by. The index takes an event's clues away by asking here once
 * more: what this makes of the fields of old events must not change.
 */
export function cluesOf(fields: EventRecord['fields']): ReadonlySet<string> {
  const clues = new Set<string>()
  const messageId = fields['messageId']
  if (typeof messageId === 'string' && messageId !== '') clues.add(messageIdClue(messageId))
  for (const name of ADDRESS_FIELDS) {
    const value = fields[name]
    if (typeof value !== 'string') continue
    for (const text of value.split(/[,\s]+/)) {
      const clue = addressClue(text)
      if (clue !== undefined && clues.size < ADDRESSES_PER_EVENT_MAX) clues.add(clue)
    }
  }
  return clues
}

export const messageIdClue = (text: string): string => `id ${text.trim().replace(/^<|>$/g, '')}`

export function addressClue(text: string): string | undefined {
  const address = parseAddress(text.trim().replace(/^(?:rfc822;)?<?|>$/gi, ''))
  return address.ok ? `at ${addressKey(address.value)}` : undefined
}
