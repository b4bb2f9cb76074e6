import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Command } from 'commander'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Outcome } from '#base/outcome.ts'
import { counted } from '#base/text.ts'
import { systemClock } from '#base/time.ts'
import { listOfFml } from '#codec/lists/fml.ts'
import { listOfMailman2, listOfMailman2Texts } from '#codec/lists/mailman2.ts'
import { listOfSympa } from '#codec/lists/sympa.ts'
import { importedLists } from '#contract/admin/list-import.ts'
import type { ImportedList } from '#contract/admin/list-import.ts'
import { censusOf, formatOfName } from '#engine/people/read-file.ts'
import type { ForeignList } from '#model/foreign-list.ts'
import type { MailGroup } from '#model/person.ts'
import { collect } from './lists.ts'
import { verbOf } from './context.ts'
import type { Verb } from './context.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { mailman3Lists } from './mailman3.ts'
import { table } from './print.ts'

/** What stays an address, and what is not taken, is printed up to here; `--json` has all. */
const TOLD_MAX = 200

const SOURCES = ['mailman2', 'mailman3', 'sympa', 'fml', 'ldif', 'aliases'] as const
type Source = (typeof SOURCES)[number]

interface ImportOptions {
  readonly from: string
  readonly domain?: string
  readonly owner?: string
  readonly only?: readonly string[]
  readonly dryRun?: boolean
  readonly user?: string
  readonly passwordStdin?: boolean
}

/** `watari list import`: lists of other list managers, with their members as persons. */
export function listImportCommand(noun: Command, io: CliIo): void {
  noun
    .command('import <path>')
    .description('add lists of another list manager; members whom we know become persons')
    .requiredOption('--from <system>', SOURCES.join(', '))
    .option('--domain <domain>', 'of lists whose files do not tell it')
    .option('--owner <user>', 'owns lists of which no owner has an account here')
    .option('--only <list>', 'this list and no other; may be given again', collect)
    .option('--dry-run', 'tell what would be done, and do nothing')
    .option('--user <name>', "of Mailman 3's REST API", 'restadmin')
    .option('--password-stdin', 'its password, on standard input')
    .action((path: string, options: ImportOptions, command: Command) =>
      importLists(verbOf(command, io), path, options),
    )
}

async function importLists(verb: Verb, path: string, options: ImportOptions): Promise<void> {
  const { domain, owner, dryRun = false } = options
  const from = sourceOf(options.from)
  const { lists, faults } = await listsOf(verb, { path, from, options })
  const wanted = lists.filter(({ address }) => isWanted(address, options.only))
  if (wanted.length === 0 && faults.length === 0)
    throw new CliError('notFound', `no list of ${from} is in ${path}`, REMEDIES[from])
  const rows: ImportedList[] = []
  const pending = new Map<string, { node: string; reason: string }>()
  // Where each is tried behind the others a look ahead has to be of all at once.
  const asks = dryRun ? (wanted.length > 0 ? [wanted] : []) : wanted.map((list) => [list])
  for (const ask of asks) {
    const body = {
      lists: ask,
      dryRun,
      ...(domain !== undefined && { domain }),
      ...(owner !== undefined && { owner }),
    }
    const answer = await verb.api.post('/lists/import', importedLists, body)
    rows.push(...answer.rows)
    for (const each of answer.pending) pending.set(each.node, each)
    if (asks.length > 1) verb.progress(`${rows.length} of ${wanted.length}`)
  }
  const body = { dryRun, rows, faults, pending: [...pending.values()] }
  verb.wrote(body, () => textOf(body))
}

function sourceOf(text: string): Source {
  const found = SOURCES.find((each) => each === text)
  if (found === undefined) throw new UsageError(`--from is one of ${SOURCES.join(', ')}`)
  return found
}

const isWanted = (address: string, only: readonly string[] = []): boolean => {
  const [name] = address.split('@')
  return only.length === 0 || only.some((each) => each.toLowerCase() === address || each === name)
}

