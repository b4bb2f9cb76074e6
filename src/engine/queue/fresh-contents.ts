import { concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Accept, Settlement, SpoolStore } from '#store/spool/spool-store.ts'

const KEPT_BYTES_MAX = 8 * 1024 * 1024

/**
 * The spool, with the octets of what it has just taken kept in memory until they are settled for the
 * first time: most mail goes on at once, and need not be read back from the disk for it.
 */
export function withFreshContents(spool: SpoolStore, keptBytesMax = KEPT_BYTES_MAX): SpoolStore {
  const fresh = new FreshContents(keptBytesMax)
  const own: Pick<SpoolStore, 'accept' | 'settle' | 'act' | 'read'> = {
    async accept(accept) {
      const answer = await spool.accept(accept)
      fresh.keep(answer.queueId, accept)
      return answer
    },
    settle(done) {
      for (const { queueId } of done.settlements) fresh.forget(queueId)
      return spool.settle(done)
    },
    act(act) {
      fresh.forget(act.queueId)
      return spool.act(act)
    },
    async read(part) {
      const octets = fresh.get(part.queueId)?.subarray(part.offset, part.offset + part.length)
      return octets === undefined ? spool.read(part) : { octets }
    },
  }
  return new Proxy(spool, {
    get: (target, name, receiver): unknown =>
      Object.hasOwn(own, name)
        ? own[name as keyof typeof own]
        : Reflect.get(target, name, receiver),
  })
}

/** What is kept stays until it is forgotten: the oldest is what the courier reads next. */
class FreshContents {
  readonly #bytesMax: number
  readonly #contents = new Map<string, Octets>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  keep(queueId: string, { content, recipients }: Accept): void {
    if (!('octets' in content) || recipients.every(({ hold }) => hold !== undefined)) return
    const octets = concatOctets(content.octets)
    if (this.#bytes + octets.length > this.#bytesMax) return
    this.#contents.set(queueId, octets)
    this.#bytes += octets.length
  }

  get(queueId: string): Octets | undefined {
    return this.#contents.get(queueId)
  }

  forget(queueId: Settlement['queueId'] | string): void {
    const octets = this.#contents.get(queueId)
    if (octets === undefined) return
    this.#contents.delete(queueId)
    this.#bytes -= octets.length
  }
}
