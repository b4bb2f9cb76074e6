import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { Turns, inSlices } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import { formatAddress } from '#model/address.ts'
import type { EventSink } from '#model/event.ts'
import type { Reply } from '#model/reply.ts'
import type { MailCommand, MessageSink } from '#model/reception.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { PolicyAction } from '#store/settings/option.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'

import type { Arrival } from '#store/mailbox/commit.ts'

import { DeliveryPlanner, commitsOf, isBeaten, replyOf, uidOf } from './delivery-jobs.ts'
import type { Job, PlannerOptions } from './delivery-jobs.ts'
import type { Destination } from './destination.ts'
import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import { Filings } from './filings.ts'
import { sieveContent } from '#engine/sieve/content.ts'

export interface DeliveryOptions extends PlannerOptions {
  readonly mailboxes: DeliveryMailboxes
  readonly events: EventSink
  /** Called after a delivery that may have put something into the outbox. */
  readonly filed: () => void
}

/** One message on its way to mailboxes. */
export interface ArrivingMail {
  readonly command: Pick<MailCommand, 'reversePath' | 'body' | 'smtpUtf8' | 'handed'>
  readonly deliveryId: string
  readonly destinations: readonly Destination[]
  /** What stands in front of its octets: the Received field of this transaction. */
  readonly trace: Octets
  /** A 250 was said for it earlier: scripts can refuse it no more. */
  readonly isAccepted: boolean
  readonly arrival?: Arrival
}

export const STALLED: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'Storage does not answer; try again',
}
export const FULL: Reply = { code: 452, status: '4.3.1', text: 'Storage is full; try again later' }

/** How often a mail is planned anew that others have come before. */
const ROUNDS_MAX = 5

/** Takes one message's octets, then files it: one commit for all its recipients, one reply for each. */
export class DeliverySink implements MessageSink {
  readonly #mail: ArrivingMail
  readonly #options: DeliveryOptions
  readonly #filings: Filings
  #head: Octets[] = []
  #sizeBytes = 0
  #large: LargeHandle | undefined
  /** The first fault of a large write; told at the end. */
  #fault: unknown
  #refused: readonly (Reply | undefined)[] = []

  constructor(mail: ArrivingMail, options: DeliveryOptions) {
    this.#mail = mail
    this.#options = options
    this.#filings = new Filings(options, mail.destinations)
    this.#filings.askAhead()
  }

  /** All that was written; undefined where it is more than is kept in memory. */
  get octets(): readonly Octets[] | undefined {
    return this.#sizeBytes <= RECORD_BYTES_MAX ? this.#head : undefined
  }

  /** What scripts have refused, by the place of the recipient: known though `file` has thrown. */
  get refused(): readonly (Reply | undefined)[] {
    return this.#refused
  }

