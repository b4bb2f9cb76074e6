import type { Command } from 'commander'
import { choices, choicesPatch, writtenChoices } from '#contract/admin/choices.ts'
import type { ChoicesBody } from '#contract/admin/choices.ts'
import { isDay } from '#model/person-facts.ts'
import { part, verbOf } from './context.ts'
import { textOf } from './files.ts'
import type { CliIo } from './io.ts'
import { CliError, UsageError } from './io.ts'
import { fields } from './print.ts'

/** user choices, user vacation: what people want of their mail. */
export function userChoicesCommands(noun: Command, io: CliIo): void {
  noun
    .command('choices <user>')
    .description('show what somebody has chosen: junk, forwarding, absence, senders, filters')
    .option('--script', 'show the Sieve script that is made of it')
    .option('--set <file>', 'change the parts that a file of JSON names, - for standard input')
    .action(async (name: string, options: { script?: true; set?: string }, command: Command) => {
      const verb = verbOf(command, io)
      if (options.set !== undefined) {
        const patch = patchIn(await textOf(io, options.set))
        const body = await verb.api.patch(pathOf(name), writtenChoices, patch)
        return verb.wrote(body, () => choicesText(body))
      }
      const body = await verb.api.get(pathOf(name), choices)
      verb.show(body, () =>
        options.script === true ? body.script.replaceAll('\r\n', '\n') : choicesText(body),
      )
    })
  noun
    .command('vacation <user>')
    .description("show or change what answers somebody's mail while he is away")
    .option('--on', 'answer, from the first day to the last')
    .option('--off', 'answer no more; what was written is kept')
    .option('--from <day>', 'the first day, such as 2026-12-29; now: at once')
    .option('--until <day>', 'the last day; open: until it is switched off')
    .option('--subject <text>', 'the subject of the answer; empty: Re: and that of the mail')
    .option('--text <file>', 'a file with the answer in UTF-8, - for standard input')
    .option('--outside-text <file>', 'another answer for people outside; empty: the same')
    .option('--days <n>', 'one answer to a sender in so many days')
    .option('--to <whom>', 'everybody, or colleagues: those of our own domains')
    .action(async (name: string, options: VacationOptions, command: Command) => {
      const verb = verbOf(command, io)
      const before = await verb.api.get(pathOf(name), choices)
      if (Object.keys(options).length === 0)
        return verb.show(before.vacation, () => vacationText(before))
      const vacation = await changedVacation(before.vacation ?? OFF, options, io)
      const { revision } = before
      const body = await verb.api.patch(pathOf(name), writtenChoices, { vacation, revision })
      verb.wrote(body, () => vacationText(body))
    })
}

interface VacationOptions {
  readonly on?: true
  readonly off?: true
  readonly from?: string
  readonly until?: string
  readonly subject?: string
  readonly text?: string
  readonly outsideText?: string
  readonly days?: string
  readonly to?: string
}

type Vacation = NonNullable<ChoicesBody['vacation']>
const OFF: Vacation = { isOn: false, text: '', days: 7, to: 'everybody' }

async function changedVacation(
  before: Vacation,
  options: VacationOptions,
  io: CliIo,
): Promise<Vacation> {
  const { on, off, from, until, subject, text, outsideText, days, to } = options
  if (on === true && off === true) throw new UsageError('give --on or --off')
  if (to !== undefined && to !== 'everybody' && to !== 'colleagues')
    throw new UsageError('--to is everybody or colleagues')
  if (days !== undefined && !/^\d{1,2}$/.test(days)) throw new UsageError('--days is a number')
  const { from: _, until: __, subject: ___, outsideText: ____, html, ...rest } = before
  const first = from === undefined ? before.from : from === 'now' ? undefined : startOf(from, 0)
  const end = until === undefined ? before.until : until === 'open' ? undefined : startOf(until, 1)
  const about = subject ?? before.subject
  const outside = outsideText === undefined ? before.outsideText : await textOf(io, outsideText)
  return {
    ...rest,
    ...((on ?? off) !== undefined && { isOn: on === true }),
    ...(first !== undefined && { from: first }),
    ...(end !== undefined && { until: end }),
    ...(about !== undefined && about !== '' && { subject: about }),
    // The HTML of another text says something else.
    ...(text === undefined && html !== undefined && { html }),
    ...(text !== undefined && { text: await textOf(io, text) }),
    ...(outside !== undefined && outside !== '' && { outsideText: outside }),
    ...(days !== undefined && { days: Number(days) }),
    ...(to !== undefined && { to }),
  }
}

/** When a day of this machine's calendar begins, or one after it. */
function startOf(day: string, after: number): string {
  if (!isDay(day)) throw new UsageError(`${day} is no day such as 2026-12-29`)
  const [year, month, date] = day.split('-').map(Number)
  return new Date(year!, month! - 1, date! + after).toISOString().replace('.000Z', 'Z')
}

/** The day of a moment, by this machine's calendar. */
function dayOf(instant: string, before: number): string {
  const at = new Date(Date.parse(instant) - before)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

function vacationText({ user, vacation }: ChoicesBody): string {
  if (vacation === null) return `${user} has written no answer for absences\n`
  const { isOn, from, until, subject, text, outsideText, days, to } = vacation
  const head = fields([
    ['answers', isOn],
    ['first day', from === undefined ? undefined : dayOf(from, 0)],
    ['last day', until === undefined ? undefined : dayOf(until, 1)],
    ['to', to],
    ['once in', `${days} days`],
    ['subject', subject],
  ])
  const ended = (lines: string): string =>
    `${lines}${lines.endsWith('\n') || lines === '' ? '' : '\n'}`
  const outside = outsideText === undefined ? '' : `\nto people outside:\n\n${ended(outsideText)}`
  return `${head}\n${ended(text)}${outside}`
}

function choicesText(body: ChoicesBody): string {
  const { user, junk, vacation, blocked, welcome, filters, lists, forward, awaited, contact } = body
  const copy = forward?.keep === true ? ' (a copy stays)' : ''
  return fields([
    ['user', user],
    ['spam goes to', TARGETS[junk.spam]],
    ['suspected spam goes to', TARGETS[junk.suspected]],
    ['forwarded to', forward === null ? undefined : `${forward.to.join(', ')}${copy}`],
    ['waits for a code', awaited.map(({ address }) => address).join(', ')],
    ['answers while away', vacation?.isOn === true],
    ['blocked', blocked.join(', ')],
    ['welcome', welcome.join(', ')],
    ['filters', filters.map(({ name, isOff }) => (isOff ? `(${name})` : name)).join(', ')],
    ['lists', (lists ?? []).map(({ name, senders }) => `${name} (${senders.length})`).join(', ')],
    ['contact', contact ?? undefined],
    ['own addresses', body.address.chosen.map(({ address }) => address).join(', ')],
  ])
}

const TARGETS: Readonly<Record<ChoicesBody['junk']['spam'], string>> = {
  folder: 'its mailbox below Junk',
  junk: 'Junk',
  inbox: 'the inbox',
}

function patchIn(json: string): unknown {
  try {
    return choicesPatch.parse(JSON.parse(json))
  } catch (cause) {
    throw new CliError(
      'invalid',
      `this is no change of choices: ${cause instanceof Error ? cause.message : String(cause)}`,
      'watari user choices USER --json shows what they are like.',
    )
  }
}

const pathOf = (user: string): string => `/users/${part(user)}/choices`
