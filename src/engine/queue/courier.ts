import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import { nextHop } from '#engine/route/next-hop.ts'
import { formatNextHop } from '#model/route.ts'
import { HANDED_RECIPIENTS_MAX } from '#model/reception.ts'
import type { NextHop } from '#model/route.ts'
import type {
  QueueMessage,
  QueueRecipient,
  RecipientPlace,
  SpoolStore,
} from '#store/spool/spool-store.ts'
import { ownTrouble } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import type { LoadCarrier } from './carrier.ts'
import { Comeback } from './comeback.ts'
import { conclude, concludeHeld, giveBack } from './conclude.ts'
import type { ConcludeOptions } from './conclude.ts'
import { HopLanes } from './hop-lanes.ts'
import type { Load, Turn } from './hop-lanes.ts'
import { Settler } from './settler.ts'
import type { Done } from './settler.ts'

export interface CourierOptions extends ConcludeOptions {
  readonly spool: SpoolStore
  readonly carrier: LoadCarrier
  /** Where a message's recipient goes; absent or undefined: where the directory's routes say. */
  readonly hopOf?: (message: QueueMessage, recipient: QueueRecipient) => NextHop | undefined
  readonly log: Log
  /** Whether our own store takes mail, asked while mail waits for it alone; absent: its retries decide. */
  readonly isStoreReady?: () => Promise<boolean>
  /** Mail that streams in is claimed so often and not for each message; mail after a pause at once. */
  readonly gatherMs?: number
  /** Connections to one next hop, and in all. */
  readonly concurrency?: { readonly perHop: number; readonly inAll: number }
}

const CONCURRENCY = { perHop: 20, inAll: 200 }
const GATHER_MS = 20
const CLAIMED_MAX = 2_000
const CLAIM_AT_ONCE = 500
/** Bulk beside it: one mail to many comes whole, and what is for single people does not wait for it. */
const BULK_CLAIMED_MAX = 2_000
/** RFC 5321 §4.5.3.1.8: what each peer takes at least. */
const RECIPIENTS_PER_TRANSACTION = 100
/** Our own stores write the octets of a transaction once, for however many. */
const LOCAL_RECIPIENTS_PER_TRANSACTION = HANDED_RECIPIENTS_MAX
const LOOK_AGAIN_MS_MAX = MINUTE_MS // however the wall clock jumps
const STALLED_MS = SECOND_MS
const CLOCK_JUMP_MS = MINUTE_MS
/** Longer than any wait of `queue.retryMs`. */
const WAIT_MS_MAX = 2 * DAY_MS

/** Takes what is due out of the queue, delivers it and settles it; never more than once at work. */
export class Courier {
  readonly #options: CourierOptions
  readonly #carrier: LoadCarrier
  readonly #lanes: HopLanes
  readonly #settler: Settler
  readonly #comeback: Comeback | undefined
  readonly #gatherMs: number
  /** How far the wall clock was ahead of the one that only grows, when it was last looked at. */
  #aheadMs = Number.NEGATIVE_INFINITY
  #claimed = 0
  #claimedBulk = 0
  #pumping = false
  /** Somebody woke it while it claimed. */
  #again = false
  #claimedAtMs = Number.NEGATIVE_INFINITY
  #lookAtMs = Number.POSITIVE_INFINITY
  #moreDue = false // more is due than was claimed
  #bulkDue = false // bulk was not looked at: so much of it is at work
  #stopping = false
  #cancelTimer: (() => void) | undefined
  readonly #quiet = new Set<() => void>()

