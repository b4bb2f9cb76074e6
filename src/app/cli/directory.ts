import { basename, dirname, resolve } from 'node:path'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { writeLdif } from '#codec/ldif/ldif.ts'
import { writeTable } from '#codec/table/table.ts'
import { readIncluded } from '#codec/unix/aliases.ts'
import type { UnixTarget } from '#codec/unix/aliases.ts'
import { page } from '#contract/admin/common.ts'
import { alias, domain, user } from '#contract/admin/directory.ts'
import type { AliasBody, UserBody } from '#contract/admin/directory.ts'
import { imported } from '#contract/admin/import.ts'
import type { ImportedRow } from '#contract/admin/import.ts'
import { PRESETS } from '#engine/people/attribute-map.ts'
import type { Preset } from '#engine/people/attribute-map.ts'
import { censusOf, FILE_FORMATS, formatOfName } from '#engine/people/read-file.ts'
import type { FileFormat } from '#engine/people/read-file.ts'
import { toEntries } from '#engine/people/to-entries.ts'
import { toTable } from '#engine/people/to-table.ts'
import type { Census, CensusException, MailGroup, Person } from '#model/person.ts'
import { factsAfter } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
import { verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { directoryHomeCommands } from './directory-home.ts'
import { directoryProvisionCommand } from './directory-provision.ts'
import { directoryPlanCommands } from './directory-plans.ts'
import { directorySourceCommands } from './directory-sources.ts'
import { octetsOf } from './files.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** Rows of one request: others are served in between. */
const ROWS_AT_ONCE = 1_000
/** Of a file that another one includes. */
const INCLUDED_BYTES_MAX = 16 * 1024 * 1024
/** Lines that are printed of what was not taken; `--json` has all. */
const TOLD_MAX = 200

/** People and groups of other systems, in and out. */
export function directoryCommands(program: Command, io: CliIo): void {
  const noun = program
    .command('directory')
    .description('people and groups of other systems, in and out')
  directorySourceCommands(noun, io)
  directoryPlanCommands(noun, io)
  directoryProvisionCommand(noun, io, baseOf)
  directoryHomeCommands(noun, io, baseOf)
  noun
    .command('import <file>')
    .description('add people and groups from LDIF, CSV, passwd or aliases; nobody is removed')
    .option('--format <format>', `${FILE_FORMATS.join(', ')}; else by the name of the file`)
    .option('--map <preset>', `how LDIF is read: ${Object.keys(PRESETS).join(', ')}; else by class`)
    .option('--dry-run', 'tell what would be done, and do nothing')
    .option('--replace-passwords', 'hashes take the place of passwords that are there')
    .action((file: string, options: ImportOptions, command: Command) =>
      importFile(verbOf(command, io), file, options),
    )
  noun
    .command('export')
    .description('write people and groups to standard output, without passwords')
    .option('--format <format>', 'ldif, or csv (people alone)', 'ldif')
    .option('--base <dn>', 'where they lie in LDIF; else made of the default domain')
    .action((options: { format: string; base?: string }, command: Command) =>
      exportAll(verbOf(command, io), options),
    )
}

interface ImportOptions {
  readonly format?: string
  readonly map?: string
  readonly dryRun?: boolean
  readonly replacePasswords?: boolean
}

async function importFile(verb: Verb, file: string, options: ImportOptions): Promise<void> {
  const census = await readCensus(verb.io, file, options)
  const { dryRun = false, replacePasswords = false } = options
  const rows: ImportedRow[] = []
  const pending = new Map<string, { node: string; reason: string }>()
  const total = census.people.length + census.groups.length
  const asks =
    total <= ROWS_AT_ONCE
      ? [{ people: census.people, groups: census.groups }]
      : [
          ...slices(census.people).map((people) => ({ people })),
          // Behind all people, whom they lead to.
          ...slices(census.groups).map((groups) => ({ groups })),
        ]
  for (const ask of asks) {
    const body = { ...ask, dryRun, replacePasswords }
    const answer = await verb.api.post('/directory/import', imported, body)
    for (const row of answer.rows) rows.push(row)
    for (const each of answer.pending) pending.set(each.node, each)
    if (asks.length > 1) verb.progress(`${rows.length} of ${total}`)
  }
  const { exceptions } = census
  const body = { dryRun, ...counts(rows), rows, exceptions, pending: [...pending.values()] }
  verb.wrote(body, () => importText(body))
}

const slices = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / ROWS_AT_ONCE) }, (_, at) =>
    all.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE),
  )

