import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { AdmissionLimits } from '#net/admission.ts'

export interface ImapLimits extends AdmissionLimits {
  readonly connectionsPerAccountMax: number
  /** Between connecting and having logged in. */
  readonly loginTimeoutMs: number
  /** Without a command; RFC 9051 §5.4 asks for 30 minutes at least. */
  readonly idleTimeoutMs: number
  /** For a client to take 64 KiB, and to send what it announced. */
  readonly transferTimeoutMs: number
  readonly errorsMax: number
  readonly loginFailuresMax: number
  /** Octets of an appended message. */
  readonly messageBytesMax: number
  /** SELECT of a larger mailbox is answered from its counters, and its rows read when they are needed. */
  readonly rowsAtSelectMax: number
}

export const IMAP_LIMITS: ImapLimits = {
  connectionsMax: 20_000,
  connectionsPerIpMax: 2_000, // a campus may sit behind one address
  connectionsPerAccountMax: 60,
  loginTimeoutMs: 3 * MINUTE_MS,
  idleTimeoutMs: 30 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  errorsMax: 20,
  loginFailuresMax: 6,
  messageBytesMax: 52_428_800,
  rowsAtSelectMax: 4_096,
}

/** A line before login; after it, a whole command with its literals. */
export const LINE_BYTES_BEFORE_LOGIN_MAX = 8 * 1024
export const COMMAND_BYTES_MAX = 64 * 1024
export const LITERAL_BYTES_BEFORE_LOGIN_MAX = 4 * 1024

/** Counts by key, forgetting keys at zero. */
export class Counts {
  readonly #counts = new Map<string, number>()

  /** Counts one more unless `max` are counted already. */
  enter(key: string, max: number): boolean {
    const count = this.#counts.get(key) ?? 0
    if (count >= max) return false
    this.#counts.set(key, count + 1)
    return true
  }

  leave(key: string): void {
    const count = this.#counts.get(key) ?? 0
    if (count <= 1) this.#counts.delete(key)
    else this.#counts.set(key, count - 1)
  }
}
