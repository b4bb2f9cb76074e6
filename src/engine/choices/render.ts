import { createHash } from 'node:crypto'
import { toLatin1 } from '#base/octets.ts'
import { composeEntity } from '#codec/mime/compose.ts'
import { htmlToText } from '#codec/mime/text.ts'
import { AWAY_TEXT } from '#model/choice-limits.ts'
import { DEFAULT_JUNK } from '#model/choices.ts'
import type {
  Choices,
  FilterCondition,
  FilterField,
  FilterFlag,
  JunkTarget,
  MailFilter,
  Sender,
  Vacation,
} from '#model/choices.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** What a script says of the person beside the choices. */
export interface Chooser {
  /** All addresses that mail to this person is written to (RFC 5230 §4.5). */
  readonly addresses: readonly Address[]
  /** Domains whose people are colleagues. */
  readonly domains: readonly string[]
}

type Chosen = Pick<Choices, 'junk' | 'vacation' | 'blocked' | 'welcome' | 'filters'>

/**
 * The Sieve script of what somebody has chosen (RFC 5228). It asks for neither `variables` nor
 * `encoded-character`, so that `${…}` in what people write is nothing but text. Pure.
 */
export function renderChoices(choices: Chosen, chooser: Chooser): string {
  const script = new Script()
  blocked(script, choices.blocked ?? [])
  junk(script, choices)
  if (choices.vacation?.isOn === true) vacation(script, choices.vacation, chooser)
  for (const filter of choices.filters ?? []) if (filter.isOff !== true) mailFilter(script, filter)
  return script.toString()
}

class Script {
  readonly #lines: string[] = []
  readonly #extensions = new Set<string>()

  needs(...extensions: readonly string[]): void {
    for (const each of extensions) this.#extensions.add(each)
  }

  line(text: string): void {
    this.#lines.push(text)
  }

