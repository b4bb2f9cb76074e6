import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { page } from '#contract/admin/common.ts'
import {
  list as listBody,
  member,
  membersAdded,
  membersChanged,
  recipients,
} from '#contract/admin/lists.ts'
import type { AddedRow, MemberBody } from '#contract/admin/lists.ts'
import { ALL_PEOPLE, isBeforeHistory } from '#model/list-words.ts'
import { part, verbOf } from './context.ts'
import { octetsOf, textOf } from './files.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

const pathOf = (address: string): string => `/lists/${part(address)}/members`

/** Of list: `watari list member add|rm|set|ls`, members by user name, name, address, list or group. */
export function listMemberCommands(list: Command, io: CliIo): void {
  const noun = list.command('member').description('who is in a list')
  noun
    .command('add <list> [who...]')
    .description('add people by user name, name or address, lists and groups')
    .option('--file <file>', 'a column of them; - is standard input')
    .option('--filter <filter>', 'all whom it names (RFC 4515), now and later: (ou=physics)')
    .option('--source <name>', 'the directory that is asked; without it our own')
    .option('--base <dn>', 'entries of the source below this one alone')
    .option('--exclude', 'they get nothing, whatever else has them in')
    .option('--until <day>', 'the last day: 2027-03-31')
    .option('--delivery <how>', 'each, digest or none')
    .option('--dry-run', 'tell who is meant, and do nothing')
    .action(
      async (address: string, who: readonly string[], options: AddOptions, command: Command) => {
        const verb = verbOf(command, io)
        const text = options.file === undefined ? undefined : await textOf(io, options.file)
        const { filter, source, base } = options
        if (who.length === 0 && text === undefined && filter === undefined)
          throw new UsageError('name WHO, or --file FILE, or --filter FILTER')
        if (filter === undefined && (source ?? base) !== undefined)
          throw new UsageError('--source and --base go with --filter')
        const body = await verb.api.post(pathOf(address), membersAdded, {
          ...(who.length > 0 && { who }),
          ...(text !== undefined && { text }),
          ...(filter !== undefined && {
            filters: [
              {
                filter,
                ...(source !== undefined && { source }),
                ...(base !== undefined && { base }),
              },
            ],
          }),
          ...howOf(options),
          exclude: options.exclude === true,
          preview: options.dryRun === true,
        })
        verb.wrote(body, () => addedText(body.rows, options.dryRun === true))
      },
    )
  noun
    .command('import <list> <file>')
    .description('add the members of a CSV file, by its columns address, name, as, delivery, until')
    .option('--dry-run', 'tell who is meant, and do nothing')
    .action(async (address: string, file: string, options: AddOptions, command: Command) => {
      const verb = verbOf(command, io)
      const isTrial = options.dryRun === true
      const octets = await octetsOf(io, file)
      const path = `${pathOf(address)}/import?preview=${String(isTrial)}`
      const body = await verb.api.upload(path, membersAdded, octets)
      verb.wrote(body, () => addedText(body.rows, isTrial))
    })
  noun
    .command('set <list> <who...>')
    .description('change how members get posts, or their last day')
    .option('--until <day>', 'the last day; empty: no end')
    .option('--delivery <how>', 'each, digest or none')
    .action(
      async (
        address: string,
        members: readonly string[],
        options: HowOptions,
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const body = await verb.api.post(`${pathOf(address)}/change`, membersChanged, {
          members,
          ...howOf(options),
        })
        verb.wrote(body, () => `${counted(body.changed, 'member')} changed\n`)
      },
    )
  noun
    .command('rm <list> <who...>')
    .description('take members out')
    .action(async (address: string, members: readonly string[], _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`${pathOf(address)}/remove`, membersChanged, { members })
      verb.wrote(body, () => `${counted(body.changed, 'member')} taken out\n`)
    })
  noun
    .command('ls <list>')
    .description('show who is in a list')
    .option('--resolved', 'who gets a post that is sent now, each person once')
    .option('--on <date>', 'who was in on that day, or at that moment')
    .option('--search <words>', 'in names, readings and addresses')
    .action(async (address: string, options: ListOptions, command: Command) => {
      const verb = verbOf(command, io)
      if (options.resolved === true) {
        const path = `/lists/${part(address)}/recipients`
        const body = await verb.api.all(path, recipients)
        return verb.show(body, () => resolvedText(body))
      }
      const query = new URLSearchParams()
      if (options.on !== undefined) query.set('on', options.on)
      if (options.search !== undefined) query.set('search', options.search)
      const body = await verb.api.all(`${pathOf(address)}?${query.toString()}`, page(member))
      const { historyFrom } =
        options.on === undefined ? {} : await verb.api.get(`/lists/${part(address)}`, listBody)
      const note = isBeforeHistory(options.on, historyFrom)
        ? `who had left before ${historyFrom.slice(0, 10)} is not known any more (list.historyDays)\n`
        : ''
      return verb.show(body, () => table(TITLES, body.items.map(rowOf)) + note)
    })
}