const REMEDIES: Readonly<Record<Source, string>> = {
  mailman2:
    'Name a config.pck, a folder with lists/NAME/config.pck, or one with NAME.config and NAME.members.',
  mailman3: 'Name its REST API: http://localhost:8001/3.1',
  sympa: "Name a list's folder with its config, or the folder of all lists.",
  fml: "Name a list's folder with its config.ph, or the folder of all lists.",
  ldif: 'Name a file with groupOfNames, mailGroup or zimbraDistributionList in it.',
  aliases: 'Name a file such as /etc/aliases.',
}

interface Found {
  readonly lists: readonly ForeignList[]
  readonly faults: readonly { readonly source: string; readonly text: string }[]
}

async function listsOf(
  verb: Verb,
  ask: { readonly path: string; readonly from: Source; readonly options: ImportOptions },
): Promise<Found> {
  const { path, from, options } = ask
  switch (from) {
    case 'mailman3':
      return mailman3Lists(verb, path, options)
    case 'ldif':
    case 'aliases':
      return groupsOf(path, from)
    case 'mailman2':
      return foldersOf(path, mailman2Lists)
    case 'sympa':
      return foldersOf(path, sympaList)
    case 'fml':
      return foldersOf(path, fmlList)
  }
}

interface ReadList {
  readonly source: string
  readonly list: Outcome<ForeignList, string>
}

/** Reads a folder; where it is none of a list, the folders in it. */
async function foldersOf(
  path: string,
  read: (folder: Folder) => Promise<readonly ReadList[]>,
): Promise<Found> {
  const top = await folderOf(path)
  const own = await read(top)
  // `lists` of Mailman 2 and `expl` or a robot's folder of Sympa lie one or two below.
  const below = own.length > 0 ? own : await deeper(top, read, 2)
  const faults = below.flatMap(({ source, list }) =>
    list.ok ? [] : [{ source, text: list.error }],
  )
  return { lists: below.flatMap(({ list }) => (list.ok ? [list.value] : [])), faults }
}

async function deeper(
  top: Folder,
  read: (folder: Folder) => Promise<readonly ReadList[]>,
  depth: number,
): Promise<readonly ReadList[]> {
  const found: ReadList[] = []
  for (const name of top.folders) {
    const folder = await folderOf(join(top.path, name))
    const own = await read(folder)
    found.push(...(own.length > 0 || depth === 1 ? own : await deeper(folder, read, depth - 1)))
  }
  return found
}

interface Folder {
  readonly path: string
  readonly name: string
  readonly files: ReadonlySet<string>
  readonly folders: readonly string[]
  /** Undefined where there is no such file. */
  readonly octets: (file: string) => Promise<Octets | undefined>
}

async function folderOf(path: string): Promise<Folder> {
  const isFile = path.endsWith('config.pck')
  const dir = isFile ? dirname(path) : path
  let entries
  try {
    entries = await readdir(dir, { withFileTypes: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CliError(
      'notFound',
      `${dir} cannot be read (${code})`,
      'Name a folder that is there.',
    )
  }
  const files = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name))
  return {
    path: dir,
    name: basename(dir),
    files,
    folders: entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted(),
    octets: async (file) => (files.has(file) ? readFile(join(dir, file)) : undefined),
  }
}

/** `config.pck`; or for each list `NAME.config` of `config_list -o`, and `NAME.members` of `list_members -f`. */
async function mailman2Lists(folder: Folder): Promise<readonly ReadList[]> {
  const pickle = await folder.octets('config.pck')
  if (pickle !== undefined)
    return [{ source: join(folder.path, 'config.pck'), list: listOfMailman2(pickle) }]
  const found: ReadList[] = []
  for (const file of [...folder.files].toSorted()) {
    const name = /^(.+)\.config$/u.exec(file)?.[1]
    if (name === undefined) continue
    const config = await folder.octets(file)
    const members = await folder.octets(`${name}.members`)
    const digestMembers = await folder.octets(`${name}.digest-members`)
    const list = listOfMailman2Texts({
      config: config!,
      members: members ?? fromUtf8(''),
      ...(digestMembers !== undefined && { digestMembers }),
    })
    found.push({ source: join(folder.path, file), list })
  }
  return found
}

