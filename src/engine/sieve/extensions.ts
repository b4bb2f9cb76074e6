import { base } from './extensions/base.ts'
import { body } from './extensions/body.ts'
import { comparators } from './extensions/comparators.ts'
import { duplicate } from './extensions/duplicate.ts'
import { enotify } from './extensions/enotify.ts'
import { fcc } from './extensions/fcc.ts'
import { mailboxId, specialUse } from './extensions/special-use.ts'
import { vacation } from './extensions/vacation.ts'
import { copy } from './extensions/copy.ts'
import { dateExtension } from './extensions/date.ts'
import { editheader } from './extensions/editheader.ts'
import { encodedCharacter } from './extensions/encoded-character.ts'
import { envelope } from './extensions/envelope.ts'
import { environment } from './extensions/environment.ts'
import { extlists } from './extensions/extlists.ts'
import { fileinto } from './extensions/fileinto.ts'
import { ihave } from './extensions/ihave.ts'
import { imap4flags } from './extensions/imap4flags.ts'
import { imapsieve } from './extensions/imapsieve.ts'
import { includeExtension } from './extensions/include.ts'
import { index } from './extensions/index.ts'
import { mailbox } from './extensions/mailbox.ts'
import { metadataExtension } from './extensions/metadata.ts'
import { mime } from './extensions/mime.ts'
import { redirect } from './extensions/redirect.ts'
import { redirectTerms } from './extensions/redirect-terms.ts'
import { regex } from './extensions/regex.ts'
import { reject } from './extensions/reject.ts'
import { relational } from './extensions/relational.ts'
import { spamtestExtension } from './extensions/spamtest.ts'
import { subaddress } from './extensions/subaddress.ts'
import { variables } from './extensions/variables.ts'
import type { SieveCommandRule, SieveExtension, SieveTestRule } from './language.ts'

/** The one list for checking, running and capability lines. */
const EXTENSIONS: readonly SieveExtension[] = [
  base,
  redirect,
  redirectTerms,
  fileinto,
  envelope,
  encodedCharacter,
  comparators,
  reject,
  copy,
  mailbox,
  relational,
  spamtestExtension,
  subaddress,
  imap4flags,
  vacation,
  fcc,
  duplicate,
  enotify,
  specialUse,
  mailboxId,
  variables,
  body,
  dateExtension,
  editheader,
  environment,
  extlists,
  ihave,
  imapsieve,
  includeExtension,
  index,
  metadataExtension,
  mime,
  regex,
]

/** What `require` may name, with where it is defined. */
export const SIEVE_EXTENSIONS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...EXTENSIONS.map(({ names }) => names),
) as Readonly<Record<string, string>>

export const isSieveExtension = (name: string): boolean => Object.hasOwn(SIEVE_EXTENSIONS, name)

export const SIEVE_COMMANDS: ReadonlyMap<string, SieveCommandRule> = new Map(
  EXTENSIONS.flatMap(({ commands }) => Object.entries(commands ?? {})),
)

export const SIEVE_TESTS: ReadonlyMap<string, SieveTestRule> = new Map(
  EXTENSIONS.flatMap(({ tests }) => Object.entries(tests ?? {})),
)
