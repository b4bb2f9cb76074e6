import type { KeptObject, ObjectKind } from '#store/mailbox/kept-object.ts'
import { picked, propertiesOf } from './args.ts'
import type { Args } from './args.ts'
import { changesAsk, sorted } from './changes.ts'
import { idsToGet } from './ids.ts'
import { MethodError } from './method-error.ts'
import type { Answer, Call } from '#server/jmap/room.ts'
import { cannotCalculate } from './states.ts'

const CHANGES_MAX = 5_000

/** State of a kind of objects: how far its log of changes has come. */
export const objectState = (seq: number): string => seq.toString(36)

/** Throws MethodError cannotCalculateChanges for what is no state of ours. */
export function readObjectState(state: string): number {
  const seq = /^[0-9a-z]{1,10}$/.test(state) ? Number.parseInt(state, 36) : Number.NaN
  if (!Number.isSafeInteger(seq)) throw cannotCalculate()
  return seq
}

/** RFC 8620 §5.1 over objects that are few; `shown` is all of one. */
export function getObjects(
  call: Call,
  args: Args,
  ask: {
    readonly known: readonly string[]
    readonly state: number
    readonly objects: readonly KeptObject[]
    readonly shown: (object: KeptObject) => Answer
  },
): Answer {
  const properties = propertiesOf(args, ask.known)
  const ids = idsToGet(call, args)
  if (ids === undefined && ask.objects.length > call.room.limits.maxObjectsInGet)
    throw new MethodError('requestTooLarge', 'There are too many: name ids')
  const wanted = ids && new Set(ids)
  const found = ask.objects.filter(({ id }) => wanted?.has(id) ?? true)
  const there = new Set(found.map(({ id }) => id))
  return {
    state: objectState(ask.state),
    list: found.map((object) => picked(ask.shown(object), properties)),
    notFound: (ids ?? []).filter((id) => !there.has(id)),
  }
}

/** RFC 8620 §5.2. */
export async function objectChanges(call: Call, args: Args, kind: ObjectKind): Promise<Answer> {
  const { since, limit } = changesAsk(args)
  const found = await call.room.store.objectChanges({
    accountId: call.account.id,
    kind,
    since: readObjectState(since),
    limit: Math.min(limit, CHANGES_MAX),
  })
  if (found === undefined) throw cannotCalculate()
  const last = found.changes.at(-1)
  return {
    oldState: since,
    newState: objectState(found.more && last !== undefined ? last.seq : found.state),
    hasMoreChanges: found.more,
    ...sorted(found.changes),
  }
}
