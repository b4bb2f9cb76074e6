import { randomId } from '#base/id.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { JmapLimits } from './limits.ts'

export interface Upload {
  readonly octets: Octets
  readonly type: string
}

interface Kept extends Upload {
  readonly accountId: AccountId
  readonly untilMs: number
}

/** Uploaded octets until a message is made of them, in memory: a restart forgets them, as it may (RFC 8620 §6). */
export class Uploads {
  readonly #limits: JmapLimits
  readonly #clock: Clock
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0
  #isSweeping = false

  constructor(limits: JmapLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** The blob's id; undefined where there is no room for it. The account's own oldest ones make room. */
  put(accountId: AccountId, upload: Upload): string | undefined {
    const { uploadBytesPerAccountMax, uploadBytesMax, uploadLifetimeMs } = this.#limits
    this.#sweep()
    const own = [...this.#kept].filter(([, kept]) => kept.accountId === accountId)
    let ownBytes = own.reduce((sum, [, { octets }]) => sum + octets.length, 0)
    for (const [id, { octets }] of own) {
      if (ownBytes + upload.octets.length <= uploadBytesPerAccountMax) break
      ownBytes -= octets.length
      this.#drop(id)
    }
    if (ownBytes + upload.octets.length > uploadBytesPerAccountMax) return undefined
    if (this.#bytes + upload.octets.length > uploadBytesMax) return undefined
    const id = `U${randomId(24)}`
    this.#kept.set(id, {
      ...upload,
      accountId,
      untilMs: this.#clock.monotonicMs() + uploadLifetimeMs,
    })
    this.#bytes += upload.octets.length
    this.#schedule()
    return id
  }

  /** Only to the account that sent it. */
  get(accountId: AccountId, id: string): Upload | undefined {
    const kept = this.#kept.get(id)
    const isThere = kept !== undefined && kept.untilMs > this.#clock.monotonicMs()
    return isThere && kept.accountId === accountId ? kept : undefined
  }

  #drop(id: string): void {
    this.#bytes -= this.#kept.get(id)?.octets.length ?? 0
    this.#kept.delete(id)
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [id, { untilMs }] of this.#kept) {
      if (untilMs > nowMs) break
      this.#drop(id)
    }
  }

  #schedule(): void {
    if (this.#isSweeping || this.#kept.size === 0) return
    this.#isSweeping = true
    this.#clock.after(this.#limits.uploadLifetimeMs, () => {
      this.#isSweeping = false
      this.#sweep()
      this.#schedule()
    })
  }
}
