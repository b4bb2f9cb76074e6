import type { Log } from '#base/log.ts'
import { localZoneMinutes } from '#base/time.ts'
import { Turns } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import type { Clock } from '#base/time.ts'
import type { Octets } from '#base/octets.ts'
import { SCRIPT_OF_EVERYBODY } from '#engine/choices/chosen-script.ts'
import { asciiLower } from '#base/text.ts'
import { ENVIRONMENT } from '#engine/sieve/extensions/environment.ts'
import type { SieveLists, SieveMessage } from '#engine/sieve/message.ts'
import type { SieveLimits } from '#engine/sieve/run.ts'
import type { AccountId } from '#model/account.ts'
import { INCOMING, renderEnvelope } from '#engine/list/incoming.ts'
import { addressKey, formatAddress, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { SPECIAL_USES } from '#model/mailbox.ts'
import type { MailCommand } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { PolicyAction } from '#store/settings/option.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { AccountCommit, AccountCommitResult, OutboxEntry } from '#store/mailbox/commit.ts'
import type { AccountFiling } from '#store/mailbox/mailbox-store.ts'

import { compiledSieve } from './compiled-sieve.ts'
import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import type { DestinedList, Destination } from './destination.ts'
import { entryId } from './entry-id.ts'
import { Filings } from './filings.ts'
import { includedScripts } from './included-scripts.ts'
import type { MailOwner } from './mail-owner.ts'
import { planDelivery } from './plan.ts'
import type { PlacedScript } from './plan.ts'
import type { Delivery, DeliveryPlan } from './delivery.ts'
import { annotationsFor } from './script-annotations.ts'
import { Recollection } from './recollection.ts'
import { isTrouble } from './script-trouble.ts'
import type { ScriptPlace } from './script-trouble.ts'
import type { sieveContent } from '#engine/sieve/content.ts'

/** One account's share of a delivery. */
export interface Job {
  /** The recipients of the transaction that lead here. */
  readonly indexes: number[]
  readonly accountId: AccountId
  readonly recipient: Address
  readonly dsn?: Destination['dsn'] & {}
  /** What the store knows this copy by: a second one changes nothing. */
  readonly copyId: string
  plan: DeliveryPlan
  readonly forwards: OutboxEntry[]
  result?: AccountCommitResult | undefined
}

/** What the jobs of one transaction have in common. */
interface DeliveredMail {
  readonly deliveryId: string
  readonly command: Pick<
    MailCommand,
    'reversePath' | 'body' | 'smtpUtf8' | 'handed' | 'ret' | 'envid'
  >
  readonly message: ReturnType<typeof sieveContent>
  readonly isAccepted: boolean
  readonly trace: Octets
}

export interface PlannerOptions {
  readonly mailboxes: Pick<DeliveryMailboxes, 'filing' | 'remembered' | 'script' | 'annotations'>
  /** The administrator's scripts, before and after all others; absent: there are none. */
  readonly adminScripts?: () => { readonly before: string; readonly after: string }
  /** What scripts may do; absent: as much as is usual. */
  readonly limits?: () => SieveLimits
  /** Whose an account is; absent: nothing is sent in anybody's name. */
  readonly owner?: (accountId: AccountId) => MailOwner | undefined
  /** The script of what an account's owner has chosen; absent: everybody is filed for alike. */
  readonly chosenScript?: (accountId: AccountId) => string
  /** The lists that an account's scripts may ask; absent: there are none. */
  readonly lists?: (accountId: AccountId) => SieveLists
  /** What an account over its quota answers; absent: it defers. */
  readonly overQuota?: () => PolicyAction
  readonly clock: Clock
  readonly log: Log
}

/** Makes of a mail's destinations what each account's commit holds: its scripts are run here. */
export class DeliveryPlanner {
  readonly #options: PlannerOptions
  readonly #mail: DeliveredMail

  constructor(options: PlannerOptions, mail: DeliveredMail) {
    this.#options = options
    this.#mail = mail
  }

  /** One job an account and detail, whatever leads there; one entry for each address elsewhere. */
  async jobs(
    destinations: readonly Destination[],
    filings = new Filings(this.#options, destinations),
  ): Promise<readonly Job[]> {
    const { deliveryId } = this.#mail
    const jobs = new Map<string, Job>()
    const sent = new Set<string>()
    const turns = new Turns()
    for (const [index, destination] of destinations.entries()) {
      if (turns.isOver) await turns.next()
      const { recipient, accounts, leaves } = destination
      const copyId = copyIdOf(deliveryId, recipient)
      const own: Job[] = []
      for (const accountId of accounts) {
        const key = `${accountId} ${copyId}`
        const job = jobs.get(key) ?? {
          indexes: [],
          accountId,
          recipient,
          ...(destination.dsn !== undefined && { dsn: destination.dsn }),
          copyId,
          forwards: [],
          plan:
            leaves === true
              ? NOTHING_FILED
              : await this.#plan(accountId, destination, await filings.of(accountId)),
        }
        jobs.set(key, job)
        job.indexes.push(index)
        own.push(job)
      }
      for (const list of destination.lists ?? []) {
        const listCopyId = `${deliveryId} ${list.purpose}${detailOf(list.address)}`
        const key = `${list.id} ${listCopyId}`
        const job = jobs.get(key) ?? {
          indexes: [],
          accountId: list.id,
          recipient: list.address,
          copyId: listCopyId,
          forwards: [],
          plan: this.#toList(list),
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
      carrier.forwards.push(this.#forward({ recipient, elsewhere }))
    }
    return [...jobs.values()]
  }

  /**
   * Plans it anew: another delivery has left in memory what its scripts took for unknown. One that would be
   * refused now, and has others' mail to send on, stays as it is: its peer comes again.
   */
  async replan(job: Job): Promise<void> {
    const { accountId } = job
    const { accounts } = await this.#options.mailboxes.filing({ accountIds: [accountId] })
    const plan = await this.#plan(accountId, job, accounts[0]!)
    if (plan.refusal !== undefined && job.forwards.length > 0) return
    job.plan = plan
    job.result = undefined
  }

  async #plan(
    accountId: AccountId,
    { recipient, dsn }: Pick<Destination, 'recipient' | 'dsn'>,
    filing: AccountFiling,
  ): Promise<DeliveryPlan> {
    const { clock, log, owner, mailboxes, limits, lists } = this.#options
    const { deliveryId, command, message, isAccepted, trace } = this.#mail
    const recollection = new Recollection(mailboxes, accountId)
    const whose = owner?.(accountId)
    const scripts = this.#scripts(accountId, filing.script)
    const programs = scripts.flatMap((each) => ('program' in each ? [each.program] : []))
    const isIncluding = programs.some(({ includes }) => includes.length > 0)
    const included = isIncluding ? await includedScripts(mailboxes, accountId, programs) : undefined
    const all = [...programs, ...(included?.programs ?? [])]
    const annotation = await annotationsFor(mailboxes, accountId, all)
    const isListing = all.some(({ extensions }) => extensions.has('extlists'))
    const delivery: Delivery = {
      deliveryId,
      reversePath: command.reversePath,
      recipient,
      body: command.body,
      smtpUtf8: command.smtpUtf8,
      nowMs: clock.nowMs(),
      isAccepted,
      trace,
      ...(whose !== undefined && { owner: whose }),
      ...(limits !== undefined && { limits: limits() }),
      message: {
        ...message,
        envelopeFrom: command.reversePath,
        envelopeTo: recipient,
        envelopeDsn: envelopeDsn(dsn, command),
        nowMs: clock.nowMs(),
        zoneMinutes: localZoneMinutes,
        environment: ENVIRONMENT,
        mailboxExists: mailboxNames(filing),
        mailboxOf: (by) => mailboxOf(filing, by),
        remembered: recollection.remembered,
        ...(included !== undefined && { scripts: included.scripts }),
        ...(annotation !== undefined && { annotation }),
        ...(isListing && lists !== undefined && { lists: lists(accountId) }),
      },
    }
    const plan = await recollection.run(() => planDelivery(delivery, scripts))
    for (const { place, line, message: cause } of plan.trouble)
      log.warn('sieve.failed', { accountId, place, line, cause })
    return plan
  }

  /** What the list makes of it is settled where its mailboxes are, after our 250 (`engine/list/keeper.ts`). */
  #toList({ purpose, address }: DestinedList): DeliveryPlan {
    const { deliveryId, command } = this.#mail
    const { reversePath, body, smtpUtf8, handed } = command
    const verdict = handed?.verdict
    return {
      ...NOTHING_FILED,
      changes: [
        {
          kind: 'append',
          mailbox: { path: INCOMING, create: true },
          content: 0,
          flags: 0,
          keywords: [],
          internalDateMs: this.#options.clock.nowMs(),
          prefix: renderEnvelope({
            deliveryId,
            reversePath,
            body,
            smtpUtf8,
            purpose,
            address,
            ...(verdict !== undefined && { verdict }),
          }),
        },
      ],
      filed: [INCOMING.join('/')],
    }
  }

  /** In their order: each decides about what those before it have left in the inbox. */
  #scripts(accountId: AccountId, own: string | undefined): PlacedScript[] {
    const { adminScripts, chosenScript } = this.#options
    const { before = '', after = '' } = adminScripts?.() ?? {}
    return [
      ...placed('before', before),
      ...placed('choices', chosenScript?.(accountId) ?? SCRIPT_OF_EVERYBODY),
      ...placed('own', own ?? ''),
      ...placed('after', after),
    ]
  }

  #forward(destination: Pick<Destination, 'recipient' | 'elsewhere'>): OutboxEntry {
    const { deliveryId, command } = this.#mail
    return {
      id: entryId(deliveryId, destination.recipient, 'forward'),
      kind: 'forward',
      reversePath: command.reversePath,
      recipients: destination.elsewhere,
      body: command.body,
      smtpUtf8: command.smtpUtf8,
      content: 0,
    }
  }
}

/** A script that does not check never stands in the way of mail. */
export function placed(place: ScriptPlace, text: string): readonly PlacedScript[] {
  if (text === '') return []
  const compiled = compiledSieve(text)
  if (compiled.ok) return [{ place, program: compiled.value }]
  const { line, message } = compiled.error[0] ?? { message: 'it does not check' }
  return [{ place, trouble: { place, line, message } }]
}

export const mailboxNames = ({ mailboxes }: AccountFiling): ((name: string) => boolean) => {
  const existing = new Set(mailboxes.map((path) => path.join('/')))
  return (name) => existing.has(/^inbox$/i.test(name) ? 'INBOX' : name)
}

export function mailboxOf(
  { mailboxes, uses, ids = [] }: AccountFiling,
  { specialUse, mailboxId }: Parameters<NonNullable<SieveMessage['mailboxOf']>>[0],
): string | undefined {
  if (mailboxId !== undefined) {
    const nth = ids.findIndex((id) => id === mailboxId)
    return mailboxes[nth]?.join('/')
  }
  const wanted = asciiLower(specialUse ?? '')
  return uses.find(({ use }) => asciiLower(SPECIAL_USES[use]) === wanted)?.path.join('/')
}

const NOTHING_FILED: DeliveryPlan = {
  changes: [],
  contents: [],
  outbox: [],
  memories: [],
  filed: [],
  trouble: [],
  unsent: [],
}

/** What the store knows by: one copy for an account and detail. */
export const copyIdOf = (deliveryId: string, recipient: Address): string =>
  `${deliveryId}${detailOf(recipient)}`

/** Each detail is a copy of its own, as conversion counts them: a script may file it elsewhere (RFC 5233 §4). */
function detailOf(recipient: Address): string {
  const key = addressKey(recipient)
  return key.slice(addressKey(withoutDetail(recipient)).lastIndexOf('@'), key.lastIndexOf('@'))
}

/** Contents of one request: what a mail for very many makes beside itself is left out above it. */
const CONTENTS_MAX = 100

/** What the jobs' commits hold, with the contents that stand behind the message. */
export function* commitsOf(jobs: readonly Job[]): Steps<{
  readonly contents: readonly Content[]
  readonly commits: readonly AccountCommit[]
}> {
  const contents: Content[] = []
  const commits: AccountCommit[] = []
  for (const { accountId, copyId, plan, forwards } of jobs) {
    yield
    const hasRoom = contents.length + plan.contents.length < CONTENTS_MAX
    const before = contents.length
    if (hasRoom) contents.push(...plan.contents.map((octets) => ({ octets: [octets] })))
    // They are told by another mail: nothing is remembered of it.
    const memories = hasRoom ? plan.memories : plan.memories.filter(({ key }) => !isTrouble(key))
    commits.push({
      accountId,
      changes: plan.changes.flatMap((change) => {
        if (change.kind !== 'append' || change.content === 0) return [change]
        if (hasRoom) return [{ ...change, content: before + change.content }]
        // The mail itself is filed as it came.
        return change.content <= (plan.editedCount ?? 0) ? [{ ...change, content: 0 }] : []
      }),
      outbox: [...plan.outbox, ...forwards],
      deliveryId: copyId,
      ...(memories.length > 0 && { memories }),
    })
  }
  return { contents, commits }
}

/** The commit was refused since another copy of the mail came at the same moment (RFC 7352). */
export const isBeaten = ({ plan, result }: Job): boolean =>
  result?.kind === 'refused' &&
  result.refusal.code === 'conflict' &&
  plan.memories.some(({ isFirst }) => isFirst === true)

export function uidOf(result: AccountCommitResult | undefined): number | undefined {
  if (result?.kind !== 'committed') return undefined
  const first = result.results[0]
  return first?.kind === 'append' ? first.uid : undefined
}

/** RFC 3463 §3.3: the mailbox is full; for now, or for good as policy says. */
export const overQuotaReply = (recipient: Address, policy: PolicyAction): Reply => ({
  ...(policy === 'reject' ? { code: 552, status: '5.2.2' } : { code: 452, status: '4.2.2' }),
  text: `<${formatAddress(recipient)}>: The mailbox is full`,
})

/** LMTP's reply for one recipient (RFC 2033 §4.2). */
export function replyOf(
  destination: Destination,
  jobs: readonly Job[],
  overQuota: PolicyAction,
): Reply {
  const to = `<${formatAddress(destination.recipient)}>`
  const refused = jobs.find((job) => job.plan.refusal !== undefined)
  if (refused !== undefined)
    return {
      code: 550,
      status: '5.7.1',
      text: refused.plan.refusal!.split(/\r?\n/).filter(Boolean),
    }
  const failed = jobs.find((job) => job.result?.kind === 'refused')
  if (failed?.result?.kind === 'refused' && failed.result.refusal.code === 'quota')
    return overQuotaReply(destination.recipient, overQuota)
  if (failed?.result?.kind === 'refused')
    return { code: 452, status: '4.2.2', text: `${to}: ${failed.result.refusal.text}` }
  return { code: 250, status: '2.1.5', text: `${to} delivered` }
}

/** As scripts ask for it (RFC 6009 §4). */
const envelopeDsn = (
  { notify, original }: Destination['dsn'] & {} = {},
  { ret, envid }: Pick<MailCommand, 'ret' | 'envid'>,
): SieveMessage['envelopeDsn'] & {} => ({
  ...(notify !== undefined && {
    notify: notify.length === 0 ? ['NEVER'] : notify.map((event) => event.toUpperCase()),
  }),
  ...(original !== undefined && { orcpt: original }),
  ...(ret !== undefined && { ret: ret.toUpperCase() }),
  ...(envid !== undefined && { envid }),
})
