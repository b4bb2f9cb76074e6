import { asciiLower } from '#base/text.ts'
import type { SieveCommand, SieveError } from '#codec/sieve/ast.ts'
import { parseSieve } from '#codec/sieve/parse.ts'
import { SIEVE_REDIRECTS_MAX } from '#engine/sieve/run.ts'
import type { MailboxPath } from '#model/mailbox.ts'

/** More than that are read by nobody. */
const WARNINGS_MAX = 20

/**
 * What is allowed in a script and yet hardly meant, with its line: mail for mailboxes that are not there
 * goes to INBOX, and redirects past the limit fail. Nothing of a script that does not parse.
 */
export function scriptWarnings(
  text: string,
  mailboxes: readonly { readonly path: MailboxPath }[],
): readonly SieveError[] {
  const parsed = parseSieve(text)
  if (!parsed.ok) return []
  const names = new Set(mailboxes.map(({ path }) => path.join('/')))
  const warnings: SieveError[] = []
  let redirects = 0
  for (const command of commandsOf(parsed.value.commands)) {
    const { line } = command
    if (command.name === 'redirect' && ++redirects > SIEVE_REDIRECTS_MAX)
      warnings.push({
        line,
        message: `a message goes on to ${SIEVE_REDIRECTS_MAX} addresses at most; this redirect may fail`,
      })
    const name = mailboxNamed(command)
    if (name !== undefined && asciiLower(name) !== 'inbox' && !names.has(name.normalize('NFC')))
      warnings.push({
        line,
        message: `there is no mailbox ${name}; until it is made, mail for it goes to INBOX`,
      })
  }
  return warnings.slice(0, WARNINGS_MAX)
}

/** All commands, those in blocks too. */
function* commandsOf(commands: readonly SieveCommand[]): Iterable<SieveCommand> {
  for (const command of commands) {
    yield command
    if (command.block !== undefined) yield* commandsOf(command.block)
  }
}

/** The mailbox that must be there for `fileinto`; undefined where it is made, found otherwise, or put together as it runs. */
function mailboxNamed({ name, args }: SieveCommand): string | undefined {
  if (name !== 'fileinto') return undefined
  const isFound = args.some(
    (arg) => arg.kind === 'tag' && ['create', 'mailboxid', 'specialuse'].includes(arg.name),
  )
  const last = args.at(-1)
  return isFound || last?.kind !== 'string' || last.value.includes('${') ? undefined : last.value
}
