import { SECOND_MS } from '#base/time.ts'
import { addFlags } from '#engine/sieve/flags.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveLimits, SieveMemory } from '#engine/sieve/run.ts'
import type { SieveAction, SieveEdited } from '#engine/sieve/action.ts'
import { afterEdit, editedMessage } from '#engine/sieve/edited.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { BodyKind } from '#model/envelope.ts'
import type { MailboxChange, Memory, OutboxEntry } from '#store/mailbox/commit.ts'

import { CarryOut } from './carry-out.ts'
import type { MailOwner } from './mail-owner.ts'
import type { ScriptPlace, ScriptTrouble } from './script-trouble.ts'

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
  /** What stands in front of the message's octets: the transaction's Received. */
  readonly trace?: Octets
  readonly limits?: SieveLimits
  /** Whose mail it is; without them nothing is sent in their name. */
  readonly owner?: MailOwner
}

/** A script in its place among those that run; or what is wrong with it, where it does not check. */
export type PlacedScript = {
  readonly place: ScriptPlace
} & ({ readonly program: SieveProgram } | { readonly trouble: ScriptTrouble })

/** What is committed for one recipient; `trouble` names scripts that failed: then the mail is kept. */
export interface DeliveryPlan {
  /** Of their contents 0 is the message, 1 the first of `contents`, and so on. */
  readonly changes: readonly MailboxChange[]
  readonly contents: readonly Octets[]
  /** How many of the first of those are the message as scripts have changed it. */
  readonly editedCount?: number
  readonly outbox: readonly OutboxEntry[]
  readonly memories: readonly Memory[]
  /** Names of mailboxes, for events. */
  readonly filed: readonly string[]
  readonly refusal?: string
  readonly trouble: readonly ScriptTrouble[]
  /** Answers and notifications that a script wanted and nobody gets, with why. */
  readonly unsent: readonly string[]
}

/**
 * Runs the scripts in order, the administrator's first and last, each only while the mail is to be
 * kept, and turns their actions into one commit. Pure.
 */
export function planDelivery(delivery: Delivery, scripts: readonly PlacedScript[]): DeliveryPlan {
  const actions: SieveAction[] = []
  const memories: SieveMemory[] = []
  const trouble: ScriptTrouble[] = []
  let flags: readonly string[] = []
  let isKept = true
  let edited: SieveEdited | undefined
  for (const script of scripts) {
    if (!isKept) break
    if ('trouble' in script) {
      trouble.push(script.trouble)
      continue
    }
    const run = runSieve(script.program, editedMessage(delivery.message, edited), delivery.limits)
    if (!run.ok) {
      // RFC 5228 §2.10.6: on a runtime error the implicit keep takes effect.
      trouble.push({ place: script.place, ...run.error })
      continue
    }
    memories.push(...(run.value.memories ?? []))
    // An explicit keep waits for the scripts behind it like the implicit one: they may still file the mail.
    const keeps = run.value.actions.filter((action) => action.kind === 'keep')
    const others = run.value.actions.filter((action) => action.kind !== 'keep')
    const before = edited
    actions.push(...others.map((action) => withEdit(action, before)))
    edited = afterEdit(edited, run.value.edited)
    // What an earlier script has marked stays so: it is one mail that is kept.
    if (run.value.implicitKeep) flags = addFlags(flags, run.value.flags)
    // What it keeps by itself it marks by itself (RFC 5232 §5).
    for (const keep of keeps) ({ flags } = keep)
    isKept = run.value.implicitKeep || keeps.length > 0
  }
  if (isKept) actions.push(withEdit({ kind: 'keep', flags }, edited))
  const work = new CarryOut(delivery)
  for (const action of actions) work.act(action)
  for (const each of trouble) work.tell(each)
  const plan = work.plan()
  const untilMs = (seconds: number): number => delivery.nowMs + seconds * SECOND_MS
  return {
    ...plan,
    memories: [
      ...plan.memories,
      ...memories.map(({ seconds, ...memory }) => ({ ...memory, untilMs: untilMs(seconds) })),
    ],
    trouble,
  }
}

/** An action on what earlier scripts have left of the message. */
function withEdit(action: SieveAction, before: SieveEdited | undefined): SieveAction {
  if (action.kind !== 'keep' && action.kind !== 'fileinto' && action.kind !== 'redirect')
    return action
  const edited = afterEdit(before, action.edited)
  return edited === undefined ? action : { ...action, edited }
}