async function sympaList(folder: Folder): Promise<readonly ReadList[]> {
  const config = await folder.octets('config')
  if (config === undefined) return []
  const members =
    (await folder.octets('member.dump')) ?? (await folder.octets('subscribers.db.dump'))
  const owners = await folder.octets('owner.dump')
  const editors = await folder.octets('editor.dump')
  const stats = await folder.octets('stats')
  const info = await folder.octets('info')
  // Lists of a robot lie in a folder of its host's name.
  const host = basename(dirname(folder.path))
  const list = listOfSympa({
    name: folder.name,
    config,
    nowMs: systemClock.nowMs(),
    ...(members !== undefined && { members }),
    ...(owners !== undefined && { owners }),
    ...(editors !== undefined && { editors }),
    ...(stats !== undefined && { stats }),
    ...(info !== undefined && { info }),
    ...(host.includes('.') && { host }),
  })
  return [{ source: folder.path, list }]
}

async function fmlList(folder: Folder): Promise<readonly ReadList[]> {
  const config = await folder.octets('config.ph')
  if (config === undefined) return []
  const [actives, members, moderators, admins, seq] = await Promise.all(
    ['actives', 'members', 'moderators', 'members-admin', 'seq'].map(folder.octets),
  )
  const list = listOfFml({
    config,
    ...(actives !== undefined && { actives }),
    ...(members !== undefined && { members }),
    ...(moderators !== undefined && { moderators }),
    ...(admins !== undefined && { admins }),
    ...(seq !== undefined && { seq }),
  })
  return [{ source: folder.path, list }]
}

/** Groups of LDIF, and aliases that lead to several. */
async function groupsOf(path: string, from: 'ldif' | 'aliases'): Promise<Found> {
  const octets = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CliError(
      'notFound',
      `${path} cannot be read (${cause.code})`,
      'Name a file that is there.',
    )
  })
  const format = formatOfName(basename(path)) ?? from
  const census = await censusOf({
    octets,
    format: format === 'ldif' ? 'ldif' : 'aliases',
    preset: undefined,
    included: () => Promise.resolve(undefined),
  })
  return {
    lists: census.groups.map(listOfGroup),
    faults: census.exceptions.map(({ source, text }) => ({ source, text })),
  }
}

const listOfGroup = ({ address, to }: MailGroup): ForeignList => ({
  address,
  owners: [],
  moderators: [],
  members: to.map((each) => ({ address: each, delivery: 'each' })),
  left: [],
})

function textOf(body: {
  readonly dryRun: boolean
  readonly rows: readonly ImportedList[]
  readonly faults: Found['faults']
}): string {
  const rows = body.rows.map(({ address, outcome, members }) => [
    address,
    outcome,
    String(members.account),
    String(members.list + members.group),
    String(members.address),
  ])
  const told = [
    ...body.faults.map(({ source, text }) => [source, text]),
    ...body.rows.flatMap(({ address, notes, stayed }) => [
      ...notes.map((note) => [address, note]),
      ...stayed.map((each) => [address, `stays an address: ${each}`]),
    ]),
  ]
  const of = (outcome: ImportedList['outcome']): number =>
    body.rows.filter((row) => row.outcome === outcome).length
  const more = told.length - TOLD_MAX
  return [
    rows.length > 0 ? table(['LIST', '', 'PERSONS', 'LISTS', 'ADDRESSES'], rows) : '',
    told.length > 0 ? `\n${table(['WHERE', 'WHAT'], told.slice(0, TOLD_MAX))}` : '',
    more > 0 ? `and ${more} more: --json shows all\n` : '',
    body.dryRun ? 'nothing was done; it would be: ' : '',
    `${counted(of('added'), 'list')} added, ${of('changed')} changed, ${of('same')} the same, ${of('refused')} refused\n`,
  ].join('')
}
