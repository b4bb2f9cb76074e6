import { emptyOctets, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import type { SieveAction, SieveRedirect } from '#engine/sieve/action.ts'
import { editedOctets } from '#engine/sieve/edited.ts'
import { removeFlags } from '#engine/sieve/flags.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import { runSieve } from '#engine/sieve/run.ts'
import { addressKey, needsSmtpUtf8 } from '#model/address.ts'
import { DELETED, isSamePath } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { MailboxChange, Memory, OutboxEntry } from '#store/mailbox/commit.ts'
import type { EmailPlace } from '#store/mailbox/stored-email.ts'

import { appended, filingPlace, splitFlags } from './carry-out.ts'
import { entryId } from './entry-id.ts'
import type { MailOwner } from './mail-owner.ts'
import { freePlace, notification, NOTIFICATIONS_PER_HOUR_MAX } from './notification.ts'
import type { Delivery } from './delivery.ts'
import { troubleMail, troubleMemory } from './script-trouble.ts'
import type { ScriptTrouble } from './script-trouble.ts'

/** A message to which something has happened. */
export interface Happened {
  /** Where it lies. */
  readonly place: EmailPlace
  readonly mailbox: MailboxPath
  /** As if it were delivered to its owner; `message.flags` are those that it has now. */
  readonly delivery: Delivery & { readonly owner: MailOwner }
}

/** What is committed for it: nothing, where all is as it was. */
export interface EventPlan {
  /** Of their contents 0 is the message as it stands, 1 the first of `contents`, and so on. */
  readonly changes: readonly MailboxChange[]
  readonly contents: readonly Octets[]
  readonly outbox: readonly OutboxEntry[]
  readonly memories: readonly Memory[]
  readonly trouble?: ScriptTrouble
  /** What the script wanted and nobody gets, with why. */
  readonly unsent: readonly string[]
}

/** Runs the script of a mailbox on a message that stands in it (RFC 6785 §3). Pure. */
export function planEvent(program: SieveProgram, happened: Happened): EventPlan {
  const { delivery } = happened
  const run = runSieve(program, delivery.message, delivery.limits)
  if (!run.ok) return troublePlan({ place: 'mailbox', ...run.error }, happened)
  const { actions, implicitKeep, flags, memories = [] } = run.value
  // Of a large message only the beginning is at hand.
  const isTooLarge = delivery.message.isCut === true && actions.some(isFiledChanged)
  if (isTooLarge)
    return troublePlan({ place: 'mailbox', message: 'the message is too large' }, happened)
  const work = new EventWork(happened, implicitKeep ? flags : undefined)
  for (const action of actions) work.act(action)
  return work.plan(
    memories.map(({ key, seconds, isProlonged }) => ({
      key,
      untilMs: delivery.nowMs + seconds * SECOND_MS,
      isProlonged,
    })),
  )
}

const isFiledChanged = (action: SieveAction): boolean =>
  action.kind === 'fileinto' && action.edited !== undefined

/** The message stays as it is, and its owner is told once a day. */
export function troublePlan(trouble: ScriptTrouble, { delivery }: Happened): EventPlan {
  const { owner, recipient, deliveryId, nowMs } = delivery
  const to = owner.addresses[0] ?? recipient
  const memory = troubleMemory(trouble, nowMs)
  const target = { path: ['INBOX'], create: false, flags: [] }
  return {
    changes: [{ ...appended(target, nowMs), content: 1, once: memory.key }],
    contents: [troubleMail({ trouble, to, owner, id: deliveryId, nowMs })],
    outbox: [],
    memories: [memory],
    trouble,
    unsent: [],
  }
}

class EventWork {
  readonly #happened: Happened
  readonly #changes: MailboxChange[] = []
  readonly #contents: Octets[] = []
  readonly #outbox: OutboxEntry[] = []
  readonly #memories: Memory[] = []
  readonly #unsent: string[] = []
  #notifications = 0
  #redirects = 0
  /** Flags of the message where it stands; undefined: it is given away. */
  #kept: readonly string[] | undefined

  constructor(happened: Happened, kept: readonly string[] | undefined) {
    this.#happened = happened
    this.#kept = kept
  }

  act(action: SieveAction): void {
    switch (action.kind) {
      case 'keep':
        this.#kept = action.flags
        return
      case 'fileinto':
        return this.#file(action)
      case 'redirect':
        return this.#redirect(action)
      case 'notify':
        return this.#notify(action)
      case 'discard':
        return
      case 'reject':
      case 'vacation':
        throw new Error(`${action.kind} is refused at an event`)
    }
  }

  plan(memories: readonly Memory[]): EventPlan {
    return {
      changes: [...this.#changes, ...this.#flagChanges()],
      contents: this.#contents,
      outbox: this.#outbox,
      memories: [...this.#memories, ...memories],
      unsent: this.#unsent,
    }
  }

  /** RFC 6785 §3.3: always a message of its own. Into the mailbox where it is, it is kept. */
  #file(action: Extract<SieveAction, { kind: 'fileinto' }>): void {
    const { place, mailbox, delivery } = this.#happened
    const target = filingPlace(action, delivery.message)
    if (target === undefined || isSamePath(target.path, mailbox)) {
      this.#kept ??= action.flags
      return
    }
    const { internalDateMs } = place
    const { edited } = action
    if (edited !== undefined) {
      const octets = editedOctets(edited, delivery.message.content ?? emptyOctets)
      const content = this.#contents.push(octets)
      this.#changes.push({
        ...appended({ ...target, flags: action.flags }, internalDateMs),
        content,
      })
      return
    }
    const { path, create, use } = target
    this.#changes.push({
      kind: 'copy',
      from: place.mailboxId,
      uids: [place.uid],
      to: { path, create, ...(use !== undefined && { use }) },
      as: { ...splitFlags(action.flags), internalDateMs },
    })
  }

  /** RFC 6785 §3.4: the owner sends it, whoever had sent it before. */
  #redirect({ address, edited, dsn, deliverBy }: SieveRedirect): void {
    const { delivery } = this.#happened
    const { message, deliveryId, recipient, nowMs } = delivery
    const place = freePlace('redirect', delivery, this.#redirects)
    if (place === undefined) {
      this.#unsent.push(`redirect: more than ${NOTIFICATIONS_PER_HOUR_MAX} in an hour`)
      this.#kept ??= message.flags ?? []
      return
    }
    this.#redirects++
    // Not `once`: of two that have found the same place free, none may be lost.
    this.#memories.push({ key: place, untilMs: nowMs + HOUR_MS })
    const octets = message.content ?? emptyOctets
    const header = octets.subarray(0, headerLength(octets))
    this.#outbox.push({
      id: entryId(deliveryId, recipient, addressKey(address)),
      kind: 'redirect',
      reversePath: recipient,
      recipients: [address],
      ...(dsn !== undefined && { dsn }),
      ...(deliverBy !== undefined && { deliverBy }),
      body: message.isCut === true || !isAscii(octets) ? '8bitmime' : '7bit',
      smtpUtf8: [address, recipient].some(needsSmtpUtf8) || !isAscii(header),
      content: edited === undefined ? 0 : withoutTrace(editedOctets(edited, octets)),
    })
  }

  #notify(action: Extract<SieveAction, { kind: 'notify' }>): void {
    const { delivery } = this.#happened
    const sent = notification(action, delivery, delivery.owner, this.#notifications)
    if (typeof sent === 'string') {
      this.#unsent.push(`notify: ${sent}`)
      return
    }
    this.#notifications++
    this.#outbox.push(sent.entry)
    if (sent.memory !== undefined) this.#memories.push(sent.memory)
    const target = action.fcc && filingPlace(action.fcc, delivery.message)
    if (action.fcc === undefined || target === undefined) return
    const content = this.#contents.push(sent.entry.content)
    this.#changes.push({
      ...appended({ ...target, flags: action.fcc.flags }, delivery.nowMs),
      content,
      ...(sent.memory !== undefined && { once: sent.memory.key }),
    })
  }

  /** What the script has changed of them, and no more: others may have changed another meanwhile. */
  #flagChanges(): MailboxChange[] {
    const { place, delivery } = this.#happened
    const { mailboxId, uid } = place
    const before = delivery.message.flags ?? []
    const kept = this.#kept
    const change = (mode: 'add' | 'remove', bits: { flags: number; keywords: readonly string[] }) =>
      ({ kind: 'setFlags', mailboxId, uids: [uid], mode, ...bits }) satisfies MailboxChange
    // RFC 6785 §2.2.4: what is given away is \Deleted, and not expunged: its owner may want it back.
    if (kept === undefined) return [change('add', { flags: DELETED, keywords: [] })]
    const added = removeFlags(kept, before)
    const removed = removeFlags(before, kept)
    return [
      ...(added.length > 0 ? [change('add', splitFlags(added))] : []),
      ...(removed.length > 0 ? [change('remove', splitFlags(removed))] : []),
    ]
  }
}

/** A message as it is sent on: without the fields of its delivery to the owner (RFC 5321 §4.4). */
export function withoutTrace(octets: Octets): Octets {
  let at = 0
  for (const { key, range } of headerFields(octets.subarray(0, headerLength(octets)))) {
    if (key !== 'return-path' && key !== 'delivered-to') break
    at = range.offset + range.length
  }
  return octets.subarray(at)
}
