import { SECOND_MS } from '#base/time.ts'
import { addFlags } from '#engine/sieve/flags.ts'
import { runSieve } from '#engine/sieve/run.ts'
import type { SieveMemory } from '#engine/sieve/run.ts'
import type { SieveAction, SieveEdited } from '#engine/sieve/action.ts'
import { afterEdit, editedMessage } from '#engine/sieve/edited.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'

import { CarryOut } from './carry-out.ts'
import type { Delivery, DeliveryPlan } from './delivery.ts'
import type { ScriptPlace, ScriptTrouble } from './script-trouble.ts'

/** A script in its place among those that run; or what is wrong with it, where it does not check. */
export type PlacedScript = {
  readonly place: ScriptPlace
} & ({ readonly program: SieveProgram } | { readonly trouble: ScriptTrouble })

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
