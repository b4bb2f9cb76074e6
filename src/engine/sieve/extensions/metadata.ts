import type { Arguments } from '#engine/sieve/arguments.ts'
import type { SieveExtension, SieveText, SieveTestRule } from '#engine/sieve/language.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

/** Takes the mailbox whose annotations are meant; of the server there is none to take. */
const takeMailbox = (args: Arguments, isOfServer: boolean): SieveText | undefined =>
  isOfServer ? undefined : args.text('the name of a mailbox')

const annotation = (run: SieveRun, mailbox: SieveText | undefined, entry: string) =>
  run.message.annotation?.(mailbox?.of(run), entry)

const metadata = (needs: string, isOfServer: boolean): SieveTestRule => ({
  needs,
  compile(args) {
    const match = takeMatch(args)
    const mailbox = takeMailbox(args, isOfServer)
    const entry = args.text('the name of an annotation')
    const keys = takeKeys(args, match)
    return (run) => {
      const value = annotation(run, mailbox, entry.of(run))
      return value !== undefined && match(run, [value], keys.of(run))
    }
  },
})

const metadataexists = (needs: string, isOfServer: boolean): SieveTestRule => ({
  needs,
  compile(args) {
    const mailbox = takeMailbox(args, isOfServer)
    const entries = args.texts('names of annotations')
    return (run) => entries.of(run).every((entry) => annotation(run, mailbox, entry) !== undefined)
  },
})

export const metadataExtension: SieveExtension = {
  names: { mboxmetadata: 'RFC 5490 §3', servermetadata: 'RFC 5490 §4' },
  tests: {
    metadata: metadata('mboxmetadata', false),
    metadataexists: metadataexists('mboxmetadata', false),
    servermetadata: metadata('servermetadata', true),
    servermetadataexists: metadataexists('servermetadata', true),
  },
}
