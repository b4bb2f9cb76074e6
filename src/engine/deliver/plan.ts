import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveAction } from '#engine/sieve/action.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { BodyKind } from '#model/envelope.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import { FOREIGN_ROOTS } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { MailboxChange, OutboxEntry } from '#store/mailbox/commit.ts'

import { entryId, hasSentOn } from './entry-id.ts'

/** One recipient's delivery, before its scripts have run. */
export interface Delivery {
  readonly deliveryId: string
  readonly reversePath: Address | null
  /** As the envelope named it, detail included. */
  readonly recipient: Address
  readonly body: BodyKind
  readonly smtpUtf8: boolean
  readonly message: SieveMessage
  readonly nowMs: number
  /** A 250 was said for it: a script can refuse it no more. */
  readonly isAccepted?: boolean
}

/** What is committed for one recipient; `error` names a script that failed: then the mail is kept. */
export interface DeliveryPlan {
  readonly changes: readonly MailboxChange[]
  readonly outbox: readonly OutboxEntry[]
  /** Names of mailboxes, for events. */
  readonly filed: readonly string[]
  readonly refusal?: string
  readonly error?: string
}

/**
 * Runs the scripts in order, the administrator's first, each only while the implicit keep stands,
 * and turns their actions into one commit. Content 0 is the message. Pure.
 */
export function planDelivery(delivery: Delivery, scripts: readonly SieveProgram[]): DeliveryPlan {
  const actions: SieveAction[] = []
  let flags: readonly string[] = []
  let isKept = true
  let error: string | undefined
  for (const script of scripts) {
    if (!isKept) break
    const run = runSieve(script, delivery.message)
    if (!run.ok) {
      // RFC 5228 §2.10.6: on a runtime error the implicit keep takes effect.
      error = run.error.message
      continue
    }
    actions.push(...run.value.actions)
    // What an earlier script has marked stays so: it is one mail that is kept.
    flags = [...new Set([...flags, ...run.value.flags])]
    isKept = run.value.implicitKeep
  }
  if (isKept) actions.push({ kind: 'keep', flags })
  return { ...carryOut(delivery, actions), ...(error === undefined ? {} : { error }) }
}

function carryOut(
  delivery: Delivery,
  actions: readonly SieveAction[],
): Omit<DeliveryPlan, 'error'> {
  const targets = new Map<
    string,
    { path: MailboxPath; create: boolean; flags: readonly string[] }
  >()
  const outbox: OutboxEntry[] = []
  let refusal: string | undefined
  for (const action of actions) {
    if (action.kind === 'keep') file(['INBOX'], false, action.flags)
    else if (action.kind === 'fileinto') {
      // RFC 5228 §4.1: a mailbox that is not there must not lose the mail.
      const isThere = action.create || delivery.message.mailboxExists(action.mailbox)
      const path = mailboxPath(action.mailbox)
      // Below that name clients look for mailboxes of others: nobody would find it.
      const isForeign =
        FOREIGN_ROOTS.includes(path[0]!) && !delivery.message.mailboxExists(action.mailbox)
      file(isThere && !isForeign ? path : ['INBOX'], action.create, action.flags)
    } else if (action.kind === 'redirect') {
      // RFC 5228 §10: a loop ends here, and the mail is kept instead of lost.
      if (hasSentOn(delivery.deliveryId, delivery.recipient)) file(['INBOX'], false, [])
      else outbox.push(redirect(delivery, action.address))
    } else if (action.kind === 'reject') {
      // Nobody is in a session any more, and nobody has verified the sender: a report would go to whoever
      // the sender claims to be (RFC 5429 §2.1.1), and mail that we took must not vanish. It is kept.
      if (delivery.isAccepted === true) file(['INBOX'], false, [])
      else refusal = action.reason
    }
  }
  function file(path: MailboxPath, create: boolean, flags: readonly string[]): void {
    const name = path.join('/')
    const key = asciiLower(name) === 'inbox' ? 'INBOX' : name
    if (!targets.has(key)) targets.set(key, { path, create, flags })
  }
  const prefix = deliveryFields(delivery)
  return {
    changes: [...targets.values()].map(({ path, create, flags }) => ({
      kind: 'append',
      mailbox: { path, create },
      content: 0,
      ...splitFlags(flags),
      internalDateMs: delivery.nowMs,
      prefix,
    })),
    outbox,
    filed: [...targets.keys()],
    ...(refusal === undefined ? {} : { refusal }),
  }
}

/** A script names mailboxes with `/`; INBOX ignores case (RFC 9051 §5.1). */
function mailboxPath(name: string): MailboxPath {
  const path = name.normalize('NFC').split('/')
  return path.length === 1 && asciiLower(path[0]!) === 'inbox' ? ['INBOX'] : path
}

/** RFC 5228 §4.2: the reverse-path stays, so that bounces reach the author; null for null. */
const redirect = (delivery: Delivery, address: Address): OutboxEntry => ({
  id: entryId(delivery.deliveryId, delivery.recipient, addressKey(address)),
  kind: 'redirect',
  reversePath: delivery.reversePath,
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

function splitFlags(flags: readonly string[]): { flags: number; keywords: readonly string[] } {
  let bits = 0
  const keywords: string[] = []
  for (const flag of flags) {
    const bit = SYSTEM_FLAGS.findIndex((each) => asciiLower(each) === asciiLower(flag))
    if (bit >= 0) bits |= 1 << bit
    else keywords.push(flag)
  }
  return { flags: bits, keywords }
}
