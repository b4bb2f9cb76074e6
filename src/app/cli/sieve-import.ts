import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { fetchScripts } from '#client/managesieve/client.ts'
import { scriptsImported } from '#contract/admin/scripts.ts'
import type { ImportedScriptBody } from '#contract/admin/scripts.ts'
import { part, verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { passwordBase64 } from './files.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { lineOf } from './print.ts'
import { readScriptFolder } from './script-folder.ts'
import type { FolderPerson } from './script-folder.ts'

interface ImportOptions {
  readonly from?: string
  readonly user?: string
  readonly authzid?: string
  readonly passwordStdin?: boolean
  readonly to?: string
  readonly ca?: string
  readonly plain?: boolean
  readonly separator?: string
  readonly prefix?: string
  readonly replace?: boolean
  readonly dryRun?: boolean
}

/** sieve import: scripts of other systems, of one person by ManageSieve, or of many in a folder. */
export function sieveImportCommand(noun: Command, io: CliIo): void {
  noun
    .command('import [folder]')
    .description('bring in scripts: a folder of many people, or --from one account elsewhere')
    .option('--from <url>', 'managesieve://HOST[:PORT] of one account')
    .option('--user <login>', 'the login there')
    .option('--password-stdin', 'its password, on standard input')
    .option('--authzid <login>', 'whose scripts, where an administrator logs in there')
    .option('--to <address>', 'the account here; else that of the login there')
    .option('--ca <file>', 'certificates, in PEM, to trust instead of those of the system')
    .option('--plain', 'without TLS: from this machine alone')
    .option('--separator <mark>', 'what parts the names of mailboxes there; else found out')
    .option('--prefix <text>', 'what stands in front of them there, as INBOX.; else found out')
    .option('--replace', 'scripts of the same name give way, and the one that filters here')
    .option('--dry-run', 'tell what would be done, and do nothing')
    .action(async (folder: string | undefined, options: ImportOptions, command: Command) => {
      if ((folder === undefined) === (options.from === undefined))
        throw new UsageError('give a folder, or --from managesieve://HOST')
      const verb = verbOf(command, io)
      const people =
        folder === undefined ? [await fromServer(io, options)] : await fromFolder(folder)
      await bringIn(verb, people, options)
    })
}

async function fromFolder(folder: string): Promise<readonly FolderPerson[]> {
  try {
    return await readScriptFolder(folder)
  } catch (cause) {
    const { code, path = folder } = cause as NodeJS.ErrnoException
    if (code === undefined) throw cause
    throw new CliError('notFound', `${path} cannot be read (${code})`, 'Name a folder to read.')
  }
}

const PORT = 4190
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/

async function fromServer(io: CliIo, options: ImportOptions): Promise<FolderPerson> {
  const { from = '', user, authzid, to, ca, plain = false } = options
  const url = URL.canParse(from) ? new URL(from) : undefined
  if (url?.protocol !== 'managesieve:' || url.hostname === '')
    throw new UsageError('--from is managesieve://HOST[:PORT]')
  if (user === undefined || options.passwordStdin !== true)
    throw new UsageError('--from needs --user and --password-stdin')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (plain && !LOOPBACK.test(host)) throw new UsageError('--plain is for this machine alone')
  const server = {
    host,
    port: url.port === '' ? PORT : Number(url.port),
    tls: plain ? 'none' : 'starttls',
    ...(ca !== undefined && { ca: await readFile(ca, 'utf8') }),
  } as const
  const password = Buffer.from(await passwordBase64(io), 'base64')
  const login = { user, password, ...(authzid !== undefined && { authzid }) }
  try {
    return { user: to ?? authzid ?? user, scripts: await fetchScripts(server, login, systemClock) }
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    throw new CliError(thrown.code, `${from}: ${thrown.message}`, 'Nothing was brought in.')
  }
}

const peopleText = (count: number): string => (count === 1 ? '1 person' : `${count} people`)

/** What became of a person's scripts; `trouble`: of none. */
interface PersonRow {
  readonly user: string
  readonly naming?: { readonly separator: string; readonly prefix: string }
  readonly trouble?: string
  readonly scripts: readonly ImportedScriptBody[]
}

async function bringIn(
  verb: Verb,
  people: readonly FolderPerson[],
  { separator, prefix, replace = false, dryRun = false }: ImportOptions,
): Promise<void> {
  const rows: PersonRow[] = []
  for (const { user, scripts } of people) {
    const body = {
      scripts: scripts.flatMap(({ text, ...script }) =>
        text === undefined ? [] : [{ ...script, text }],
      ),
      ...(separator !== undefined && { separator }),
      ...(prefix !== undefined && { prefix }),
      replace,
      dryRun,
    }
    const unread = scripts.filter(({ text }) => text === undefined).map(unreadable)
    rows.push(await ofPerson(verb, user, body, unread))
    if (people.length > 1) verb.progress(`${rows.length} of ${people.length}`)
  }
  verb.show({ dryRun, people: rows }, () => reportText(rows, dryRun))
  const left = rows.filter(({ trouble }) => trouble !== undefined).length
  if (left > 0)
    throw new CliError(
      'notFound',
      `left out: ${peopleText(left)} of ${rows.length}`,
      'Add their accounts, or rename their folders, and run it again: what is here already stays.',
    )
}

async function ofPerson(
  verb: Verb,
  user: string,
  body: object,
  unread: readonly ImportedScriptBody[],
): Promise<PersonRow> {
  try {
    const path = `/users/${part(user)}/scripts/import`
    const { naming, scripts } = await verb.api.post(path, scriptsImported, body)
    return { user, ...(naming !== undefined && { naming }), scripts: [...scripts, ...unread] }
  } catch (thrown) {
    // One whose account is not here is no reason to leave out the others.
    if (!(thrown instanceof CliError) || !['notFound', 'limit', 'invalid'].includes(thrown.code))
      throw thrown
    return { user, trouble: thrown.message, scripts: [] }
  }
}

const unreadable = ({ name }: { readonly name: string }): ImportedScriptBody => ({
  name,
  outcome: 'refused',
  active: false,
  reason: 'it is not UTF-8, or longer than a script may be',
  names: [],
  unknownExtensions: [],
  errors: [],
  warnings: [],
})

function reportText(rows: readonly PersonRow[], dryRun: boolean): string {
  const all = rows.flatMap(({ scripts }) => scripts)
  const of = (outcome: ImportedScriptBody['outcome']): string => {
    const count = all.filter((script) => script.outcome === outcome).length
    return count === 0 ? '' : `, ${count} ${outcome}`
  }
  const sum = (['stored', 'unchanged', 'kept', 'exists', 'refused'] as const).map(of).join('')
  const head = `${peopleText(rows.length)}, ${counted(all.length, 'script')}${sum}${dryRun ? '; nothing was done yet' : ''}\n`
  return head + rows.flatMap(personLines).map(lineOf).join('')
}

function personLines({ user, naming, trouble, scripts }: PersonRow): string[] {
  if (trouble !== undefined) return [`${user}: ${trouble}`]
  const isOpen = naming === undefined && scripts.length > 0
  return [
    `${user}:${naming === undefined ? '' : ` separator ${naming.separator}${naming.prefix === '' ? '' : `, prefix ${naming.prefix}`}`}`,
    ...(isOpen
      ? ['  names with dots stay as they are: give --separator where dots part them']
      : []),
    ...scripts.flatMap(scriptLines),
  ]
}

function scriptLines(script: ImportedScriptBody): string[] {
  const { name, outcome, active, reason, names, unknownExtensions, warnings } = script
  const why = reason === undefined ? '' : `: ${reason}`
  return [
    `  ${name}: ${outcome}${active ? ', active' : ''}${why}`,
    ...names.map(({ line, before, after }) => `    line ${line}: ${before} is now ${after}`),
    ...unknownExtensions.map((extension) => `    unknown here: ${extension}`),
    ...warnings.map(({ line, message }) => `    line ${line}: ${message}`),
  ]
}
