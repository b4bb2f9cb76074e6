import type { Arguments } from '#engine/sieve/arguments.ts'
import { endRun, fail } from '#engine/sieve/language.ts'
import type { SieveCommandRule, SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import { variableName } from '#engine/sieve/text.ts'
import { VALUE_CHARACTERS_MAX, VARIABLES_MAX } from '#engine/sieve/variables.ts'

interface Modifier {
  /** The higher comes first; two of one rank exclude one another (RFC 5229 §4.1). */
  readonly rank: number
  readonly needs?: string
  readonly change: (value: string) => string
}

const first = (value: string): string => value.slice(0, value.codePointAt(0)! > 0xffff ? 2 : 1)

const MODIFIERS: Readonly<Record<string, Modifier>> = {
  lower: { rank: 40, change: (value) => value.toLowerCase() },
  upper: { rank: 40, change: (value) => value.toUpperCase() },
  lowerfirst: { rank: 30, change: (value) => onFirst(value, (sign) => sign.toLowerCase()) },
  upperfirst: { rank: 30, change: (value) => onFirst(value, (sign) => sign.toUpperCase()) },
  quotewildcard: { rank: 20, change: (value) => quoted(value, /[*?\\]/g) },
  quoteregex: {
    rank: 20,
    needs: 'regex',
    change: (value) => quoted(value, /[.*+?^${}()|[\]\\]/g),
  },
  // RFC 5435 §6
  encodeurl: {
    rank: 15,
    needs: 'enotify',
    change: (value) =>
      encodeURIComponent(value.toWellFormed()).replace(
        /[!'()*]/g,
        (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
  },
  length: { rank: 10, change: (value) => String(Array.from(value).length) },
}

/** A sign that would be cut off behind its quote goes with it: what is left is a pattern still. */
function quoted(value: string, signs: RegExp): string {
  const whole = value.replace(signs, '\\$&')
  if (whole.length <= VALUE_CHARACTERS_MAX) return whole
  let first = VALUE_CHARACTERS_MAX
  while (whole[first - 1] === '\\') first--
  return whole.slice(0, VALUE_CHARACTERS_MAX - ((VALUE_CHARACTERS_MAX - first) % 2))
}

function onFirst(value: string, change: (sign: string) => string): string {
  if (value === '') return value
  const sign = first(value)
  return change(sign) + value.slice(sign.length)
}

const TOO_MANY = `there are more than ${VARIABLES_MAX} variables`

/** Takes the modifiers of a value; those of `set` and of `extracttext` (RFC 5703 §7). */
export function takeModifiers(args: Arguments): (value: string) => string {
  const chosen = Object.entries(MODIFIERS)
    .filter(([name, { needs }]) => args.flag(name, needs))
    .map(([name, modifier]) => ({ name, ...modifier }))
    .toSorted((a, b) => b.rank - a.rank)
  for (const [i, { name, rank }] of chosen.entries())
    if (chosen[i + 1]?.rank === rank)
      fail(`:${name} and :${chosen[i + 1]!.name} exclude one another`)
  return (value) => chosen.reduce((text, { change }) => change(text), value)
}

/** Takes the name of a variable that is set. */
export const takeVariable = (args: Arguments): ((run: SieveRun, value: string) => void) =>
  takeNamedVariable(args).assign

/** The same, with its name. */
export function takeNamedVariable(args: Arguments) {
  const name = variableName(args.constant('the name of a variable'), args.compiling.required)
  if (!name.isGlobal) declare(args, name.name)
  const assign = (run: SieveRun, value: string): void => {
    const isSet = name.isGlobal
      ? run.variables.setGlobal(name.name, value)
      : run.variables.set(name.name, value)
    if (!isSet) endRun(TOO_MANY)
  }
  return { name, assign }
}

function declare(args: Arguments, name: string): void {
  const { variables } = args.compiling
  variables.add(name)
  // Told once, and before a mail is there.
  if (variables.size === VARIABLES_MAX + 1) fail(TOO_MANY)
}

const set: SieveCommandRule = {
  needs: 'variables',
  compile(args) {
    const modify = takeModifiers(args)
    const assign = takeVariable(args)
    const value = args.text('a value')
    return (run) => {
      assign(run, modify(value.of(run)))
    }
  },
}

const string: SieveTestRule = {
  needs: 'variables',
  compile(args) {
    const isCount = args.stands('count')
    const match = takeMatch(args)
    const sources = args.texts('strings')
    const keys = takeKeys(args, match)
    return (run) => {
      const values = sources.of(run)
      // RFC 5229 §5: an empty string counts as none.
      return match(run, isCount ? values.filter((value) => value !== '') : values, keys.of(run))
    }
  },
}

export const variables: SieveExtension = {
  names: { variables: 'RFC 5229' },
  commands: { set },
  tests: { string },
}