  async write(octets: Octets): Promise<void> {
    this.#sizeBytes += octets.byteLength
    if (this.#fault !== undefined) return
    if (this.#large === undefined && this.#sizeBytes <= RECORD_BYTES_MAX) {
      this.#head.push(octets.slice())
      return
    }
    try {
      await this.#stream(octets)
    } catch (thrown) {
      this.#fault = thrown
    }
  }

  async #stream(octets: Octets): Promise<void> {
    const { mailboxes } = this.#options
    if (this.#large === undefined) {
      this.#large = (await mailboxes.openLarge()).handle
      await mailboxes.appendLarge({ handle: this.#large, octets: concatOctets(this.#head) })
    }
    await mailboxes.appendLarge({ handle: this.#large, octets })
  }

  async abort(): Promise<void> {
    const handle = this.#large
    this.#large = undefined
    this.#head = []
    if (handle !== undefined)
      await this.#options.mailboxes.abortLarge({ handle }).catch(() => undefined)
  }

  async finish(): Promise<readonly Reply[]> {
    try {
      return await this.file()
    } catch (thrown) {
      return this.failed(thrown)
    }
  }

  /** The end of what `file` could not do: nothing is kept, and the peer is told to come again. */
  async failed(thrown: unknown): Promise<readonly Reply[]> {
    this.#options.log.warn('deliver.failed', { cause: messageOf(thrown) })
    await this.abort()
    const reply = isFault(thrown, 'full') ? FULL : STALLED
    return this.#mail.destinations.map(() => reply)
  }

  /**
   * Files it; one reply a recipient. Where it throws, its commit may have been made all the same: a
   * second one of the same delivery id changes nothing.
   */
  async file(): Promise<readonly Reply[]> {
    if (this.#fault !== undefined) throw this.#fault
    const { clock } = this.#options
    const { command, deliveryId, destinations, isAccepted } = this.#mail
    const head = concatOctets(this.#head.length === 0 ? [emptyOctets] : this.#head)
    const message = sieveContent(head, this.#sizeBytes, command.handed?.verdict)
    const { trace } = this.#mail
    const planned = { deliveryId, command, message, isAccepted, trace }
    const planner = new DeliveryPlanner(this.#options, planned)
    const jobs = await planner.jobs(destinations, this.#filings)
    const jobsOf = await inSlices(byDestination(jobs, destinations.length))
    const refused = () => inSlices(refusalsOf(destinations, jobsOf))
    this.#refused = await refused()
    const commits = jobs.filter((job) => job.plan.refusal === undefined)
    if (commits.length === 0) await this.abort()
    else await this.#commit(commits)
    await this.#commitBeaten(planner, commits)
    this.#refused = await refused()
    await this.#tell(jobs, deliveryId, clock.nowMs())
    if (jobs.some((job) => job.plan.outbox.length > 0 || job.forwards.length > 0))
      this.#options.filed()
    return inSlices(repliesOf(destinations, jobsOf, this.#options.overQuota?.() ?? 'defer'))
  }

  /** Each round knows of one mail more; the octets of a large one are used up: its peer comes again. */
  async #commitBeaten(planner: DeliveryPlanner, jobs: readonly Job[]): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX && this.#large === undefined; round++) {
      const beaten = jobs.filter(isBeaten)
      for (const job of beaten) await planner.replan(job)
      const again = beaten.filter(
        (job) => job.result === undefined && job.plan.refusal === undefined,
      )
      if (again.length === 0) return
      await this.#commit(again)
    }
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const { trace, arrival } = this.#mail
    const content: Content =
      this.#large === undefined
        ? { octets: [trace, ...this.#head] }
        : { prefix: trace, large: this.#large }
    const { contents, commits } = await inSlices(commitsOf(jobs))
    const { results } = await this.#options.mailboxes.commit({
      contents: [content, ...contents],
      commits,
      ...(arrival !== undefined && { arrival }),
    })
    for (const [i, job] of jobs.entries()) job.result = results[i]
  }

  async #tell(jobs: readonly Job[], deliveryId: string, atMs: number): Promise<void> {
    const turns = new Turns()
    for (const { accountId, recipient, plan, forwards, result } of jobs) {
      if (turns.isOver) await turns.next()
      for (const { place, line, message } of plan.trouble)
        this.#options.events.emit({
          atMs,
          name: 'sieve.failed',
          deliveryId,
          fields: { accountId, script: place, line: line ?? null, cause: message.slice(0, 500) },
        })
      this.#options.events.emit({
        atMs,
        name: result?.kind === 'committed' ? 'store.filed' : `store.${result?.kind ?? 'rejected'}`,
        deliveryId,
        fields: {
          recipient: formatAddress(recipient),
          accountId,
          mailboxes: plan.filed.join(', '),
          uid: uidOf(result) ?? null,
          sent: plan.outbox.length + forwards.length,
        },
      })
    }
  }
}

/** The jobs of each destination, by its place. */
function* byDestination(jobs: readonly Job[], count: number): Steps<readonly (readonly Job[])[]> {
  const found: Job[][] = Array.from({ length: count }, () => [])
  for (const job of jobs) {
    for (const index of job.indexes) found[index]!.push(job)
    yield
  }
  return found
}

/** What scripts have refused, by the place of its destination. */
function* refusalsOf(
  destinations: readonly Destination[],
  jobsOf: readonly (readonly Job[])[],
): Steps<readonly (Reply | undefined)[]> {
  const refusals: (Reply | undefined)[] = []
  for (const [index, destination] of destinations.entries()) {
    const own = jobsOf[index]!
    const isRefused = own.some((job) => job.plan.refusal !== undefined)
    refusals.push(isRefused ? replyOf(destination, own, 'defer') : undefined)
    yield
  }
  return refusals
}

function* repliesOf(
  destinations: readonly Destination[],
  jobsOf: readonly (readonly Job[])[],
  overQuota: PolicyAction,
): Steps<readonly Reply[]> {
  const replies: Reply[] = []
  for (const [index, destination] of destinations.entries()) {
    replies.push(replyOf(destination, jobsOf[index]!, overQuota))
    yield
  }
  return replies
}
