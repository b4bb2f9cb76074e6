import { concatOctets, emptyOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, isFault, messageOf, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import { headerLength } from '#codec/mime/header.ts'
import { compileSieve } from '#codec/sieve/compile.ts'
import type { SieveProgram } from '#codec/sieve/program.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey, formatAddress, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { transmissionType } from '#model/envelope.ts'
import type { Recipient } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { Reply } from '#model/reply.ts'
import type { MailCommand, MessageSink, Reception, Transaction } from '#model/reception.ts'
import { convert } from '#engine/route/convert.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { Directory } from '#store/directory/directory.ts'
import type {
  AccountCommit,
  AccountCommitResult,
  MailboxStore,
  OutboxEntry,
} from '#store/mailbox/mailbox-store.ts'

import { DEFAULT_SCRIPT } from './default-script.ts'
import { entryId } from './entry-id.ts'
import { planDelivery } from './plan.ts'
import type { DeliveryPlan } from './plan.ts'
import { sieveContent } from './sieve-message.ts'

export interface StoreReceptionOptions {
  readonly directory: Directory
  readonly mailboxes: MailboxStore
  /** The administrator's script; undefined: the one that comes with Watari. */
  readonly adminScript: () => string | undefined
  readonly hostname: string
  /** Makes delivery ids for mail of foreign gateways. */
  readonly newDeliveryId: () => string
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
  /** Called after a delivery that may have put something into the outbox. */
  readonly filed: () => void
  /** How the storage is: anything but `ready` refuses mail before it is sent. */
  readonly unready: () => string
}

/** LMTP into the mail store: each recipient's scripts run, then one commit, then one reply a recipient (RFC 2033 §4.2). */
export function storeReception(options: StoreReceptionOptions): Reception {
  return {
    unready: () => undefined,
    mail: (command) => {
      const state = options.unready()
      if (state === 'ready') return Promise.resolve(ok(new StoreTransaction(command, options)))
      return Promise.resolve(err(state === 'full' ? FULL : STALLED))
    },
  }
}

const UNAVAILABLE: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'The directory is not available now; try again later',
}
const STALLED: Reply = { code: 451, status: '4.3.0', text: 'Storage does not answer; try again' }
const FULL: Reply = { code: 452, status: '4.3.1', text: 'Storage is full; try again later' }

/** Who gets the mail: an account here, and addresses elsewhere that an alias or a forward named. */
interface Destination {
  readonly recipient: Address
  readonly accounts: readonly AccountId[]
  readonly elsewhere: readonly Address[]
  /** All of it leaves: the account keeps nothing, its outbox carries it. */
  readonly leaves?: true
}

class StoreTransaction implements Transaction {
  readonly #command: MailCommand
  readonly #options: StoreReceptionOptions
  readonly #destinations: Destination[] = []

  constructor(command: MailCommand, options: StoreReceptionOptions) {
    this.#command = command
    this.#options = options
  }

  rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const { directory } = this.#options
    if (directory.seq === 0) return Promise.resolve(UNAVAILABLE)
    const found = this.#destination(recipient.address)
    if (found.ok) this.#destinations.push(found.value)
    return Promise.resolve(found.ok ? undefined : found.error)
  }

  #destination(address: Address): Outcome<Destination, Reply> {
    const { directory } = this.#options
    const converted = convert(address, directory)
    if (!converted.ok)
      return err({ code: 554, status: '5.4.6', text: 'The address leads back to itself' })
    const { targets } = converted.value
    const accounts = targets.flatMap((target) =>
      target.accountId === undefined ? [] : [target.accountId],
    )
    // A joined gateway has expanded aliases and forwards already: what is left is the account itself.
    if (this.#command.handed !== undefined) {
      const own = ownAccount(address, directory, () => undefined)
      if (own !== undefined) return ok({ recipient: address, accounts: [own], elsewhere: [] })
    }
    const elsewhere = targets
      .filter((target) => target.class === 'remote' || target.class === 'relay')
      .map((target) => target.address)
    const isOurs = directory.domain(address.domain) !== undefined
    if (isOurs && accounts.length === 0 && elsewhere.length > 0) {
      const forwarding = ownAccount(address, directory, directory.alias.bind(directory))
      if (forwarding !== undefined)
        return ok({ recipient: address, accounts: [forwarding], elsewhere, leaves: true })
    }
    // Mail that would only pass through belongs to a gateway: here is no queue for it.
    if (!isOurs || accounts.length === 0)
      return err({
        code: 550,
        status: '5.1.1',
        text: `<${formatAddress(address)}>: no such mailbox here`,
      })
    return ok({ recipient: address, accounts, elsewhere })
  }

  data(): Promise<Outcome<MessageSink, Reply>> {
    return Promise.resolve(ok(new DeliverySink(this.#command, this.#destinations, this.#options)))
  }

  abort(): void {
    this.#destinations.length = 0
  }
}

/** The account of an address after conversion, forwards left aside. */
function ownAccount(
  address: Address,
  directory: Directory,
  alias: Directory['alias'],
): AccountId | undefined {
  const plain = {
    account: directory.account.bind(directory),
    alias,
    byAddress: directory.byAddress.bind(directory),
    domain: directory.domain.bind(directory),
    forward: () => undefined,
    route: directory.route.bind(directory),
  }
  const converted = convert(address, plain)
  if (!converted.ok) return undefined
  return converted.value.targets.find(({ accountId }) => accountId !== undefined)?.accountId
}

class DeliverySink implements MessageSink {
  readonly #command: MailCommand
  readonly #destinations: readonly Destination[]
  readonly #options: StoreReceptionOptions
  #head: Octets[] = []
  #sizeBytes = 0
  #large: LargeHandle | undefined
  /** The first fault of a large write; told at the end. */
  #fault: unknown

  constructor(
    command: MailCommand,
    destinations: readonly Destination[],
    options: StoreReceptionOptions,
  ) {
    this.#command = command
    this.#destinations = destinations
    this.#options = options
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
      if (this.#fault !== undefined) throw this.#fault
      return await this.#deliver()
    } catch (thrown) {
      this.#options.log.warn('deliver.failed', { cause: messageOf(thrown) })
      await this.abort()
      const reply = isFault(thrown, 'full') ? FULL : STALLED
      return this.#destinations.map(() => reply)
    }
  }

  async #deliver(): Promise<readonly Reply[]> {
    const { mailboxes, clock } = this.#options
    const deliveryId = this.#command.handed?.deliveryId ?? this.#options.newDeliveryId()
    const head = concatOctets(this.#head.length === 0 ? [emptyOctets] : this.#head)
    const message = sieveContent(
      head.subarray(0, headerLength(head)),
      this.#sizeBytes,
      this.#command.handed?.verdict,
    )
    const jobs = await this.#jobs(deliveryId, message)
    const commits = jobs.filter((job) => job.plan.refusal === undefined)
    const content: Content =
      this.#large === undefined
        ? { octets: this.#received(deliveryId, this.#head) }
        : { prefix: concatOctets(this.#received(deliveryId, [])), large: this.#large }
    const results =
      commits.length === 0
        ? []
        : (
            await mailboxes.commit({
              contents: [content],
              commits: commits.map(accountCommit),
            })
          ).results
    if (commits.length === 0) await this.abort()
    for (const [i, job] of commits.entries()) job.result = results[i]
    this.#tell(jobs, deliveryId, clock.nowMs())
    if (jobs.some((job) => job.plan.outbox.length > 0 || job.forwards.length > 0))
      this.#options.filed()
    return this.#destinations.map((destination, index) =>
      replyOf(
        destination,
        jobs.filter((job) => job.indexes.includes(index)),
      ),
    )
  }

  /** One job an account and detail, whatever leads there; one entry for each address elsewhere. */
  async #jobs(deliveryId: string, message: ReturnType<typeof sieveContent>): Promise<Job[]> {
    const jobs = new Map<string, Job>()
    const sent = new Set<string>()
    for (const [index, destination] of this.#destinations.entries()) {
      const { recipient, accounts, leaves } = destination
      const copyId = `${deliveryId}${detailOf(recipient)}`
      const own: Job[] = []
      for (const accountId of accounts) {
        const key = `${accountId} ${copyId}`
        const job = jobs.get(key) ?? {
          indexes: [],
          accountId,
          recipient,
          copyId,
          forwards: [],
          plan:
            leaves === true
              ? NOTHING_FILED
              : await this.#plan(accountId, recipient, deliveryId, message),
        }
        jobs.set(key, job)
        job.indexes.push(index)
        own.push(job)
      }
      // An alias or forward to elsewhere leaves with the first account's commit that is made.
      const carrier = own.find((job) => job.plan.refusal === undefined)
      const elsewhere = destination.elsewhere.filter((address) => !sent.has(addressKey(address)))
      if (carrier === undefined || elsewhere.length === 0) continue
      for (const address of elsewhere) sent.add(addressKey(address))
      carrier.forwards.push(this.#forward({ recipient, elsewhere }, deliveryId))
    }
    return [...jobs.values()]
  }

  async #plan(
    accountId: AccountId,
    recipient: Address,
    deliveryId: string,
    message: ReturnType<typeof sieveContent>,
  ): Promise<DeliveryPlan> {
    const { mailboxes, clock, log } = this.#options
    const [{ script }, names] = await Promise.all([
      mailboxes.script({ accountId }),
      mailboxes.mailboxes({ accountId }),
    ])
    const existing = new Set(names.mailboxes.map((row) => row.path.join('/')))
    const plan = planDelivery(
      {
        deliveryId,
        reversePath: this.#command.reversePath,
        recipient,
        body: this.#command.body,
        smtpUtf8: this.#command.smtpUtf8,
        nowMs: clock.nowMs(),
        message: {
          ...message,
          envelopeFrom: this.#command.reversePath,
          envelopeTo: recipient,
          mailboxExists: (name) => existing.has(/^inbox$/i.test(name) ? 'INBOX' : name),
        },
      },
      this.#programs(script?.text),
    )
    if (plan.error !== undefined) log.warn('sieve.failed', { accountId, cause: plan.error })
    return plan
  }

  #programs(own: string | undefined): SieveProgram[] {
    return [this.#options.adminScript() ?? DEFAULT_SCRIPT, own ?? ''].flatMap((text) => {
      const compiled = compileSieve(text)
      // A script that does not check never stands in the way of mail.
      if (!compiled.ok)
        this.#options.log.warn('sieve.invalid', { cause: compiled.error[0]?.message })
      return compiled.ok ? [compiled.value] : []
    })
  }

  #forward(
    destination: Pick<Destination, 'recipient' | 'elsewhere'>,
    deliveryId: string,
  ): OutboxEntry {
    return {
      id: entryId(deliveryId, destination.recipient, 'forward'),
      kind: 'forward',
      reversePath: this.#command.reversePath,
      recipients: destination.elsewhere,
      body: this.#command.body,
      smtpUtf8: this.#command.smtpUtf8,
      content: 0,
    }
  }

  /** One Received field a transaction (RFC 5321 §4.4), shared by all its recipients. */
  #received(deliveryId: string, octets: readonly Octets[]): readonly Octets[] {
    const { hostname, clock } = this.#options
    const { peer, smtpUtf8 } = this.#command
    const from = peer.helo ?? 'localhost'
    const protocol = transmissionType(peer, smtpUtf8)
    const date = new Date(clock.nowMs()).toUTCString().replace('GMT', '+0000')
    const field = `Received: from ${from} (${peer.ip})\r\n by ${hostname} with ${protocol} id ${deliveryId};\r\n ${date}\r\n`
    return [fromUtf8(field), ...octets]
  }

  #tell(jobs: readonly Job[], deliveryId: string, atMs: number): void {
    for (const { accountId, recipient, plan, forwards, result } of jobs)
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

