import type { Command } from 'commander'
import { counted } from '#base/text.ts'
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
import type {
  GenerationBody,
  GenerationDetailBody,
  SettingBody,
  SettingChangeBody,
} from '#contract/admin/settings.ts'
import { isSettingKey, optionOf } from '#store/settings/table.ts'
import { formatDuration, formatSize } from '#store/settings/validate.ts'
import { numberOf, part, verbOf } from './context.ts'
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
        checkNumber(number)
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
            readable(item, item.default),
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
        for (const number of [from, to]) if (number !== undefined) checkNumber(number)
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
      const limit = numberOf(options.limit, 10_000)
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/settings/history?limit=${limit}`, page(generation))
      verb.show(body, () =>
        body.items.length === 0
          ? 'every setting is as it was at first\n'
          : `${body.items.map(generationText).join('')}${earlier(body.items)}`,
      )
    })
  noun
    .command('rollback <generation>')
    .description('make the content of an earlier generation the next one')
    .action(async (number: string, _: unknown, command: Command) => {
      checkNumber(number)
      const verb = verbOf(command, io)
      const body = await verb.api.post('/settings/rollback', writtenGeneration, {
        generation: Number(number),
      })
      verb.wrote(body, () => generationText(body))
    })
}

/** Generation 1 is the first that somebody made. */
const earlier = (items: readonly GenerationBody[]): string =>
  (items.at(-1)?.generation ?? 0) > 1 ? 'earlier ones with --limit\n' : ''

function checkNumber(text: string): void {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${text} is no number of a generation`)
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
function readable({ type }: Pick<SettingBody, 'type'>, value: SettingBody['value']): string {
  if (type === 'duration' && typeof value === 'number') return formatDuration(value)
  if (type === 'size' && typeof value === 'number') return formatSize(value)
  if (type === 'networks' && typeof value === 'number') return counted(value, 'network')
  if (!Array.isArray(value)) return String(value)
  if (value.length === 0) return 'none'
  return value.map((one) => (typeof one === 'number' ? formatDuration(one) : one)).join(' ')
}

const generationText = (body: GenerationBody): string =>
  `generation ${body.generation}, ${body.at}, ${body.who} by ${body.from}: ${body.note}\n${changesText(body.changes)}`

/** Rows of a table that one change shows; the API tells 100. */
const ROWS_SHOWN = 10

const changesText = (changes: readonly SettingChangeBody[]): string =>
  changes
    .map((change) =>
      'added' in change
        ? `  ${change.key}: ${change.rowsBefore.toLocaleString('en')} → ${counted(change.rowsAfter, 'network')}\n${rowsText('-', change.removed)}${rowsText('+', change.added)}`
        : `  ${change.key}: ${side(change.key, change.before)} → ${side(change.key, change.after)}\n`,
    )
    .join('')

const rowsText = (sign: string, rows: readonly string[]): string => {
  const shown = rows.slice(0, ROWS_SHOWN).map((row) => `    ${sign} ${row}\n`)
  return [...shown, ...(rows.length > ROWS_SHOWN ? [`    ${sign} … and more\n`] : [])].join('')
}

/** A setting that this program does not know stands as it came. */
function side(key: string, value: SettingBody['value'] | null): string {
  if (!isSettingKey(key)) return value === null ? 'default' : JSON.stringify(value)
  const option = optionOf(key)
  if (value !== null) return readable(option, value)
  if (option.type === 'networks') return 'default'
  const usual = typeof option.default === 'object' ? [...option.default] : option.default
  return `default (${readable(option, usual)})`
}

const valuesText = (values: GenerationDetailBody['values']): string =>
  Object.entries(values)
    .map(([key, value]) => `${key} = ${side(key, value)}\n`)
    .join('')
