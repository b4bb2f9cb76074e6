import { checkedTexts } from '#engine/sieve/arguments.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { addFlags, removeFlags } from '#engine/sieve/flags.ts'
import type { SieveCommandRule, SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { compared, takeMatch } from '#engine/sieve/match.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import { variableName } from '#engine/sieve/text.ts'

import { takeNamedVariable } from './variables.ts'

/** Takes `:flags`: what keep and fileinto set; without it the flags that were set so far (RFC 5232 §5). */
export function takeFlags(args: Arguments): (run: SieveRun) => readonly string[] {
  const texts = args.tagTexts('flags', 'imap4flags')
  if (texts === undefined) return (run) => run.flags
  const flags = checkedTexts(texts, parseFlags)
  return (run) => addFlags([], flags.of(run))
}

/** RFC 5232 §2: each string may hold several flags, divided by blanks. */
const splitFlags = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => text.split(/ +/)).filter((flag) => flag !== '')

/** A system flag that can be set, or a keyword. */
const FLAG = /^(?:\\(?:seen|answered|flagged|deleted|draft)|[^\\\u0000- (){%*"\]\u007f-\uffff]+)$/i

/** The flags that are such: others are ignored, and are no error (RFC 5232 §2). */
const parseFlags = (texts: readonly string[]): readonly string[] =>
  splitFlags(texts).filter((flag) => FLAG.test(flag))

/** RFC 5232 §2: a variable of the script's in place of the internal one. */
function takeFlagVariable(args: Arguments) {
  args.needs('variables')
  return takeNamedVariable(args)
}

function takeFlagVariables(args: Arguments): readonly VariableName[] {
  args.needs('variables')
  return args
    .constants('names of variables')
    .map((text) => variableName(text, args.compiling.required))
}

type VariableName = ReturnType<typeof variableName>

function flagsIn(run: SieveRun, { name, isGlobal }: VariableName): readonly string[] {
  const text = isGlobal ? run.variables.getGlobal(name) : run.variables.get(name)
  return addFlags(
    [],
    text.split(/ +/).filter((flag) => flag !== ''),
  )
}

const changes = (
  change: (flags: readonly string[], named: readonly string[]) => readonly string[],
): SieveCommandRule => ({
  needs: 'imap4flags',
  compile(args) {
    const variable = args.left > 1 ? takeFlagVariable(args) : undefined
    const flags = checkedTexts(args.texts('flags'), parseFlags)
    if (variable === undefined)
      return (run) => {
        run.flags = change(run.flags, flags.of(run))
      }
    return (run) => {
      const { name, assign } = variable
      assign(run, change(flagsIn(run, name), flags.of(run)).join(' '))
    }
  },
})

const hasflag: SieveTestRule = {
  needs: 'imap4flags',
  compile(args) {
    const match = takeMatch(args)
    const names = args.left > 1 ? takeFlagVariables(args) : undefined
    const keys = args.texts('flags')
    // RFC 5232 §4: "b A" looks for what ["b", "A"] does.
    const flags = match.kind === 'count' ? keys : checkedTexts(keys, splitFlags)
    return compared(match, flags, (run) =>
      names === undefined ? run.flags : names.flatMap((name) => flagsIn(run, name)),
    )
  },
}

export const imap4flags: SieveExtension = {
  names: { imap4flags: 'RFC 5232' },
  commands: {
    setflag: changes((_, named) => addFlags([], named)),
    addflag: changes(addFlags),
    removeflag: changes(removeFlags),
  },
  tests: { hasflag },
}
