import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import {
  diff,
  draft,
  generation,
  generationDetail,
  setting,
  settingsPage,
  writtenGeneration,
} from '#contract/admin/settings.ts'
import type { GenerationBody, SettingBody, SettingChangeBody } from '#contract/admin/settings.ts'
import { formatDuration, formatSize } from '#store/settings/validate.ts'
import { part, verbOf } from './context.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** The numbered settings: at once with `set`, in steps with `edit`, `diff` and `apply`. */
export function settingsCommands(program: Command, io: CliIo): void {
  const noun = program.command('settings').description('settings, in numbered generations')
  noun
    .command('show [generation]')
    .description('show every setting, or what a generation held')
    .action(async (number: string | undefined, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      if (number !== undefined) {
        const body = await verb.api.get(`/settings/history/${part(number)}`, generationDetail)
        return verb.show(body, () => `${generationText(body)}${valuesText(body.values)}`)
      }
      const body = await verb.api.get('/settings', settingsPage)
      verb.show(body, () =>
        table(
          ['SETTING', 'VALUE', 'DEFAULT'],
          body.items.map((item) => [
            item.key,
            readable(item, item.value),
            item.isDefault ? 'yes' : readable(item, item.default),
          ]),
        ),
      )
    })
  noun
    .command('get <key>')
    .description('show the value of one setting')
    .action(async (key: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/settings/${part(key)}`, setting)
      verb.show(body, () => `${readable(body, body.value)}\n`)
    })
  noun
    .command('set <key> [value...]')
    .description('validate and apply at once')
    .option('--default', 'go back to the default')
    .action(
      async (
        key: string,
        words: readonly string[],
        options: { default?: boolean },
        command: Command,
      ) => {
        if ((words.length === 0) !== (options.default === true))
          throw new UsageError('give a value, or --default')
        const verb = verbOf(command, io)
        const value = options.default === true ? null : words.join(' ')
        const body = await verb.api.put(`/settings/${part(key)}`, writtenGeneration, { value })
        verb.wrote(body, () => generationText(body))
      },
    )
  stepCommands(noun, io)
  historyCommands(noun, io)
}

function stepCommands(noun: Command, io: CliIo): void {
  noun
    .command('edit [key=value...]')
    .description('stage changes; an empty value goes back to the default')
    .option('--discard', 'throw away what is staged')
    .action(async (pairs: readonly string[], options: { discard?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      if (options.discard === true) {
        const body = await verb.api.delete('/settings/draft', done)
        return verb.show(body, () => 'nothing is staged any more\n')
      }
      if (pairs.length === 0) throw new UsageError('give KEY=VALUE, or --discard')
      const body = await verb.api.patch('/settings/draft', draft, { values: valuesOf(pairs) })
      verb.show(body, () => `staged on generation ${body.base}:\n${changesText(body.changes)}`)
    })
  noun
    .command('diff [from] [to]')
    .description('what is staged, or what differs between two generations')
    .action(
      async (from: string | undefined, to: string | undefined, _: unknown, command: Command) => {
        const verb = verbOf(command, io)
        const query = new URLSearchParams({
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        })
        const body = await verb.api.get(`/settings/diff?${query.toString()}`, diff)
        verb.show(body, () =>
          body.items.length === 0 ? 'no difference\n' : changesText(body.items),
        )
      },
    )
  noun
    .command('apply')
    .description('make what is staged the next generation')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post('/settings/apply', writtenGeneration)
      verb.wrote(body, () => generationText(body))
    })
}

function historyCommands(noun: Command, io: CliIo): void {
  noun
    .command('history')
    .description('who changed what, the latest first')
    .option('--limit <n>', 'how many', '20')
    .action(async (options: { limit: string }, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(
        `/settings/history?limit=${part(options.limit)}`,
        page(generation),
      )
      verb.show(body, () => body.items.map(generationText).join(''))
    })
  noun
    .command('rollback <generation>')
    .description('make the content of an earlier generation the next one')
    .action(async (number: string, _: unknown, command: Command) => {
      if (!/^\d+$/.test(number)) throw new UsageError('give the number of a generation')
      const verb = verbOf(command, io)
      const body = await verb.api.post('/settings/rollback', writtenGeneration, {
        generation: Number(number),
      })
      verb.wrote(body, () => generationText(body))
    })
}

function valuesOf(pairs: readonly string[]): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at <= 0) throw new UsageError(`${pair} is not KEY=VALUE`)
    const value = pair.slice(at + 1)
    values[pair.slice(0, at)] = value === '' ? null : value
  }
  return values
}

/** As people write it: `5d`, `50MiB`. */
function readable(item: SettingBody, value: SettingBody['value']): string {
  if (item.type === 'duration' && typeof value === 'number') return formatDuration(value)
  if (item.type === 'size' && typeof value === 'number') return formatSize(value)
  if (item.type === 'networks') return `${String(value)} networks`
  if (!Array.isArray(value)) return String(value)
  return value.map((one) => (typeof one === 'number' ? formatDuration(one) : one)).join(' ')
}

const generationText = (body: GenerationBody): string =>
  `generation ${body.generation}, ${body.at}, ${body.who} by ${body.from}: ${body.note}\n${changesText(body.changes)}`

const changesText = (changes: readonly SettingChangeBody[]): string =>
  changes
    .map((change) =>
      'added' in change
        ? `  ${change.key}: ${change.rowsBefore} → ${change.rowsAfter} networks\n${[
            ...change.removed.map((row) => `    - ${row}\n`),
            ...change.added.map((row) => `    + ${row}\n`),
          ].join('')}`
        : `  ${change.key}: ${side(change.before)} → ${side(change.after)}\n`,
    )
    .join('')

const side = (value: unknown): string => (value === null ? 'default' : JSON.stringify(value))

const valuesText = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('')
