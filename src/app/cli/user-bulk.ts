import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { bulkDone } from '#contract/admin/bulk.ts'
import type { BulkDone } from '#contract/admin/bulk.ts'
import { verbOf } from './context.ts'
import { textOf } from './files.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { collect } from './lists.ts'
import { table } from './print.ts'
import { newQuota, QUOTA, QUOTA_MAILBOXES, QUOTA_MESSAGES } from './quota.ts'
import type { QuotaOptions } from './quota.ts'

export interface BulkOptions extends QuotaOptions {
  readonly tag?: readonly string[]
  readonly user?: readonly string[]
  readonly users?: string
  readonly addTag?: readonly string[]
  readonly removeTag?: readonly string[]
  readonly startsOn?: string
  readonly expiresOn?: string
  readonly disable?: true
  readonly enable?: true
  readonly delete?: true
  readonly dryRun?: true
}

/** Lines that are printed; `--json` has all. */
const TOLD_MAX = 200

/** Who is meant, and what is to change. */
export const withBulk = (command: Command): Command =>
  command
    .option('--tag <tag>', 'who has this tag; given again: and this one', collect)
    .option('--user <user>', 'one of these; may be given again', collect)
    .option('--users <file>', 'one of those in a file, a line each; -: standard input')
    .option('--add-tag <tag>', 'give this tag; may be given again', collect)
    .option('--remove-tag <tag>', 'take this tag away; may be given again', collect)
    .option('--starts-on <day>', 'the first day of use; an empty text: no such day')
    .option('--expires-on <day>', 'the last day of use; an empty text: no such day')
    .option(...QUOTA)
    .option(...QUOTA_MESSAGES)
    .option(...QUOTA_MAILBOXES)
    .option('--disable', 'refuse logins; mail still arrives')
    .option('--enable', 'allow logins again')
    .option('--delete', 'delete them; they can be had back for account.undeleteDays')
    .option('--dry-run', 'tell what would be done, and do nothing')

/** The body that the options make. */
export async function bulkAsk(io: CliIo, options: BulkOptions) {
  const { tag, user, users, addTag, removeTag, startsOn, expiresOn, disable, enable } = options
  if (disable === true && enable === true)
    throw new UsageError('give --disable or --enable, not both')
  const listed = users === undefined ? undefined : linesOf(await textOf(io, users))
  const named =
    user === undefined && listed === undefined ? undefined : [...(user ?? []), ...(listed ?? [])]
  if (tag === undefined && named === undefined)
    throw new UsageError('say who is meant: --tag, --user or --users')
  const change = {
    ...(addTag !== undefined && { addTags: addTag }),
    ...(removeTag !== undefined && { removeTags: removeTag }),
    ...(startsOn !== undefined && { startsOn: startsOn === '' ? null : startsOn }),
    ...(expiresOn !== undefined && { expiresOn: expiresOn === '' ? null : expiresOn }),
    ...((disable ?? enable) !== undefined && { disabled: disable === true }),
    ...newQuota(options),
    ...(options.delete === true && { delete: true as const }),
  }
  if (Object.keys(change).length === 0) throw new UsageError('give what is to change')
  return {
    where: {
      ...(tag !== undefined && { tags: tag }),
      ...(named !== undefined && { users: named }),
    },
    change,
    dryRun: options.dryRun === true,
  }
}

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

export function bulkText(body: Omit<BulkDone, 'pending'>, isDry: boolean): string {
  const told = body.rows.filter(({ outcome }) => outcome !== 'same')
  const more = told.length - TOLD_MAX
  return [
    told.length === 0
      ? ''
      : table(
          ['ADDRESS', 'NAME', 'WHAT'],
          told
            .slice(0, TOLD_MAX)
            .map((row) => [
              row.address,
              row.name,
              row.note === undefined ? row.changes.join(', ') : `refused: ${row.note}`,
            ]),
        ),
    more > 0 ? `and ${more} more: --json shows all\n` : '',
    isDry ? 'nothing was done; it would be: ' : '',
    `${counted(body.changed, 'user')} changed, ${body.same} the same, ${body.refused} refused\n`,
  ].join('')
}

export function userBulkCommand(noun: Command, io: CliIo): void {
  withBulk(noun.command('bulk'))
    .description('change many users at once')
    .action(async (options: BulkOptions, command: Command) => {
      const verb = verbOf(command, io)
      const ask = await bulkAsk(io, options)
      const body = await verb.api.post('/users/bulk', bulkDone, ask)
      verb.wrote(body, () => bulkText(body, ask.dryRun))
    })
}