function counts(rows: readonly ImportedRow[]) {
  const of = (outcome: ImportedRow['outcome']): number =>
    rows.reduce((sum, row) => sum + (row.outcome === outcome ? 1 : 0), 0)
  return {
    added: of('added'),
    changed: of('changed'),
    same: of('same'),
    refused: of('refused'),
  }
}

function importText(
  body: ReturnType<typeof counts> & {
    readonly dryRun: boolean
    readonly rows: readonly ImportedRow[]
    readonly exceptions: readonly CensusException[]
  },
): string {
  const told = [
    ...body.exceptions.map(({ source, text }) => [source, '', text]),
    ...body.rows.flatMap(({ source, address, outcome, notes }) =>
      notes.map((note) => [source, address, outcome === 'refused' ? `refused: ${note}` : note]),
    ),
  ]
  const more = told.length - TOLD_MAX
  const would = body.dryRun ? 'nothing was done; it would be: ' : ''
  return [
    told.length > 0 ? table(['WHERE', 'WHO', 'WHAT'], told.slice(0, TOLD_MAX)) : '',
    more > 0 ? `and ${more} more: --json shows all\n` : '',
    `${would}${counted(body.added, 'row')} added, ${body.changed} changed, ${body.same} the same, ${body.refused} refused\n`,
  ].join('')
}

async function readCensus(io: CliIo, file: string, options: ImportOptions): Promise<Census> {
  const format = formatOf(file, options.format)
  const preset = presetOf(options.map)
  if (preset !== undefined && format !== 'ldif') throw new UsageError('--map is for LDIF')
  const octets = await octetsOf(io, file)
  return censusOf({
    octets,
    format,
    preset,
    included: (path) => includedFrom(resolve(file === '-' ? '.' : dirname(file), path)),
  })
}

function formatOf(file: string, given: string | undefined): FileFormat {
  const format = given ?? formatOfName(basename(file)) ?? ''
  if ((FILE_FORMATS as readonly string[]).includes(format)) return format as FileFormat
  throw new UsageError(`what ${file} is cannot be seen: give --format ${FILE_FORMATS.join(' | ')}`)
}

function presetOf(given: string | undefined): Preset | undefined {
  if (given === undefined) return undefined
  const found = Object.keys(PRESETS).find((name) => name.toLowerCase() === given.toLowerCase())
  if (found !== undefined) return found as Preset
  throw new UsageError(`--map is one of ${Object.keys(PRESETS).join(', ')}`)
}

/** What `:include:` names; undefined where it cannot be read. */
async function includedFrom(path: string): Promise<readonly UnixTarget[] | undefined> {
  try {
    const octets = await readFile(path)
    return octets.length > INCLUDED_BYTES_MAX ? undefined : readIncluded(octets)
  } catch {
    return undefined
  }
}

async function exportAll(
  verb: Verb,
  options: { readonly format: string; readonly base?: string },
): Promise<void> {
  if (options.format !== 'ldif' && options.format !== 'csv')
    throw new UsageError('--format is ldif or csv')
  const { items: users } = await verb.api.all('/users', page(user))
  const people = users.map(personOf)
  if (options.format === 'csv') {
    const octets = writeTable(toTable(people))
    verb.show(people, () => Buffer.from(octets).toString())
    return
  }
  const { items: aliases } = await verb.api.all('/aliases', page(alias))
  const base = options.base ?? (await baseOf(verb))
  const groups = aliases.map(groupOf)
  verb.show({ people, groups }, () =>
    ['version: 1\n\n', ...toEntries({ people, groups }, base).map(writeLdif)].join(''),
  )
}

/** `dc=campus,dc=example`, of the default domain. */
async function baseOf(verb: Verb): Promise<string> {
  const { items } = await verb.api.all('/domains', page(domain))
  const found = items.find(({ isDefault }) => isDefault)
  if (found === undefined)
    throw new CliError('notFound', 'there is no domain to make a base of', 'Give --base DN.')
  return found.name
    .split('.')
    .map((label) => `dc=${label}`)
    .join(',')
}

const personOf = (body: UserBody): Person => ({
  source: body.id,
  username: body.username,
  domain: body.domain,
  ...(body.name !== undefined && { name: body.name }),
  ...factsAfter(body as PersonFacts),
  addresses: body.addresses,
  ...(body.forward !== undefined && { forward: body.forward }),
  ...(body.disabled && { disabled: true }),
  ...(body.quota !== undefined && { quota: quotaOf(body.quota) }),
})

const quotaOf = ({
  bytes,
  messages,
}: NonNullable<UserBody['quota']>): NonNullable<Person['quota']> => ({
  ...(bytes !== undefined && { bytes }),
  ...(messages !== undefined && { messages }),
})

const groupOf = ({ from, to }: AliasBody): MailGroup => ({ source: from, address: from, to })
