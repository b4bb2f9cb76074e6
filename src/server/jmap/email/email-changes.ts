import type { EmailChange } from '#store/mailbox/stored-email.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { CHANGES_ARGS, changesAsk, sorted } from '#server/jmap/method/changes.ts'
import type { Told } from '#server/jmap/method/changes.ts'
import { MAIL, asked } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import {
  cannotCalculate,
  emailState,
  positionText,
  readPosition,
} from '#server/jmap/method/states.ts'

const CHANGES_MAX = 5_000

/** RFC 8620 §5.2, of emails or of the threads that they are in. */
async function changes(
  call: Call,
  args: Args,
  tell: (change: EmailChange) => Told,
): Promise<Answer> {
  const { since, limit } = changesAsk(args)
  const position = readPosition(since)
  const found = await call.room.store.emailChanges({
    ...asked(call),
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
