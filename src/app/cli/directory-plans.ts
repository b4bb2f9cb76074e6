import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { plannedPlan, plans, upkeep, upkeepDone } from '#contract/admin/bulk.ts'
import type { PlanBody } from '#contract/admin/bulk.ts'
import { done, page } from '#contract/admin/common.ts'
import { directoryChange } from '#contract/admin/directory.ts'
import { numberOf, part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { fields, table } from './print.ts'
import { bulkAsk, bulkText, withBulk } from './user-bulk.ts'
import type { BulkOptions } from './user-bulk.ts'

/** Changes of many on a day: cohorts that enter, move up and leave. */
export function directoryPlanCommands(directory: Command, io: CliIo): void {
  const noun = directory.command('plans').description('changes of many users on a day')
  withBulk(noun.command('add <title>'))
    .requiredOption('--on <day>', 'the day on which it is made, such as 2028-04-01')
    .description('plan a change of many users, and see whom it would change now')
    .action(async (title: string, options: BulkOptions & { on: string }, command: Command) => {
      const verb = verbOf(command, io)
      const ask = await bulkAsk(io, options)
      const body = await verb.api.post('/directory/plans', plannedPlan, {
        ...ask,
        title,
        on: options.on,
      })
      verb.wrote(body, () =>
        ask.dryRun
          ? bulkText(body, true)
          : `${bulkText(body, true)}planned for ${body.on} as ${body.id}\n`,
      )
    })
  noun
    .command('ls')
    .description('show the plans, those that are done too')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/directory/plans', plans)
      verb.show(body, () =>
        table(
          ['ID', 'ON', 'TITLE', 'WHO', 'BY', 'DONE'],
          body.items.map((plan) => [
            plan.id,
            plan.on,
            plan.title,
            whoText(plan),
            plan.by,
            plan.done && `${plan.done.changed} changed, ${plan.done.refused} refused`,
          ]),
        ),
      )
    })
  noun
    .command('show <id>')
    .description('show a plan, and whom it would change now')
    .action(async (id: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/directory/plans/${part(id)}`, plannedPlan)
      verb.show(
        body,
        () =>
          fields([
            ['title', body.title],
            ['on', body.on],
            ['who', whoText(body)],
            ['change', JSON.stringify(body.change)],
            ['by', body.by],
            ['done', body.done?.at],
          ]) + (body.done === undefined ? bulkText(body, true) : ''),
      )
    })
  noun
    .command('rm <id>')
    .description('cancel a plan; what it has done stays')
    .action(async (id: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/directory/plans/${part(id)}`, done)
      verb.wrote(body, () => `the plan ${id} is gone\n`)
    })
  upkeepCommand(directory, io)
  historyCommand(directory, io)
}

const whoText = ({ where: { tags = [], users } }: PlanBody): string =>
  [...tags, ...(users === undefined ? [] : [`${users.length} named`])].join(' + ')

function upkeepCommand(directory: Command, io: CliIo): void {
  directory
    .command('upkeep')
    .description(
      'what time does to accounts and lists: deletions for good, plans, notices; every hour by itself',
    )
    .option('--run', 'do now what is due')
    .option('--accept-clock', 'do it, however far the clock went since the last time')
    .action(async (options: { run?: true; acceptClock?: true }, command: Command) => {
      const verb = verbOf(command, io)
      if (options.run === undefined && options.acceptClock === undefined) {
        const body = await verb.api.get('/directory/upkeep', upkeep)
        verb.show(body, () =>
          fields([
            ['last run', body.lastRun],
            ['held', body.held && 'the clock has jumped: look at it; then --accept-clock'],
            ['to delete', body.deletions],
            ['plans due', body.plans.map(({ title }) => title).join(', ')],
          ]),
        )
        return
      }
      const acceptClock = options.acceptClock === true
      const body = await verb.api.post('/directory/upkeep', upkeepDone, { acceptClock })
      verb.wrote(body, () =>
        body.held
          ? 'held: the clock has jumped. Look at it; then: watari directory upkeep --accept-clock\n'
          : [
              `${body.deleted} deleted for good, ${body.plans.length} plans made, ${body.told} told\n`,
              body.lists ? `${counted(body.lists, 'mailing list')} deleted for good\n` : '',
              body.forgotten ? `${counted(body.forgotten, 'former member')} forgotten\n` : '',
            ].join(''),
      )
    })
}

const HISTORY_MAX = 10_000

function historyCommand(directory: Command, io: CliIo): void {
  directory
    .command('history [key]')
    .description('who changed what, latest first; of one row: account:ID, alias:ADDRESS …')
    .option('--limit <n>', 'so many changes', '50')
    .action(async (key: string | undefined, options: { limit: string }, command: Command) => {
      const verb = verbOf(command, io)
      const most = numberOf(options.limit, HISTORY_MAX)
      const query = key === undefined ? '' : `?key=${part(key)}`
      const body = await verb.api.some(`/directory/history${query}`, page(directoryChange), {
        most,
      })
      verb.show(body, () =>
        table(
          ['AT', 'WHO', 'FROM', 'ROW', 'WHAT'],
          body.items.map((row) => [row.at, row.who, row.from, row.key, changeText(row)]),
        ),
      )
    })
}

/** The fields that have changed; `--json` has all of them before and after. */
function changeText({
  before,
  after,
}: {
  readonly before: unknown
  readonly after: unknown
}): string {
  if (before === null) return 'made'
  if (after === null) return 'removed'
  const [was, is] = [contentOf(before), contentOf(after)]
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]))
    .join(', ')
}

/** A row is `{kind, [kind]: content}`. */
function contentOf(row: unknown): Readonly<Record<string, unknown>> {
  const { kind, ...rest } = row as { readonly kind: string } & Record<string, unknown>
  return (rest[kind] ?? {}) as Readonly<Record<string, unknown>>
}
