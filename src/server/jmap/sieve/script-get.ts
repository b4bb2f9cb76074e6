import { picked, propertiesOf } from '#server/jmap/method/args.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { SIEVE } from '#server/jmap/room.ts'
import type { Method } from '#server/jmap/room.ts'
import { loadScripts, SCRIPT_PROPERTIES, showScript } from './scripts.ts'

/** RFC 9661 §2.3. */
export const scriptGet: Method = {
  name: 'SieveScript/get',
  capability: SIEVE,
  args: ['ids', 'properties'],
  async run(call, args) {
    const properties = propertiesOf(args, SCRIPT_PROPERTIES)
    const ids = idsToGet(call, args)
    const { state, scripts } = await loadScripts(call)
    const wanted = ids && new Set(ids)
    const found = scripts.filter(({ id }) => wanted?.has(id) ?? true)
    const there = new Set(found.map(({ id }) => id))
    return {
      state,
      list: found.map((script) => picked(showScript(script), properties)),
      notFound: (ids ?? []).filter((id) => !there.has(id)),
    }
  },
}
