import { assertNever } from '#base/outcome.ts'
import { concatOctets, emptyOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { SieveAction, SieveEdited, SieveTarget, SieveRedirect } from '#engine/sieve/action.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import { editedOctets } from '#engine/sieve/edited.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import { FOREIGN_ROOTS, SPECIAL_USES, SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { MailboxPath, SpecialUse } from '#model/mailbox.ts'
import type { MailboxChange, Memory, OutboxEntry } from '#store/mailbox/commit.ts'

import { entryId, hasSentOn } from './entry-id.ts'
import { notification } from './notification.ts'
import type { Delivery, DeliveryPlan } from './delivery.ts'
import { troubleMail, troubleMemory } from './script-trouble.ts'
import type { ScriptTrouble } from './script-trouble.ts'
import { vacationAnswer } from './vacation.ts'
import type { AutomaticAnswer } from './vacation.ts'

interface Target {
  readonly path: MailboxPath
  readonly create: boolean
  readonly use?: SpecialUse | undefined
  readonly flags: readonly string[]
  /** Not the message as it came. */
  readonly edited?: SieveEdited | undefined
}

const INBOX: Target = { path: ['INBOX'], create: false, flags: [] }

/** Turns actions, one after the other, into what one commit holds. */
export class CarryOut {
  readonly #delivery: Delivery
  readonly #targets = new Map<string, Target>()
  readonly #copies: MailboxChange[] = []
  readonly #contents: Octets[] = []
  readonly #outbox: OutboxEntry[] = []
  readonly #memories: Memory[] = []
  readonly #unsent: string[] = []
  #hasAnswered = false
  #notifications = 0
  #refusal: string | undefined

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  act(action: SieveAction): void {
    const { deliveryId, recipient, isAccepted } = this.#delivery
    switch (action.kind) {
      case 'keep':
        return this.#file({ ...INBOX, flags: action.flags, edited: action.edited })
      case 'fileinto':
        return this.#file({ ...this.#target(action), edited: action.edited })
      case 'redirect':
        // RFC 5228 §10: a loop ends here, and the mail is kept instead of lost.
        if (hasSentOn(deliveryId, recipient)) this.#file(INBOX)
        else this.#redirect(action)
        return
      case 'reject':
        // Nobody is in a session any more, and nobody has verified the sender: a report would go to whoever
        // the sender claims to be (RFC 5429 §2.1.1), and mail that we took must not vanish. It is kept.
        if (isAccepted === true) this.#file(INBOX)
        else this.#refusal = action.reason
        return
      case 'vacation':
      case 'notify':
        return this.#send(action)
      case 'discard':
        return
      default:
        assertNever(action)
    }
  }

  /** Puts into INBOX, once a day, what its owner should know of a script. */
  tell(trouble: ScriptTrouble): void {
    const { owner, recipient, deliveryId, nowMs } = this.#delivery
    if (owner === undefined) return
    const to = owner.addresses[0] ?? recipient
    const memory = troubleMemory(trouble, nowMs)
    this.#memories.push(memory)
    this.#copy(troubleMail({ trouble, to, owner, id: deliveryId, nowMs }), INBOX, memory.key)
  }

  plan(): Omit<DeliveryPlan, 'trouble'> {
    const { nowMs } = this.#delivery
    const prefix = deliveryFields(this.#delivery)
    const edited: Octets[] = []
    const contentOf = (octets: Octets): number => {
      const known = edited.indexOf(octets)
      return known < 0 ? edited.push(octets) : known + 1
    }
    const filed = [...this.#targets.values()].map((target): MailboxChange => {
      const { edited: change } = target
      return {
        ...appended(target, nowMs),
        content: change?.kind === 'whole' ? contentOf(change.octets) : 0,
        prefix: change?.kind === 'prefixed' ? concatOctets([prefix, change.prefix]) : prefix,
      }
    })
    const copies = this.#copies.map((copy) =>
      copy.kind === 'append' ? { ...copy, content: copy.content + edited.length } : copy,
    )
    return {
      changes: [...filed, ...copies],
      contents: [...edited.map((octets) => this.#traced(octets)), ...this.#contents],
      ...(edited.length > 0 && { editedCount: edited.length }),
      outbox: this.#outbox,
      memories: this.#memories,
      filed: [...this.#targets.keys()],
      unsent: this.#unsent,
      ...(this.#refusal !== undefined && { refusal: this.#refusal }),
    }
  }

  #redirect(action: SieveRedirect): void {
    const { edited } = action
    const { message } = this.#delivery
    const entry = redirect(this.#delivery, action)
    if (edited === undefined) this.#outbox.push(entry)
    // What cannot be sent as it was changed is kept.
    else if (message.isCut === true) this.#file({ ...INBOX, edited })
    else {
      const octets = editedOctets(edited, message.content ?? emptyOctets)
      this.#outbox.push({ ...entry, content: this.#traced(octets) })
    }
  }

  #traced(octets: Octets): Octets {
    return concatOctets([this.#delivery.trace ?? emptyOctets, octets])
  }

  #file(target: Target): void {
    const name = target.path.join('/')
    const key = asciiLower(name) === 'inbox' ? 'INBOX' : name
    if (!this.#targets.has(key)) this.#targets.set(key, target)
  }

  #target(target: SieveTarget): Target {
    // RFC 5228 §4.1: a mailbox that is not there must not lose the mail.
    const place = filingPlace(target, this.#delivery.message) ?? INBOX
    return { ...place, flags: target.flags }
  }

  #send(action: Extract<SieveAction, { kind: 'vacation' | 'notify' }>): void {
    const { owner } = this.#delivery
    const answer = this.#answer(action)
    if (typeof answer === 'string') {
      this.#unsent.push(`${action.kind}: ${answer}`)
      return
    }
    const { entry, memory } = answer
    if (this.#outbox.some(({ id }) => id === entry.id)) return
    if (action.kind === 'vacation') this.#hasAnswered = true
    else this.#notifications++
    this.#outbox.push(entry)
    if (memory !== undefined) this.#memories.push(memory)
    if (action.fcc !== undefined && owner !== undefined)
      this.#copy(entry.content, this.#target(action.fcc), memory?.key)
  }

  #answer(action: Extract<SieveAction, { kind: 'vacation' | 'notify' }>): AutomaticAnswer | string {
    const { owner } = this.#delivery
    if (owner === undefined) return 'nobody knows in whose name'
    if (action.kind === 'notify')
      return notification(action, this.#delivery, owner, this.#notifications)
    // The script of the choices and that of one's own may both have one: the first speaks.
    return this.#hasAnswered ? 'it is answered' : vacationAnswer(action, this.#delivery, owner)
  }

  /** Files a mail of our own making. */
  #copy(octets: Octets, target: Target, once: string | undefined): void {
    this.#contents.push(octets)
    this.#copies.push({
      ...appended(target, this.#delivery.nowMs),
      content: this.#contents.length,
      ...(once !== undefined && { once }),
    })
  }
}

/** Where an action files; undefined where that is no mailbox, and none to be made. */
export function filingPlace(
  target: SieveTarget,
  message: Pick<SieveMessage, 'mailboxOf' | 'mailboxExists'>,
): Pick<Target, 'path' | 'create' | 'use'> | undefined {
  const { create } = target
  const mailbox = message.mailboxOf?.(target) ?? target.mailbox
  const path = mailboxPath(mailbox)
  const exists = message.mailboxExists(mailbox)
  // Below that name clients look for mailboxes of others: nobody would find it.
  const isForeign = FOREIGN_ROOTS.includes(path[0]!) && !exists
  if ((!create && !exists) || isForeign) return undefined
  // RFC 8579 §4.1: what is made in the place of the one with that role gets the role.
  return { path, create, use: create && !exists ? useOf(target.specialUse) : undefined }
}

/** One that IMAP tells of; all others are no roles of mailboxes here. */
const useOf = (attribute: string | undefined): SpecialUse | undefined =>
  attribute === undefined
    ? undefined
    : (Object.keys(SPECIAL_USES) as SpecialUse[]).find(
        (use) => asciiLower(SPECIAL_USES[use]) === asciiLower(attribute),
      )

/** What files a mail of `content` there. */
export const appended = ({ path, create, flags, use }: Target, nowMs: number) =>
  ({
    kind: 'append',
    mailbox: { path, create, ...(use !== undefined && { use }) },
    ...splitFlags(flags),
    internalDateMs: nowMs,
  }) as const

/** A script names mailboxes with `/`; INBOX ignores case (RFC 9051 §5.1). */
function mailboxPath(name: string): MailboxPath {
  const path = name.normalize('NFC').split('/')
  return path.length === 1 && asciiLower(path[0]!) === 'inbox' ? ['INBOX'] : path
}

/** RFC 5228 §4.2: the reverse-path stays, so that bounces reach the author; null for null. */
const redirect = (delivery: Delivery, { address, dsn, deliverBy }: SieveRedirect): OutboxEntry => ({
  id: entryId(delivery.deliveryId, delivery.recipient, addressKey(address)),
  kind: 'redirect',
  // RFC 6009 §6.1, §7.1: who has asked hears of it.
  reversePath:
    delivery.reversePath === null || (dsn ?? deliverBy) === undefined
      ? delivery.reversePath
      : (delivery.owner?.addresses[0] ?? delivery.recipient),
  ...(dsn !== undefined && { dsn }),
  ...(deliverBy !== undefined && { deliverBy }),
  recipients: [address],
  body: delivery.body,
  smtpUtf8: delivery.smtpUtf8,
  content: 0,
})

/** What differs by delivery: RFC 5321 §4.4 Return-Path, RFC 9228 §3 Delivered-To. */
function deliveryFields(delivery: Delivery): Octets {
  const path = delivery.reversePath === null ? '' : formatAddress(delivery.reversePath)
  return fromUtf8(
    `Return-Path: <${path}>\r\nDelivered-To: ${formatAddress(delivery.recipient)}\r\n`,
  )
}

/** Bits of those that IMAP has, and all others. */
export function splitFlags(flags: readonly string[]): {
  flags: number
  keywords: readonly string[]
} {
  let bits = 0
  const keywords: string[] = []
  for (const flag of flags) {
    const bit = SYSTEM_FLAGS.findIndex((each) => asciiLower(each) === asciiLower(flag))
    if (bit >= 0) bits |= 1 << bit
    else keywords.push(flag)
  }
  return { flags: bits, keywords }
}