interface HowOptions {
  readonly until?: string
  readonly delivery?: string
}

interface AddOptions extends HowOptions {
  readonly file?: string
  readonly filter?: string
  readonly source?: string
  readonly base?: string
  readonly exclude?: boolean
  readonly dryRun?: boolean
}

interface ListOptions {
  readonly resolved?: boolean
  readonly on?: string
  readonly search?: string
}

const howOf = ({ until, delivery }: HowOptions): Readonly<Record<string, unknown>> => ({
  ...(until !== undefined && { until: until === '' ? null : until }),
  ...(delivery !== undefined && { delivery }),
})

const TITLES = ['WHO', 'ADDRESS', 'KIND', 'GETS', 'SINCE', 'UNTIL']

const rowOf = (row: MemberBody) => [
  row.filter ?? row.name ?? row.address ?? row.member,
  row.filter === undefined ? (row.address ?? '') : namedText(row),
  row.as === 'excluded' ? `${row.kind}, kept out` : row.kind,
  row.delivery,
  row.from.slice(0, 10),
  row.until?.slice(0, 10) ?? '',
]

/** Whom a filter names. */
const namedText = ({ source, name = 'not asked yet', trouble }: MemberBody): string =>
  [
    name,
    ...(source === ALL_PEOPLE ? [] : [`of ${source}`]),
    ...(trouble === undefined ? [] : [`(${trouble.why}: ${trouble.text})`]),
  ].join(' ')

function addedText(rows: readonly AddedRow[], isTrial: boolean): string {
  const odd = rows.filter(({ outcome }) => !['added', 'changed', 'same'].includes(outcome))
  const of = (outcome: AddedRow['outcome']): number =>
    rows.filter((row) => row.outcome === outcome).length
  const lines = odd.map((row) => [
    row.text,
    row.outcome,
    row.candidates?.map(({ address, id }) => address ?? id).join(', ') ?? row.note ?? '',
  ])
  return [
    odd.length > 0 ? table(['GIVEN', '', 'WHY, OR WHO MAY BE MEANT'], lines) : '',
    isTrial ? 'nothing was done; it would be: ' : '',
    `${of('added')} added, ${of('changed')} changed, ${of('same')} there already, ${odd.length} left out\n`,
  ].join('')
}

function resolvedText(body: {
  readonly items: readonly { address: string; name?: string | undefined; delivery: string }[]
  readonly unresolved: readonly { readonly member: MemberBody; readonly why: string }[]
}): string {
  const lost = body.unresolved.map(({ member: row, why }) => [rowOf(row)[0]!, why])
  return [
    table(
      ['ADDRESS', 'NAME', 'GETS'],
      body.items.map(({ address, name, delivery }) => [address, name ?? '', delivery]),
    ),
    lost.length > 0 ? `\n${table(['LEADS TO NOBODY', 'WHY'], lost)}` : '',
    `${counted(body.items.length, 'recipient')}\n`,
  ].join('')
}
