import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Resolver } from '#client/dns/resolver.ts'
import { MailClient } from '#client/smtp/deliver.ts'
import type { DeliverJob, Endpoint } from '#client/smtp/job.ts'
import { nextHop } from '#engine/route/next-hop.ts'
import { formatAddress } from '#model/address.ts'
import type { EventSink } from '#model/event.ts'
import { formatNextHop } from '#model/route.ts'
import type { Verdict } from '#model/verdict.ts'
import type { Directory } from '#store/directory/directory.ts'
import type {
  QueueMessage,
  QueueRecipient,
  Settlement,
  SpoolStore,
} from '#store/spool/spool-store.ts'
import { endOf, ownTrouble, unreachable } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import { endpointsOf } from './endpoints.ts'
import { HopLanes } from './hop-lanes.ts'
import type { Lane, Load, Turn } from './hop-lanes.ts'
import { reportOf, senderText } from './report.ts'
import type { Reported } from './report.ts'
import { Settler } from './settler.ts'

/** What of the settings the courier follows; read anew for each attempt. */
export interface CourierSettings {
  /** Waits between attempts; the last one repeats. */
  readonly retryMs: readonly number[]
  readonly delayNoticeMs: number
  readonly lifetimeMs: number
}

export interface CourierOptions {
  readonly spool: SpoolStore
  readonly directory: Directory
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
  /** Our name in EHLO and in reports. */
  readonly hostname: string
  readonly settings: () => CourierSettings
  /** The LMTP door of this installation's store; none: it is away. */
  readonly local: () => readonly Endpoint[]
  /** Whether one of our own MX listeners answers there: mail sent there would come back. */
  readonly isOwn: (ip: string, port: number) => boolean
  /** Renders the XWATARI parameter: verdict and delivery id for our own stores. */
  readonly handed?: (message: { readonly deliveryId: string; readonly verdict?: Verdict }) => string
  /** Connections to one next hop, and in all. */
  readonly concurrency?: { readonly perHop: number; readonly inAll: number }
  readonly mxPort?: number
}

const CONCURRENCY = { perHop: 20, inAll: 200 }
const CLAIMED_MAX = 2_000
const CLAIM_AT_ONCE = 500
const RECIPIENTS_PER_TRANSACTION = 100
const LOOK_AGAIN_MS_MAX = MINUTE_MS // however the wall clock jumps
const STALLED_MS = SECOND_MS

/** Takes what is due out of the queue, delivers it and settles it; never more than once at work. */
export class Courier {
  readonly #options: CourierOptions
  readonly #client: MailClient
  readonly #lanes: HopLanes
  readonly #settler: Settler
  #claimed = 0
  #pumping = false
  #again = false
  #moreDue = false // more is due than was claimed
  #stopping = false
  #cancelTimer: (() => void) | undefined
  readonly #quiet = new Set<() => void>()

  constructor(options: CourierOptions) {
    this.#options = options
    this.#client = new MailClient(options.clock)
    this.#lanes = new HopLanes(options.concurrency ?? CONCURRENCY)
    this.#settler = new Settler(options)
  }

