import type { ScriptEntry } from '#model/script.ts'
import { invalidArguments } from '#server/jmap/method/method-error.ts'
import { QUERY_ARGS, readFilter, readSort, readWindow } from '#server/jmap/method/query-frame.ts'
import type { Compare, Test } from '#server/jmap/method/query-frame.ts'
import { SIEVE } from '#server/jmap/room.ts'
import type { Method } from '#server/jmap/room.ts'
import { loadScripts } from './scripts.ts'

/** RFC 9661 §2.5. */
export const scriptQuery: Method = {
  name: 'SieveScript/query',
  capability: SIEVE,
  args: QUERY_ARGS,
  async run(call, args) {
    const test = readFilter(args.value('filter'), condition)
    const compare = readSort(args.list('sort') ?? [], COMPARES)
    const { state, scripts } = await loadScripts(call)
    const ids = scripts
      .filter(test)
      .toSorted(compare)
      .map(({ id }) => id)
    return { queryState: state, canCalculateChanges: false, ...readWindow(args, ids) }
  },
}

/** `name` holds a text; `isActive` is a value. */
function condition(name: string, value: unknown): Test<ScriptEntry> | undefined {
  switch (name) {
    case 'name': {
      if (typeof value !== 'string') throw invalidArguments('name is a String')
      const part = value.normalize('NFC')
      return (script) => script.name.includes(part)
    }
    case 'isActive':
      if (typeof value !== 'boolean') throw invalidArguments('isActive is a Boolean')
      return ({ active }) => active === value
    default:
      return undefined
  }
}

const COMPARES: Readonly<Record<string, Compare<ScriptEntry>>> = {
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  isActive: (a, b) => Number(a.active) - Number(b.active),
}
