import type { Clock } from '#base/time.ts'
import type { NextHop } from '#model/route.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'
import { restMs } from './schedule.ts'

/** Recipients of one message that go to one next hop in one transaction. */
export interface Load {
  readonly message: QueueMessage
  readonly recipients: readonly QueueRecipient[]
  readonly hop: Exclude<NextHop, { kind: 'hold' }>
}

/** What is known of one next hop while it is in use. */
export class Lane {
  readonly loads: Load[] = []
  /** Bulk, which waits for what is in `loads`. */
  readonly bulk: Load[] = []
  readonly #local: boolean
  #active = 0
  #activeBulk = 0
  #failures = 0
  #restsUntilMs = 0
  #trouble = ''

  constructor(local: boolean) {
    this.#local = local
  }

  get isLocal(): boolean {
    return this.#local
  }

  get active(): number {
    return this.#active
  }

  get activeBulk(): number {
    return this.#activeBulk
  }

  begin(load: Load): void {
    this.#active++
    if (isBulk(load)) this.#activeBulk++
  }

  end(load: Load): void {
    this.#active--
    if (isBulk(load)) this.#activeBulk--
  }

  /** Nothing waits for it, and nothing is on its way. */
  get isIdle(): boolean {
    return this.#active === 0 && this.loads.length === 0 && this.bulk.length === 0
  }

  /** Somebody let us in. */
  alive(): void {
    this.#failures = 0
    this.#restsUntilMs = 0
  }

  /** Nobody let us in. Those that tried at the same time count once. */
  dead(trouble: string, clock: Clock): void {
    if (this.resting(clock) !== undefined) return
    this.#failures++
    this.#trouble = trouble
    this.#restsUntilMs = clock.monotonicMs() + restMs(this.#failures, this.#local)
  }

  /** What keeps it from being tried now, and for how long. */
  resting(clock: Clock): { readonly trouble: string; readonly leftMs: number } | undefined {
    // Whole ones: a monotonic clock has fractions, and times in the queue have none.
    const leftMs = Math.ceil(this.#restsUntilMs - clock.monotonicMs())
    return leftMs > 0 ? { trouble: this.#trouble, leftMs } : undefined
  }

  /** Nothing is known of it that would be missed. */
  get forgettable(): boolean {
    return this.isIdle && this.#failures === 0
  }
}

/** A load that may start, on its lane until that is released. */
export interface Turn {
  readonly key: string
  readonly lane: Lane
  readonly load: Load
}

const LANES_KEPT_MAX = 10_000

const isBulk = ({ message }: Load): boolean => message.isBulk === true

/** The lanes of all next hops in use, each with its turn. */
export class HopLanes {
  readonly #lanes = new Map<string, Lane>()
  #total = 0
  #totalBulk = 0
  readonly #perHop: number
  readonly #inAll: number

  constructor(limits: { readonly perHop: number; readonly inAll: number }) {
    this.#perHop = limits.perHop
    this.#inAll = limits.inAll
  }

  add(key: string, load: Load): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane(load.hop.kind === 'local')
      this.#lanes.set(key, lane)
    }
    ;(isBulk(load) ? lane.bulk : lane.loads).push(load)
  }

  /**
   * The next load that may start: lanes take turns, so that a long one keeps no other waiting. Bulk
   * takes half of the places at most, and none for which a personal mail waits.
   */
  take(): Turn | undefined {
    if (this.#total >= this.#inAll) return undefined
    for (const [key, lane] of this.#lanes) {
      if (lane.active >= this.#perHop) continue
      const load = lane.loads.shift()
      if (load !== undefined) return this.#begin(key, lane, load)
    }
    if (this.#totalBulk >= half(this.#inAll)) return undefined
    for (const [key, lane] of this.#lanes) {
      if (lane.active >= this.#perHop || lane.activeBulk >= half(this.#perHop)) continue
      const load = lane.bulk.shift()
      if (load !== undefined) return this.#begin(key, lane, load)
    }
    return undefined
  }

  #begin(key: string, lane: Lane, load: Load): Turn {
    this.#lanes.delete(key) // to the end of the round
    this.#lanes.set(key, lane)
    lane.begin(load)
    this.#total++
    if (isBulk(load)) this.#totalBulk++
    return { key, lane, load }
  }

  release({ key, lane, load }: Turn): void {
    lane.end(load)
    this.#total--
    if (isBulk(load)) this.#totalBulk--
    if ((lane.forgettable || this.#lanes.size > LANES_KEPT_MAX) && lane.isIdle)
      this.#lanes.delete(key)
  }

  /** Our own store lets us in again. */
  localAlive(): void {
    for (const lane of this.#lanes.values()) if (lane.isLocal) lane.alive()
  }

  /** Takes out all that has not begun. */
  drain(): readonly Load[] {
    return [...this.#lanes.values()].flatMap((lane) => [
      ...lane.loads.splice(0),
      ...lane.bulk.splice(0),
    ])
  }
}

/** At least one place is for bulk, where there is one at all. */
const half = (places: number): number => Math.max(1, Math.floor(places / 2))
