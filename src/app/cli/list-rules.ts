import type { Command } from 'commander'
import { page } from '#contract/admin/common.ts'
import { list, listDone, listsOfUser, writtenList } from '#contract/admin/lists.ts'
import type { ListBody } from '#contract/admin/lists.ts'
import { part, verbOf } from './context.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { collect } from './lists.ts'
import { fields, table } from './print.ts'

const pathOf = (address: string): string => `/lists/${part(address)}`

/** Of list: making lists, their rules and those who answer for them, and their end. */
export function listRuleCommands(noun: Command, io: CliIo): void {
  noun
    .command('create <address>')
    .description('make a list; its owners manage it without any other right')
    .option('--owner <user>', 'a user name or address; may be given again', collect)
    .option('--name <name>', 'one line, for people')
    .action(async (address: string, options: CreateOptions, command: Command) => {
      const verb = verbOf(command, io)
      const { owner: owners = [], name } = options
      const body = await verb.api.post('/lists', writtenList, {
        address,
        owners,
        ...(name !== undefined && { name }),
      })
      verb.wrote(body, () => `made the list ${body.address}\n`)
    })
  noun
    .command('ls')
    .description('show the lists')
    .option('--search <text>', 'in address, name or description')
    .option('--deleted', 'those that can be had back')
    .action(async (options: { search?: string; deleted?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const query = new URLSearchParams()
      if (options.search !== undefined) query.set('search', options.search)
      if (options.deleted === true) query.set('deleted', 'true')
      const body = await verb.api.all(`/lists?${query.toString()}`, page(list))
      verb.show(body, () =>
        table(
          ['LIST', 'NAME', 'MEMBERS', 'POSTING', 'OWNERS'],
          body.items.map((row) => [
            row.address,
            row.name ?? '',
            row.members,
            row.closed ? 'closed' : row.posting,
            people(row.owners),
          ]),
        ),
      )
    })
  noun
    .command('show <list>')
    .description('show a list with its rules')
    .action(async (address: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(pathOf(address), list)
      verb.show(body, () => shown(body))
    })
  noun
    .command('settings <list> [rules...]')
    .description(`show the rules of a list, or change them: ${RULE_NAMES.join(', ')}`)
    .option('--owner <user>', 'one more owner; may be given again', collect)
    .option('--remove-owner <user>', 'one owner less; may be given again', collect)
    .option('--moderator <user>', 'one more moderator; may be given again', collect)
    .option('--remove-moderator <user>', 'one moderator less; may be given again', collect)
    .option('--sender <user>', 'one more who may send as the list; may be given again', collect)
    .option('--remove-sender <user>', 'one less; may be given again', collect)
    .action(
      async (
        address: string,
        rules: readonly string[],
        options: PeopleOptions,
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const before = await verb.api.get(pathOf(address), list)
        const change = { ...rulesOf(rules), ...peopleAfter(before, options) }
        if (Object.keys(change).length === 0) return verb.show(before, () => shown(before))
        const body = await verb.api.patch(pathOf(address), writtenList, change)
        return verb.wrote(body, () => shown(body))
      },
    )
  noun
    .command('delete <list>')
    .description('end a list; it can be had back for account.undeleteDays')
    .option('--for-good', 'it cannot be had back, and its address is free')
    .action(async (address: string, options: { forGood?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const query = options.forGood === true ? '?forGood=true' : ''
      const body = await verb.api.delete(`${pathOf(address)}${query}`, listDone)
      verb.wrote(body, () =>
        options.forGood === true
          ? `deleted ${address} for good\n`
          : `deleted ${address}; to have it back: watari list undelete ${address}\n`,
      )
    })
  noun
    .command('undelete <list>')
    .description('have a deleted list back, with its members and posts')
    .action(async (address: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`${pathOf(address)}/restore`, writtenList)
      verb.wrote(body, () => `${body.address} is back\n`)
    })
  noun
    .command('of <user>')
    .description('show the lists that somebody is in, owns or moderates')
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/users/${part(user)}/lists`, listsOfUser)
      verb.show(body, () =>
        table(
          ['LIST', 'NAME', 'AS', 'GETS'],
          body.items.map((row) => [
            row.address,
            row.name ?? '',
            row.as.join(', '),
            row.delivery ?? '',
          ]),
        ),
      )
    })
}

interface CreateOptions {
  readonly owner?: readonly string[]
  readonly name?: string
}

interface PeopleOptions {
  readonly owner?: readonly string[]
  readonly removeOwner?: readonly string[]
  readonly moderator?: readonly string[]
  readonly removeModerator?: readonly string[]
  readonly sender?: readonly string[]
  readonly removeSender?: readonly string[]
}

function peopleAfter(
  { owners, moderators, senders }: ListBody,
  options: PeopleOptions,
): Readonly<Record<string, unknown>> {
  const { owner, removeOwner, moderator, removeModerator, sender, removeSender } = options
  const rest = moderators.filter(({ address, id }) => !isNamed(address ?? id, removeModerator))
  return {
    ...((owner ?? removeOwner) !== undefined && { owners: after(owners, owner, removeOwner) }),
    ...((sender ?? removeSender) !== undefined && {
      senders: after(senders, sender, removeSender),
    }),
    ...((moderator ?? removeModerator) !== undefined && {
      moderators: [
        ...rest.map(({ address, id, until }) => ({
          user: address ?? id,
          ...(until !== undefined && { until }),
        })),
        ...(moderator ?? []).map((user) => ({ user })),
      ],
    }),
  }
}

const after = (
  before: ListBody['owners'],
  more: readonly string[] = [],
  less: readonly string[] = [],
): readonly string[] => [
  ...before.map(({ address, id }) => address ?? id).filter((each) => !isNamed(each, less)),
  ...more,
]

/** By its address, or the user name in it. */
const isNamed = (address: string, users: readonly string[] = []): boolean =>
  users.some((user) => {
    const wanted = user.toLowerCase().normalize('NFC')
    return wanted === address || wanted === address.split('@')[0]
  })

/** As `list settings LIST NAME=VALUE` calls them; numbers and words, empty: taken away. */
const RULE_NAMES = [
  'name',
  'description',
  'posting',
  'others',
  'subscription',
  'leaving',
  'archive',
  'roster',
  'replyTo',
  'attachments',
  'language',
  'subjectTag',
  'digest',
  'numberFrom',
  'retainDays',
  'sizeMaxBytes',
  'warnAbove',
  'withdrawSeconds',
  'closed',
] as const
const NUMBERS = new Set<string>([
  'numberFrom',
  'retainDays',
  'sizeMaxBytes',
  'warnAbove',
  'withdrawSeconds',
])

function rulesOf(rules: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    rules.map((rule) => {
      const [, name = '', value = ''] = /^([A-Za-z]+)=(.*)$/su.exec(rule) ?? []
      if (!(RULE_NAMES as readonly string[]).includes(name))
        throw new UsageError(`${rule}: give NAME=VALUE, NAME one of ${RULE_NAMES.join(', ')}`)
      if (name === 'closed') return [name, value === 'true' || value === 'yes']
      if (value === '') return [name, null]
      if (!NUMBERS.has(name)) return [name, value]
      if (!/^\d{1,10}$/u.test(value)) throw new UsageError(`${rule}: a whole number is needed`)
      return [name, Number(value)]
    }),
  )
}

const people = (all: readonly { readonly id: string; readonly address?: string | undefined }[]) =>
  all.map(({ address, id }) => address ?? id).join(', ')

const shown = (row: ListBody): string =>
  fields([
    ['list', row.address],
    ['name', row.name ?? ''],
    ['owners', people(row.owners)],
    ['moderators', people(row.moderators)],
    ['send as it', people(row.senders)],
    ['members', String(row.members)],
    ...RULE_NAMES.flatMap((name): [string, string][] => {
      const value = row[name]
      return name === 'name' || value === undefined ? [] : [[name, String(value)]]
    }),
  ])
