import { endRun } from '#engine/sieve/language.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'

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
        const names = args.texts('names of extensions')
        const { knows } = args.compiling
        // RFC 5463 §4: where it is true, it is as if they had been required.
        if (names.constant?.every((name) => knows(name)) === true)
          for (const name of names.constant) args.compiling.required.add(name)
        return (run) => names.of(run).every((name) => knows(name))
      },
    },
  },
}
