import { RequestError } from '#server/jmap/http/problem.ts'
import type { JmapRoom } from './room.ts'

export type CountedLimit =
  | 'maxConcurrentRequests'
  | 'maxConcurrentUpload'
  | 'downloadsPerAccountMax'

/** How much of a kind each account has running, over whatever connections. */
export class Running {
  readonly #room: Pick<JmapRoom, 'limits'>
  readonly #counts = new Map<string, number>()

  constructor(room: Pick<JmapRoom, 'limits'>) {
    this.#room = room
  }

  /** Runs it, and counts it until its end. Throws RequestError 429 where too many run already. */
  async run(accountId: string, limit: CountedLimit, work: () => Promise<void>): Promise<void> {
    const key = `${limit} ${accountId}`
    const count = this.#counts.get(key) ?? 0
    const max = this.#room.limits[limit]
    if (count >= max) throw new RequestError('limit', `At most ${max} at once`, limit, 429)
    this.#counts.set(key, count + 1)
    try {
      await work()
    } finally {
      const left = this.#counts.get(key)! - 1
      if (left === 0) this.#counts.delete(key)
      else this.#counts.set(key, left)
    }
  }
}