  toString(): string {
    const needed = [...this.#extensions].map(quoted).join(', ')
    return [...(needed === '' ? [] : [`require [${needed}];`, '']), ...this.#lines, ''].join('\r\n')
  }
}

function blocked(script: Script, senders: readonly Sender[]): void {
  if (senders.length === 0) return
  script.needs('fileinto', 'mailbox', 'envelope')
  script.line('# Blocked senders')
  script.line(`if ${anyOf([...fromTests(senders), ...envelopeTests(senders)])} {`)
  script.line('  fileinto :create "Trash";')
  script.line('  stop;')
  script.line('}')
}

const FOLDERS: Readonly<Record<'spam' | 'suspected', string>> = {
  spam: 'Junk/SPAM',
  suspected: 'Junk/Suspected SPAM',
}

function junk(script: Script, { junk: chosen, welcome = [] }: Chosen): void {
  const { spam, suspected } = chosen ?? DEFAULT_JUNK
  if (spam === 'inbox' && suspected === 'inbox') return
  script.needs('fileinto', 'mailbox', 'spamtest', 'relational', 'comparator-i;ascii-numeric')
  const welcomed = welcome.length === 0 ? '' : `not ${anyOf(fromTests(welcome))}`
  const part = (
    word: string,
    test: string,
    target: JunkTarget,
    name: 'spam' | 'suspected',
  ): void => {
    const tests = welcomed === '' ? test : `allof (${test}, ${welcomed})`
    script.line(`${word} ${tests} {`)
    if (target !== 'inbox') {
      script.line(`  fileinto :create ${quoted(target === 'junk' ? 'Junk' : FOLDERS[name])};`)
      script.line('  stop;')
    }
  }
  script.line('# Junk')
  part('if', spamTest(9), spam, 'spam')
  part('} elsif', spamTest(5), suspected, 'suspected')
  script.line('}')
}

/** RFC 5235 §3.2: 10 is certainly spam, 5 and more is suspected. */
const spamTest = (value: number): string =>
  `spamtest :value "ge" :comparator "i;ascii-numeric" "${value}"`

function vacation(script: Script, away: Vacation, { addresses, domains }: Chooser): void {
  script.needs('vacation', 'spamtest', 'relational', 'comparator-i;ascii-numeric')
  // Junk that stays in the inbox is answered no more than any other (RFC 5230 §4.6).
  const tests = [`not ${spamTest(5)}`]
  if (away.from !== undefined || away.until !== undefined) script.needs('date')
  if (away.from !== undefined) tests.push(notBefore(away.from))
  if (away.until !== undefined) tests.push(`not ${notBefore(away.until)}`)
  if (away.to === 'colleagues') {
    script.needs('envelope')
    tests.push(`envelope :domain :is "from" ${list(domains)}`)
  }
  const subject =
    away.subject === undefined || away.subject === '' ? '' : ` :subject ${quoted(away.subject)}`
  script.line('# Away')
  script.line(`if ${allOf(tests)} {`)
  const answer = (text: string, html?: string): void => {
    const mime = html === undefined ? '' : ' :mime'
    script.line(
      `  vacation :days ${away.days}${subject}${mime} :addresses ${list(addresses.map(formatAddress))}`,
    )
    const plain = text === '' ? AWAY_TEXT : text
    script.line(`    ${quoted(html === undefined ? plain : inBoth(text, html))};`)
  }
  if (away.outsideText === undefined || away.to === 'colleagues') answer(away.text, away.html)
  else {
    script.needs('envelope')
    script.line(`  if envelope :domain :is "from" ${list(domains)} {`)
    answer(away.text, away.html)
    script.line('  } else {')
    answer(away.outsideText)
    script.line('  }')
  }
  script.line('}')
}

/** Text and HTML as one MIME entity (RFC 2046 §5.1.4), which is the same for the same answer. */
function inBoth(text: string, html: string): string {
  const digest = createHash('sha256').update(`${text}\0${html}`).digest('hex')
  const entity = composeEntity({
    kind: 'multipart',
    subtype: 'alternative',
    boundary: `=_${digest.slice(0, 40)}`,
    parts: [
      { kind: 'text', subtype: 'plain', text: text === '' ? readableText(html) : text },
      { kind: 'text', subtype: 'html', text: html },
    ],
  })
  return toLatin1(entity)
}

/** What is read where no HTML is shown (RFC 8621 §8: the server may make it). */
const readableText = (html: string): string =>
  htmlToText(html.replaceAll(/<(?:br|\/(?:p|div|li|tr|h[1-6]))\b[^<>]*>/gi, '\n'))
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()

/** RFC 5260 §4.2, part by part: what `iso8601` looks like is left to each implementation. */
function notBefore(instant: string): string {
  const [day, time] = [instant.slice(0, 10), instant.slice(11, 19)]
  const now = (relation: string, part: string, value: string): string =>
    `currentdate :zone "+0000" ${relation} "${part}" "${value}"`
  return anyOf([
    now(':value "gt"', 'date', day),
    allOf([now(':is', 'date', day), now(':value "ge"', 'time', time)]),
  ])
}

const FLAGS: Readonly<Record<FilterFlag, string>> = { flagged: '\\Flagged', seen: '\\Seen' }

function mailFilter(script: Script, filter: MailFilter): void {
  const { name, match, conditions, folder, copy, flags = [], stop } = filter
  const tests = conditions.map(conditionTest)
  script.line(`# ${name}`)
  script.line(`if ${match === 'all' ? allOf(tests) : anyOf(tests)} {`)
  if (flags.length > 0) {
    script.needs('imap4flags')
    script.line(`  addflag ${list(flags.map((each) => FLAGS[each]))};`)
  }
  if (folder !== undefined) {
    script.needs('fileinto', 'mailbox')
    if (copy === true) script.needs('copy')
    script.line(`  fileinto ${copy === true ? ':copy ' : ''}:create ${quoted(folder)};`)
  }
  if (stop === true) script.line('  stop;')
  script.line('}')
}

const FIELDS: Readonly<Record<FilterField, readonly string[]>> = {
  from: ['from'],
  to: ['to'],
  cc: ['cc'],
  recipient: ['to', 'cc'],
  subject: ['subject'],
  list: ['list-id'],
}

/** An address that is to be equal is compared by itself; what is contained may stand in its name. */
function conditionTest({ field, is, not, value }: FilterCondition): string {
  const isAddress = field !== 'subject' && field !== 'list'
  const kind = is === 'equals' && isAddress ? 'address :all' : 'header'
  // RFC 2919 §3: the identifier stands in angle brackets behind words.
  const how = is === 'equals' && field !== 'list' ? ':is' : ':contains'
  const text = is === 'equals' && field === 'list' ? `<${value}>` : value
  return `${not === true ? 'not ' : ''}${kind} ${how} ${list(FIELDS[field])} ${quoted(text)}`
}

/** By what the mail shows, as people read it. */
const fromTests = (senders: readonly Sender[]): readonly string[] =>
  senderTests(senders, (part) => `address ${part} "from"`)

const envelopeTests = (senders: readonly Sender[]): readonly string[] =>
  senderTests(senders, (part) => `envelope ${part} "from"`)

function senderTests(
  senders: readonly Sender[],
  test: (part: string) => string,
): readonly string[] {
  const addresses = senders.filter((each) => each.includes('@'))
  const domains = senders.filter((each) => !each.includes('@'))
  return [
    ...(addresses.length === 0 ? [] : [`${test(':all :is')} ${list(addresses)}`]),
    // A domain has neither `*` nor `?` in it.
    ...(domains.length === 0
      ? []
      : [`${test(':domain :matches')} ${list(domains.flatMap((each) => [each, `*.${each}`]))}`]),
  ]
}

const anyOf = (tests: readonly string[]): string =>
  tests.length === 1 ? tests[0]! : `anyof (${tests.join(', ')})`
const allOf = (tests: readonly string[]): string =>
  tests.length === 1 ? tests[0]! : `allof (${tests.join(', ')})`

const list = (texts: readonly string[]): string =>
  texts.length === 1 ? quoted(texts[0]!) : `[${texts.map(quoted).join(', ')}]`

/** RFC 5228 §2.4.2: what ends a string, and what quotes that, are quoted; line ends are CRLF. */
const quoted = (text: string): string =>
  `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll(/\r\n|\r|\n/g, '\r\n')}"`
