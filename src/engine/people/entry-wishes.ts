import { fromZimbra } from '#engine/sieve/from-zimbra.ts'
import { VACATION_DAYS_MAX } from '#model/choice-limits.ts'
import type { Vacation } from '#model/choices.ts'
import type { Wishes } from '#model/person.ts'
import type { ForeignScript } from '#model/script.ts'

/** What somebody wanted of the mail there, and what of that is not as it was. */
interface EntryWishes {
  readonly wishes?: Wishes
  readonly scripts?: readonly ForeignScript[]
  readonly notes: readonly string[]
}

/** By attribute, names in lower case. */
type Values = ReadonlyMap<string, readonly string[]>

/** Out-of-office and filters of Zimbra, blocked and welcome senders of amavis. */
export function entryWishes(values: Values): EntryWishes {
  const notes: string[] = []
  const vacation = vacationOf(values, notes)
  const blocked = sendersOf(values, 'amavisblacklistsender')
  const welcome = sendersOf(values, 'amaviswhitelistsender')
  const scripts = scriptsOf(values, notes)
  const wishes = {
    ...(vacation !== undefined && { vacation }),
    ...(blocked.length > 0 && { blocked }),
    ...(welcome.length > 0 && { welcome }),
  }
  return {
    ...(Object.keys(wishes).length > 0 && { wishes }),
    ...(scripts.length > 0 && { scripts }),
    notes,
  }
}

const one = (values: Values, name: string): string => values.get(name)?.[0] ?? ''
const isTrue = (values: Values, name: string): boolean =>
  one(values, name).trim().toUpperCase() === 'TRUE'

const AWAY = 'zimbraprefoutofoffice'

function vacationOf(values: Values, notes: string[]): Vacation | undefined {
  const text = one(values, `${AWAY}reply`)
  const isOn = isTrue(values, `${AWAY}replyenabled`)
  if (text === '' && !isOn) return undefined
  const [from, until] = (['fromdate', 'untildate'] as const).map((name) => {
    const given = one(values, AWAY + name).trim()
    const instant = instantOf(given)
    if (given !== '' && instant === undefined) notes.push(`the absence: ${given} is no time`)
    return instant
  })
  const isBackwards = from !== undefined && until !== undefined && from >= until
  if (isBackwards) notes.push('the absence ended before it began there: it has no days here')
  const outsideText = one(values, `${AWAY}externalreply`)
  // Those outside who got none, or another text, must not read what was written for colleagues.
  const isForColleagues =
    isTrue(values, `${AWAY}suppressexternalreply`) ||
    (isTrue(values, `${AWAY}externalreplyenabled`) && outsideText === '')
  const hasOutside = isTrue(values, `${AWAY}externalreplyenabled`) && outsideText !== ''
  const whose = one(values, 'zimbraprefexternalsenderstype').trim().toUpperCase()
  if (hasOutside && (whose === 'ALLNOTINAB' || whose === 'INAB'))
    notes.push(
      'the absence: who was in the address book there made a difference; here everybody of another domain gets the text for people outside',
    )
  return {
    isOn,
    ...(from !== undefined && !isBackwards && { from }),
    ...(until !== undefined && !isBackwards && { until }),
    text: linesOf(text),
    ...(hasOutside && !isForColleagues && { outsideText: linesOf(outsideText) }),
    days: daysOf(one(values, `${AWAY}cacheduration`)),
    to: isForColleagues ? 'colleagues' : 'everybody',
  }
}

/** `20261128083000Z`, GeneralizedTime of LDAP, in UTC as Zimbra writes it. */
function instantOf(text: string): string | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(text)
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second] = found
  const instant = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
  return Number.isFinite(Date.parse(instant)) ? instant : undefined
}

const DAYS_OF: Readonly<Record<string, number>> = { d: 1, h: 1 / 24, m: 1 / 1_440, s: 1 / 86_400 }
/** Zimbra's own, where nothing else was said. */
const DAYS = 7

function daysOf(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([dhms]?)$/.exec(text.trim().toLowerCase()) ?? []
  if (count === undefined) return DAYS
  const days = Math.ceil(Number(count) * (DAYS_OF[unit === '' ? 's' : unit] ?? 1))
  return Math.min(VACATION_DAYS_MAX, Math.max(1, days))
}

const linesOf = (text: string): string => text.normalize('NFC').replaceAll(/\r\n?/g, '\n')

/** amavis takes `user@`, `.example.org` and `@.example.org` as well; a domain stands for all below it here. */
const sendersOf = (values: Values, name: string): readonly string[] => [
  ...new Set(
    (values.get(name) ?? [])
      .map((text) => text.trim().replace(/^@?\./, ''))
      .filter((text) => text !== ''),
  ),
]

function scriptsOf(values: Values, notes: string[]): readonly ForeignScript[] {
  const scripts: ForeignScript[] = []
  const own = one(values, 'zimbramailsievescript')
  if (own.trim() !== '') {
    const made = fromZimbra(own)
    notes.push(...made.notes.map((note) => `filters: ${note}`))
    scripts.push({ name: 'Zimbra', text: made.text, active: made.mayFilter })
  }
  const outgoing = one(values, 'zimbramailoutgoingsievescript')
  if (outgoing.trim() !== '') {
    const made = fromZimbra(outgoing)
    notes.push('filters of outgoing mail: no such run here; they are kept, switched off')
    scripts.push({ name: 'Zimbra (outgoing)', text: made.text, active: false })
  }
  return scripts
}
