import type { SieveExtension } from '#engine/sieve/language.ts'
import { takeMatch } from '#engine/sieve/match.ts'

export const spamtest: SieveExtension = {
  names: { spamtest: 'RFC 5235 §3.1' },
  tests: {
    spamtest: {
      needs: 'spamtest',
      compile(args) {
        const match = takeMatch(args)
        const key = args.text('a value')
        return (run) => match(run, [String(run.message.spamValue)], [key.of(run)])
      },
    },
  },
}
