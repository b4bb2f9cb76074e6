import type { Arguments } from '#engine/sieve/arguments.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'

/** True where `:create` stands (RFC 5490 §3.2). */
export const takeCreate = (args: Arguments): boolean => args.flag('create', 'mailbox')

export const mailbox: SieveExtension = {
  names: { mailbox: 'RFC 5490 §3' },
  tests: {
    mailboxexists: {
      needs: 'mailbox',
      compile(args) {
        const names = args.texts('names of mailboxes')
        return (run) => names.of(run).every((name) => run.message.mailboxExists(name))
      },
    },
  },
}
