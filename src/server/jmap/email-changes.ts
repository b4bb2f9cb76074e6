import type { EmailChange } from '#store/mailbox/stored-email.ts'
import type { Args } from './args.ts'
import { invalidArguments } from './method-error.ts'
import { MAIL } from './room.ts'
import type { Answer, Call, Method } from './room.ts'
import { cannotCalculate, emailState, positionText, readPosition } from './states.ts'

const CHANGES_MAX = 5_000

interface Told {
  readonly id: string
  readonly isNew: boolean
  readonly isGone: boolean
}

/** RFC 8620 §5.2, of emails or of the threads that they are in. */
async function changes(
  call: Call,
  args: Args,
  tell: (change: EmailChange) => Told,
): Promise<Answer> {
  const { since, limit } = changesAsk(args)
  const position = readPosition(since)
  const found = await call.room.store.emailChanges({
    accountId: call.account.id,
    since: position,
    limit: Math.min(limit, CHANGES_MAX),
  })
  if (found === undefined) throw cannotCalculate()
  const told = new Map<string, Told>()
  for (const change of found.changes) {
    const each = tell(change)
    told.set(each.id, each)
  }
  const last = found.changes.at(-1)
  const newState =
    found.more && last !== undefined
      ? positionText({ modSeq: last.modSeq, nextEmail: position.nextEmail, email: last.email })
      : emailState(found.state)
  return { oldState: since, newState, hasMoreChanges: found.more, ...sorted([...told.values()]) }
}

/** `sinceState` and `maxChanges`. */
export function changesAsk(args: Args): { readonly since: string; readonly limit: number } {
  const since = args.string('sinceState')
  if (since === undefined) throw invalidArguments('sinceState is missing')
  const limit = args.count('maxChanges')
  if (limit === 0) throw invalidArguments('maxChanges is 1 at least')
  return { since, limit: limit ?? Number.MAX_SAFE_INTEGER }
}

/** What came and went meanwhile is told in no list (RFC 8620 §5.2). */
export function sorted(all: readonly Told[]): {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly destroyed: readonly string[]
} {
  const ids = (wanted: (each: Told) => boolean): string[] => all.filter(wanted).map(({ id }) => id)
  return {
    created: ids(({ isNew, isGone }) => isNew && !isGone),
    updated: ids(({ isNew, isGone }) => !isNew && !isGone),
    destroyed: ids(({ isNew, isGone }) => !isNew && isGone),
  }
}

export const CHANGES_ARGS = ['sinceState', 'maxChanges'] as const

export const emailChanges: Method = {
  name: 'Email/changes',
  capability: MAIL,
  args: CHANGES_ARGS,
  run: (call, args) => changes(call, args, ({ emailId, ...rest }) => ({ id: emailId, ...rest })),
}

export const threadChanges: Method = {
  name: 'Thread/changes',
  capability: MAIL,
  args: CHANGES_ARGS,
  run: (call, args) => changes(call, args, ({ thread }) => thread),
}
