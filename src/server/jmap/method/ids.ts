import type { Args } from './args.ts'
import { MethodError } from './method-error.ts'
import type { Call } from '#server/jmap/room.ts'

/** The ids that a /get asks for, each once; undefined where it asks for all. */
export function idsToGet(call: Call, args: Args, name = 'ids'): readonly string[] | undefined {
  const ids = args.ids(name)
  if (ids === undefined) return undefined
  const { maxObjectsInGet } = call.room.limits
  if (ids.length > maxObjectsInGet)
    throw new MethodError('requestTooLarge', `At most ${maxObjectsInGet} objects a call`)
  return [...new Set(ids)]
}