const NOTHING_FILED: DeliveryPlan = { changes: [], outbox: [], filed: [] }

interface Job {
  /** The recipients of the transaction that lead here. */
  readonly indexes: number[]
  readonly accountId: AccountId
  readonly recipient: Address
  /** What the store knows this copy by: a second one changes nothing. */
  readonly copyId: string
  readonly plan: DeliveryPlan
  readonly forwards: OutboxEntry[]
  result?: AccountCommitResult | undefined
}

/** Each detail is a copy of its own, as conversion counts them: a script may file it elsewhere (RFC 5233 §4). */
function detailOf(recipient: Address): string {
  const key = addressKey(recipient)
  return key.slice(addressKey(withoutDetail(recipient)).lastIndexOf('@'), key.lastIndexOf('@'))
}

const accountCommit = ({ accountId, copyId, plan, forwards }: Job): AccountCommit => ({
  accountId,
  changes: plan.changes,
  outbox: [...plan.outbox, ...forwards],
  deliveryId: copyId,
})

function uidOf(result: AccountCommitResult | undefined): number | undefined {
  if (result?.kind !== 'committed') return undefined
  const first = result.results[0]
  return first?.kind === 'append' ? first.uid : undefined
}

function replyOf(destination: Destination, jobs: readonly Job[]): Reply {
  const to = `<${formatAddress(destination.recipient)}>`
  const refused = jobs.find((job) => job.plan.refusal !== undefined)
  if (refused !== undefined)
    return {
      code: 550,
      status: '5.7.1',
      text: refused.plan.refusal!.split(/\r?\n/).filter(Boolean),
    }
  const failed = jobs.find((job) => job.result?.kind === 'refused')
  if (failed?.result?.kind === 'refused')
    return { code: 452, status: '4.2.2', text: `${to}: ${failed.result.refusal.text}` }
  return { code: 250, status: '2.1.5', text: `${to} delivered` }
}