  constructor(options: CourierOptions) {
    this.#options = options
    this.#carrier = options.carrier
    this.#lanes = new HopLanes(options.concurrency ?? CONCURRENCY)
    this.#settler = new Settler(options)
    this.#gatherMs = options.gatherMs ?? GATHER_MS
    const { isStoreReady: isReady, clock } = options
    this.#comeback =
      isReady && new Comeback({ clock, isReady, hasten: (these) => this.#storeIsBack(these) })
  }

  /** Looks for work now: called at start, and after each accept. */
  wake(): void {
    if (this.#stopping) return
    const leftMs = this.#claimedAtMs + this.#gatherMs - this.#options.clock.monotonicMs()
    if (this.#pumping) this.#again = true
    else if (leftMs <= 0) void this.#pump()
    else this.#lookAfter(leftMs)
  }

  /** Looks for work in so long, or when it was going to if that is sooner. */
  #lookAfter(waitMs: number): void {
    const atMs = this.#options.clock.monotonicMs() + waitMs
    if (this.#lookAtMs <= atMs) return
    this.#cancelTimer?.()
    this.#lookAtMs = atMs
    this.#cancelTimer = this.#options.clock.after(waitMs, () => {
      this.#lookAtMs = Number.POSITIVE_INFINITY
      if (!this.#stopping && !this.#pumping) void this.#pump()
    })
  }

  /** Begins nothing new and waits for what runs, `graceMs` at most; what had not begun goes back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#cancelTimer?.()
    this.#comeback?.stop()
    for (const load of this.#lanes.drain()) this.#giveBack(load)
    const idle = this.#idle()
    const over = new AbortController()
    await Promise.race([idle, sleep(this.#options.clock, graceMs, over.signal)])
    over.abort()
    this.#settler.stop()
    await this.#carrier.close()
  }

  async #storeIsBack(these: readonly RecipientPlace[]): Promise<void> {
    const { spool, clock } = this.#options
    await spool.hasten({ nowMs: clock.nowMs(), what: { these } })
    this.#lanes.localAlive()
    this.wake()
  }

  #idle(): Promise<void> {
    if (this.#atWork === 0 && !this.#pumping) return Promise.resolve()
    return new Promise((resolve) => this.#quiet.add(resolve))
  }

  get #atWork(): number {
    return this.#claimed + this.#claimedBulk
  }

  #rest(): void {
    if (this.#atWork > 0 || this.#pumping) return
    for (const resolve of this.#quiet) resolve()
    this.#quiet.clear()
  }

  /** Times that were set by a clock that has been put back would keep mail for as long as it was wrong. */
  async #seeClock(): Promise<void> {
    const { spool, clock, log } = this.#options
    const nowMs = clock.nowMs()
    const aheadMs = nowMs - clock.monotonicMs()
    if (Math.abs(aheadMs - this.#aheadMs) < CLOCK_JUMP_MS) return
    const what = { laterThanMs: nowMs + WAIT_MS_MAX }
    let count = 0
    for (let changed = -1; changed !== 0; count += changed)
      changed = (await spool.hasten({ nowMs, what })).changed
    this.#aheadMs = aheadMs
    if (count > 0) log.warn('queue.clockPutBack', { recipients: count })
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    this.#cancelTimer?.()
    this.#lookAtMs = Number.POSITIVE_INFINITY
    let waitMs = LOOK_AGAIN_MS_MAX
    do {
      this.#again = false
      this.#claimedAtMs = this.#options.clock.monotonicMs()
      try {
        await this.#seeClock()
        waitMs = await this.#claim()
      } catch (thrown) {
        waitMs = STALLED_MS
        this.#options.log.warn('queue.stalled', {
          what: 'claim',
          code: isFault(thrown) ? thrown.code : 'bug',
          text: messageOf(thrown),
        })
      }
    } while (this.#hasRoomForMore && !this.#stopping)
    this.#pumping = false
    if (this.#stopping) for (const load of this.#lanes.drain()) this.#giveBack(load)
    else {
      this.#lookAfter(waitMs)
      if (this.#again) this.wake()
    }
    this.#rest()
  }

  /** Takes what is due; how long until there is more. */
  async #claim(): Promise<number> {
    const { spool, clock } = this.#options
    const room = CLAIMED_MAX - this.#claimed
    const bulkRoom = BULK_CLAIMED_MAX - this.#claimedBulk
    // The next settlement wakes where one of them waits.
    if (room <= 0) {
      this.#moreDue = true
      return LOOK_AGAIN_MS_MAX
    }
    this.#bulkDue = bulkRoom <= 0
    const nowMs = clock.nowMs()
    const limit = Math.min(room, CLAIM_AT_ONCE)
    const bulkLimit = Math.min(Math.max(0, bulkRoom), CLAIM_AT_ONCE)
    this.#moreDue = false
    const { messages, nextDueMs } = await spool.claim({ nowMs, limit, bulkLimit })
    for (const message of messages) await this.#sort(message)
    this.#dispatch()
    if (nextDueMs === undefined) return LOOK_AGAIN_MS_MAX
    this.#moreDue = nextDueMs <= nowMs
    return Math.min(Math.max(0, nextDueMs - clock.nowMs()), LOOK_AGAIN_MS_MAX)
  }

  get #hasRoomForMore(): boolean {
    return this.#moreDue && this.#claimed < CLAIMED_MAX
  }

  /** One load for each next hop of the message's recipients. */
  async #sort(message: QueueMessage): Promise<void> {
    this.#count(message, message.recipients.length)
    const byHop = new Map<string, { hop: Load['hop']; recipients: QueueRecipient[] }>()
    const held: QueueRecipient[] = []
    const turns = new Turns()
    for (const recipient of message.recipients) {
      if (turns.isOver) await turns.next()
      const hop =
        this.#options.hopOf?.(message, recipient) ??
        nextHop(recipient.address, this.#options.directory)
      if (hop.kind === 'hold') {
        held.push(recipient)
        continue
      }
      const key = formatNextHop(hop)
      const group = byHop.get(key) ?? { hop, recipients: [] }
      byHop.set(key, group)
      group.recipients.push(recipient)
    }
    for (const [key, { hop, recipients }] of byHop) {
      const atOnce = recipientsAtOnce(message, hop)
      for (let at = 0; at < recipients.length; at += atOnce)
        this.#lanes.add(key, { message, hop, recipients: recipients.slice(at, at + atOnce) })
    }
    if (held.length > 0) void this.#settle(message, concludeHeld(message, held, this.#options))
  }

  #count({ isBulk }: QueueMessage, recipients: number): void {
    if (isBulk === true) this.#claimedBulk += recipients
    else this.#claimed += recipients
  }

  #giveBack(load: Load): void {
    void this.#settle(load.message, giveBack(load, this.#options.clock.nowMs()))
  }

  #dispatch(): void {
    while (!this.#stopping) {
      const next = this.#lanes.take()
      if (next === undefined) return
      void this.#carry(next).catch((thrown: unknown) => {
        // A mistake of ours; the recipients stay claimed until the next start.
        const { queueId } = next.load.message
        this.#options.log.error('queue.trouble', { queueId, code: 'bug', text: messageOf(thrown) })
      })
    }
  }

  async #carry(next: Turn): Promise<void> {
    const { lane, load } = next
    let attempt: Attempt
    try {
      attempt = await this.#carrier.carry(load, lane)
    } catch (thrown) {
      // Our own octets could not be read, or a mistake of ours: nobody's mail comes back for it.
      this.#options.log.error('queue.trouble', {
        queueId: load.message.queueId,
        code: isFault(thrown) ? thrown.code : 'bug',
        text: messageOf(thrown),
      })
      attempt = ownTrouble(load, { code: 451, status: '4.3.0', text: 'local trouble' })
    }
    // The connection is free: the next load need not wait until this one is settled.
    this.#lanes.release(next)
    this.#dispatch()
    await this.#settle(load.message, await conclude(load, attempt, this.#options))
  }

  async #settle(message: QueueMessage, done: Done): Promise<void> {
    await this.#settler.settle(done)
    this.#count(message, -done.settlements.length)
    if (done.waiting !== undefined) this.#comeback?.waits(done.waiting)
    // A retry may be nearer than the timer; a report is due now.
    const isSooner =
      done.dsns.length > 0 || done.settlements.some(({ kind }) => kind === 'deferred')
    if (isSooner || this.#moreDue || this.#bulkDue) this.wake()
    this.#rest()
  }
}

/** A reverse-path that names its recipient is of one recipient alone; our own store needs none. */
function recipientsAtOnce({ verp }: QueueMessage, hop: Load['hop']): number {
  if (hop.kind === 'local') return LOCAL_RECIPIENTS_PER_TRANSACTION
  return verp === undefined ? RECIPIENTS_PER_TRANSACTION : 1
}
