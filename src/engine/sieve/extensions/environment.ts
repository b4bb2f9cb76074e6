import { VERSION } from '#base/version.ts'
import { asciiLower } from '#base/text.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'

/** RFC 5183 §4.1: who runs scripts, and when. */
export const ENVIRONMENT = {
  name: 'Watari',
  version: VERSION,
  location: 'MDA',
  phase: 'during',
  // RFC 6785 §4.2 to §4.5: nobody has done anything to the mail.
  'imap.user': '',
  'imap.email': '',
  'imap.cause': '',
  'imap.mailbox': '',
  'imap.changedflags': '',
}

export const environment: SieveExtension = {
  names: { environment: 'RFC 5183' },
  tests: {
    environment: {
      needs: 'environment',
      compile(args) {
        const match = takeMatch(args)
        const name = args.text('the name of an item')
        const keys = takeKeys(args, match)
        return (run) => {
          const items = run.message.environment ?? {}
          const item = asciiLower(name.of(run))
          // RFC 5183 §4: what is not known meets nothing.
          return Object.hasOwn(items, item) && match(run, [items[item]!], keys.of(run))
        }
      },
    },
  },
}
