import { endRun } from '#engine/sieve/language.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'

/** RFC 5463 §4: what changes how a script is read cannot begin in its middle. */
const UNASKABLE: ReadonlySet<string> = new Set(['encoded-character', 'variables'])

/** What is there can be asked for, and what is not can be told (RFC 5463). */
export const ihave: SieveExtension = {
  names: { ihave: 'RFC 5463' },
  commands: {
    error: {
      needs: 'ihave',
      compile(args) {
        const message = args.text('a message')
        return (run) => endRun(message.of(run) || 'the script says that there is an error')
      },
    },
  },
  tests: {
    ihave: {
      needs: 'ihave',
      compile(args) {
        const names = args.constants('names of extensions')
        const { knows, required } = args.compiling
        const isThere = names.every((name) => knows(name) && !UNASKABLE.has(name))
        // RFC 5463 §4: where it is true, it is as if they had been required.
        if (isThere) for (const name of names) required.add(name)
        return () => isThere
      },
    },
  },
}