  /** Looks for work now: called at start, and after each accept. */
  wake(): void {
    if (this.#stopping) return
    if (this.#pumping) this.#again = true
    else void this.#pump()
  }

  /** Begins nothing new and waits for what runs, `graceMs` at most; what had not begun goes back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#cancelTimer?.()
    for (const load of this.#lanes.drain()) void this.#giveBack(load)
    const idle = this.#idle()
    const over = new AbortController()
    await Promise.race([idle, sleep(this.#options.clock, graceMs, over.signal)])
    over.abort()
    this.#settler.stop()
    await this.#client.close()
  }

  #idle(): Promise<void> {
    if (this.#claimed === 0 && !this.#pumping) return Promise.resolve()
    return new Promise((resolve) => this.#quiet.add(resolve))
  }

  #rest(): void {
    if (this.#claimed > 0 || this.#pumping) return
    for (const resolve of this.#quiet) resolve()
    this.#quiet.clear()
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    this.#cancelTimer?.()
    let waitMs = LOOK_AGAIN_MS_MAX
    do {
      this.#again = false
      try {
        waitMs = await this.#claim()
      } catch (thrown) {
        waitMs = STALLED_MS
        this.#options.log.warn('queue.stalled', {
          what: 'claim',
          code: isFault(thrown) ? thrown.code : 'bug',
          text: messageOf(thrown),
        })
      }
    } while (this.#again && !this.#stopping)
    this.#pumping = false
    if (this.#stopping) for (const load of this.#lanes.drain()) void this.#giveBack(load)
    else {
      this.#cancelTimer?.()
      this.#cancelTimer = this.#options.clock.after(waitMs, () => this.wake())
    }
    this.#rest()
  }

  /** Takes what is due; how long until there is more. */
  async #claim(): Promise<number> {
    const { spool, clock } = this.#options
    const room = CLAIMED_MAX - this.#claimed
    if (room <= 0) {
      this.#moreDue = true // the next settlement wakes
      return LOOK_AGAIN_MS_MAX
    }
    const nowMs = clock.nowMs()
    const limit = Math.min(room, CLAIM_AT_ONCE)
    this.#moreDue = false
    const { messages, nextDueMs } = await spool.claim({ nowMs, limit })
    for (const message of messages) this.#sort(message)
    this.#dispatch()
    if (nextDueMs === undefined) return LOOK_AGAIN_MS_MAX
    this.#moreDue = nextDueMs <= nowMs
    if (this.#moreDue && this.#claimed < CLAIMED_MAX) this.#again = true
    return Math.min(Math.max(0, nextDueMs - clock.nowMs()), LOOK_AGAIN_MS_MAX)
  }

  /** One load for each next hop of the message's recipients. */
  #sort(message: QueueMessage): void {
    this.#claimed += message.recipients.length
    const byHop = new Map<string, { hop: Load['hop']; recipients: QueueRecipient[] }>()
    const held: QueueRecipient[] = []
    for (const recipient of message.recipients) {
      const hop = nextHop(recipient.address, this.#options.directory)
      if (hop.kind === 'hold') {
        held.push(recipient)
        continue
      }
      const key = formatNextHop(hop)
      const group = byHop.get(key) ?? { hop, recipients: [] }
      byHop.set(key, group)
      group.recipients.push(recipient)
    }
    for (const [key, { hop, recipients }] of byHop)
      for (let at = 0; at < recipients.length; at += RECIPIENTS_PER_TRANSACTION) {
        const some = recipients.slice(at, at + RECIPIENTS_PER_TRANSACTION)
        this.#lanes.add(key, { message, hop, recipients: some })
      }
    if (held.length > 0) void this.#hold(message, held)
  }

  async #hold(message: QueueMessage, held: readonly QueueRecipient[]): Promise<void> {
    const settlements = held.map(({ index }) => ({
      queueId: message.queueId,
      index,
      kind: 'held' as const,
      reason: 'its route holds mail: watari route ls',
    }))
    for (const recipient of held) this.#tell('held', message, { recipient, nextHop: 'hold' })
    await this.#settle(settlements, [])
  }

  async #giveBack(load: Load): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    const settlements = load.recipients.map((recipient) => ({
      queueId: load.message.queueId,
      index: recipient.index,
      kind: 'deferred' as const,
      status: recipient.lastStatus ?? 'not tried yet',
      nextAttemptMs: nowMs,
      delayNotified: recipient.delayNotified,
    }))
    await this.#settle(settlements, [])
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

  async #carry({ key, lane, load }: Turn): Promise<void> {
    let attempt: Attempt
    try {
      attempt = await this.#attempt(load, lane)
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
    this.#lanes.release(key, lane)
    this.#dispatch()
    await this.#conclude(load, attempt)
  }

  async #attempt(load: Load, lane: Lane): Promise<Attempt> {
    const { clock } = this.#options
    const resting = lane.resting(clock)
    if (resting !== undefined)
      return { ...unreachable(load, resting.trouble), notBeforeMs: resting.leftMs }
    const endpoints = await endpointsOf(load.hop, {
      ...this.#options,
      mxPort: this.#options.mxPort ?? 25,
    })
    if (!endpoints.ok) {
      const reply = endpoints.error
      const results = load.recipients.map(() => ({ reply, by: 'self' as const }))
      return { results, own: false, final: false, relayedDsn: false }
    }
    const delivered = await this.#client.deliver(this.#jobOf(load, endpoints.value))
    if (!delivered.ok) {
      lane.dead(delivered.error.message, clock)
      return unreachable(load, delivered.error.message)
    }
    lane.alive()
    const { results, peer, relayedDsn } = delivered.value
    const own = load.hop.kind === 'local'
    const final = load.hop.kind === 'local' || load.hop.kind === 'lmtp'
    return { results, peer, relayedDsn, own, final }
  }

  #jobOf(load: Load, endpoints: readonly Endpoint[]): DeliverJob {
    const { message, hop, recipients } = load
    const { spool, handed, hostname } = this.#options
    const { queueId, sizeBytes, deliveryId, verdict } = message
    return {
      protocol: hop.kind === 'local' || hop.kind === 'lmtp' ? 'lmtp' : 'smtp',
      endpoints,
      poolKey: formatNextHop(hop),
      tls: hop.kind === 'local' ? 'never' : 'opportunistic',
      helo: hostname,
      reversePath: message.reversePath,
      recipients,
      body: message.body,
      smtpUtf8: message.smtpUtf8,
      ...(message.ret === undefined ? {} : { ret: message.ret }),
      ...(message.envid === undefined ? {} : { envid: message.envid }),
      ...(handed === undefined
        ? {}
        : { handed: handed({ deliveryId, ...(verdict === undefined ? {} : { verdict }) }) }),
      content: {
        sizeBytes,
        read: async (offset, length) => (await spool.read({ queueId, offset, length })).octets,
      },
    }
  }

  /** Turns the replies into settlements, events and reports. */
  async #conclude(load: Load, attempt: Attempt): Promise<void> {
    const { message, recipients } = load
    const nowMs = this.#options.clock.nowMs()
    const settings = this.#options.settings()
    const settlements: Settlement[] = []
    const reports: Reported[] = []
    for (const [at, recipient] of recipients.entries()) {
      const result = attempt.results[at]
      if (result === undefined) continue
      const end = endOf(message, recipient, { result, attempt, nowMs, ...settings })
      settlements.push({ queueId: message.queueId, index: recipient.index, ...end.settlement })
      if (end.report !== undefined) reports.push(end.report)
      this.#tell(end.settlement.kind, message, {
        recipient,
        nextHop: formatNextHop(load.hop),
        status: end.settlement.status,
        ...(attempt.peer === undefined ? {} : { peer: attempt.peer }),
      })
    }
    await this.#settle(settlements, await this.#reports(message, reports))
  }

  /** One report for each thing that happened. */
  async #reports(message: QueueMessage, reports: readonly Reported[]) {
    const { spool, directory, hostname, clock } = this.#options
    const dsns = []
    for (const action of new Set(reports.map((report) => report.action))) {
      const some = reports.filter((report) => report.action === action)
      const nowMs = clock.nowMs()
      const { lifetimeMs } = this.#options.settings()
      const accept = await reportOf(message, some, {
        spool,
        directory,
        hostname,
        nowMs,
        lifetimeMs,
      })
      this.#options.events.emit({
        atMs: nowMs,
        name: 'queue.dsn',
        deliveryId: message.deliveryId,
        fields: {
          queueId: message.queueId,
          action,
          to: senderText(message),
          recipients: some.length,
          sent: accept !== undefined,
          dsn: accept?.deliveryId ?? null,
        },
      })
      if (accept !== undefined) dsns.push(accept)
    }
    return dsns
  }

  #tell(
    kind: Settlement['kind'],
    message: QueueMessage,
    seen: {
      readonly recipient: QueueRecipient
      readonly nextHop: string
      readonly status?: string
      readonly peer?: string
    },
  ): void {
    this.#options.events.emit({
      atMs: this.#options.clock.nowMs(),
      name: `queue.${kind}`,
      deliveryId: message.deliveryId,
      fields: {
        queueId: message.queueId,
        recipient: formatAddress(seen.recipient.address),
        nextHop: seen.nextHop,
        status: seen.status ?? null,
        peer: seen.peer ?? null,
      },
    })
  }

  async #settle(
    settlements: readonly Settlement[],
    dsns: Parameters<Settler['settle']>[0]['dsns'],
  ): Promise<void> {
    await this.#settler.settle({ settlements, dsns })
    this.#claimed -= settlements.length
    // A retry may be nearer than the timer; a report is due now.
    const sooner = dsns.length > 0 || settlements.some(({ kind }) => kind === 'deferred')
    if (sooner || this.#moreDue) this.wake()
    this.#rest()
  }
}
