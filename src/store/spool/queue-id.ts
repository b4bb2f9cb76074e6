import type { QueueId } from './spool-store.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // Crockford's base 32
const ID_LENGTH = 11
/** Ids a millisecond; time · this stays a safe integer until the year 2248. */
const IDS_PER_MS = 1024

/**
 * Numbers of messages: the time with a counter, so that they grow and a table keyed by them is only
 * ever written at its end. A clock that jumps back does not bring a number twice.
 */
export class QueueNumbers {
  #last: number
  constructor(last: number) {
    this.#last = last
  }
  next(nowMs: number): number {
    this.#last = Math.max(this.#last + 1, Math.floor(nowMs) * IDS_PER_MS)
    return this.#last
  }
}

/** Ids of messages that came at this time or later begin here, as far as the clock went straight. */
export const timeId = (ms: number): QueueId =>
  formatQueueId(Math.max(0, Math.min(Math.floor(ms) * IDS_PER_MS, Number.MAX_SAFE_INTEGER)))

/** The id that would come next: what stands before it came no later than this one. */
export const idAfter = (id: QueueId): QueueId => formatQueueId((parseQueueId(id) ?? 0) + 1)

export function formatQueueId(number: number): QueueId {
  let id = ''
  for (let rest = number; id.length < ID_LENGTH; rest = Math.floor(rest / 32))
    id = ALPHABET[rest % 32]! + id
  return id as QueueId
}

/** The number, or undefined for text that cannot be an id of ours. */
export function parseQueueId(id: string): number | undefined {
  if (id.length !== ID_LENGTH) return undefined
  let number = 0
  for (const character of id) {
    const digit = ALPHABET.indexOf(character)
    if (digit < 0) return undefined
    number = number * 32 + digit
  }
  return Number.isSafeInteger(number) ? number : undefined
}
