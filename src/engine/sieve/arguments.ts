import { parseAddress, withoutQuotes } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { SieveArgument, SieveCommand, SieveTest } from '#codec/sieve/ast.ts'

import type { SieveCompiling } from './compile.ts'
import {
  constantText,
  constantTexts,
  endRun,
  fail,
  failMissing,
  SieveCheckError,
} from './language.ts'
import type { SieveCondition, SieveStatement, SieveText, SieveTexts } from './language.ts'
import type { SieveRun } from './run.ts'
import { textOf, textsOf } from './text.ts'

/**
 * What one command or test was given. Its rule takes tags first, in any order, then the values in
 * theirs (RFC 5228 §2.6.2); `end` refuses what nobody took.
 */
export class Arguments {
  readonly name: string
  readonly line: number
  readonly compiling: SieveCompiling
  readonly #args: SieveArgument[]
  #tests: readonly SieveTest[]
  readonly #isTestList: boolean
  #block: readonly SieveCommand[] | undefined
  #hasTaken = false
  readonly #given: readonly SieveArgument[]
  /** Where the last tag stood that was taken. */
  #lastTag = -1

  constructor(owner: SieveCommand | SieveTest, compiling: SieveCompiling) {
    this.name = owner.name
    this.line = owner.line
    this.compiling = compiling
    this.#given = owner.args
    this.#args = [...owner.args]
    this.#tests = owner.tests
    this.#isTestList = owner.isTestList
    this.#block = 'block' in owner ? owner.block : undefined
  }

  needs(extension: string): void {
    if (!this.compiling.required.has(extension))
      failMissing(`${this.name} needs: require "${extension}"`)
  }

  has(extension: string): boolean {
    return this.compiling.required.has(extension)
  }

  /** True where the tag stands; then its extension must be required. */
  flag(name: string, extension?: string): boolean {
    return this.#takeTag(name, extension) !== undefined
  }

  /** The one of these tags that stands; two exclude one another. */
  choice<T extends string>(names: readonly T[], extension?: (name: T) => string | undefined) {
    const standing = names.filter((name) => this.stands(name))
    if (standing.length > 1) fail(`:${standing[0]} and :${standing[1]} exclude one another`)
    const [chosen] = standing
    if (chosen !== undefined) this.flag(chosen, extension?.(chosen))
    return chosen
  }

  stands(name: string): boolean {
    return this.#tagAt(name) >= 0
  }

  tagText(name: string, extension?: string): SieveText | undefined {
    const arg = this.#takeValue(name, extension)
    if (arg === undefined) return undefined
    if (arg.kind !== 'string') fail(`:${name} needs a string`, arg.line)
    return this.#text(arg.value)
  }

  tagTexts(name: string, extension?: string): SieveTexts | undefined {
    const arg = this.#takeValue(name, extension)
    if (arg === undefined) return undefined
    if (arg.kind !== 'string' && arg.kind !== 'strings') fail(`:${name} needs strings`, arg.line)
    return this.#texts(arg)
  }

  tagNumber(name: string, extension?: string): number | undefined {
    const arg = this.#takeValue(name, extension)
    if (arg === undefined) return undefined
    if (arg.kind !== 'number') fail(`:${name} needs a number`, arg.line)
    return arg.value
  }

  /** Of a tag whose value no variable can change. */
  tagConstant(name: string, extension?: string): string | undefined {
    const text = this.tagText(name, extension)
    if (text === undefined) return undefined
    return text.constant ?? fail(`:${name} cannot hold a variable`)
  }

  /** How many values are left to be taken. */
  get left(): number {
    return this.#args.length
  }

  /** The kind of the next value. */
  get next(): SieveArgument['kind'] | undefined {
    return this.#args[0]?.kind
  }

  text(what: string): SieveText {
    const arg = this.#takePositional()
    if (arg?.kind !== 'string') fail(`${this.name} needs ${what} as a string`, arg?.line)
    return this.#text(arg.value)
  }

  texts(what: string): SieveTexts {
    const arg = this.#takePositional()
    if (arg?.kind !== 'string' && arg?.kind !== 'strings')
      fail(`${this.name} needs ${what}`, arg?.line)
    return this.#texts(arg)
  }

  number(what: string): number {
    const arg = this.#takePositional()
    if (arg?.kind !== 'number') fail(`${this.name} needs ${what} as a number`, arg?.line)
    return arg.value
  }

  constant(what: string): string {
    return this.text(what).constant ?? fail(`${what} cannot hold a variable`)
  }

  constants(what: string): readonly string[] {
    return this.texts(what).constant ?? fail(`${what} cannot hold a variable`)
  }

  /** An address: checked now, or at each run where a variable makes it. */
  address(): (run: SieveRun) => Address {
    return addressOf(this.text('an address'))
  }

  /** The block of the command, which must have one. */
  block(): SieveStatement {
    const block = this.#block
    if (block === undefined) fail(`${this.name} needs a block`)
    this.#block = undefined
    return this.compiling.block(block)
  }

  /** The one test that stands behind it, without parentheses (RFC 5228 §8.2). */
  test(): SieveCondition {
    if (this.#tests.length !== 1 || this.#isTestList) fail(`${this.name} needs exactly one test`)
    return this.#takeTests()[0]!
  }

  /** The tests that stand behind it in parentheses. */
  testList(): readonly SieveCondition[] {
    if (!this.#isTestList) fail(`${this.name} needs a list of tests`)
    return this.#takeTests()
  }

  #takeTests(): readonly SieveCondition[] {
    const tests = this.#tests
    this.#tests = []
    return tests.map((test) => this.compiling.test(test))
  }

  /** All of it must have been taken. */
  end(): void {
    this.#refuseTags()
    const [rest] = this.#args
    if (rest !== undefined) fail(`${this.name} has an argument too many`, rest.line)
    if (this.#tests.length > 0) fail(`${this.name} takes no test`)
    if (this.#block !== undefined) fail(`${this.name} takes no block`)
  }

  #tagAt(name: string): number {
    return this.#args.findIndex((arg) => arg.kind === 'tag' && arg.name === name)
  }

  #takeTag(name: string, extension: string | undefined): number | undefined {
    const at = this.#tagAt(name)
    if (at < 0) return undefined
    const { line } = this.#args[at]!
    if (extension !== undefined && !this.has(extension))
      failMissing(`:${name} needs: require "${extension}"`, line)
    const [tag] = this.#args.splice(at, 1)
    this.#lastTag = Math.max(this.#lastTag, this.#given.indexOf(tag!))
    if (this.stands(name)) fail(`:${name} stands twice`, line)
    return at
  }

  #takeValue(name: string, extension: string | undefined): SieveArgument | undefined {
    const line = this.#args[this.#tagAt(name)]?.line
    const at = this.#takeTag(name, extension)
    if (at === undefined) return undefined
    const [value] = this.#args.splice(at, 1)
    if (value === undefined || value.kind === 'tag') fail(`:${name} needs a value`, line)
    return value
  }

  #takePositional(): SieveArgument | undefined {
    if (this.#args[0]?.kind === 'tag') this.#refuseTags()
    this.#hasTaken = true
    const value = this.#args.shift()
    if (value !== undefined && this.#given.indexOf(value) < this.#lastTag)
      fail(`${this.name}: tags must stand before the values`, value.line) // RFC 5228 §2.6.2
    return value
  }

  #refuseTags(): void {
    const at = this.#args.findIndex((arg) => arg.kind === 'tag')
    const tag = this.#args[at]
    if (tag?.kind !== 'tag') return
    if (at > 0 || this.#hasTaken) fail(`:${tag.name} must stand before the values`, tag.line)
    failMissing(`${this.name} has no :${tag.name}`, tag.line)
  }

  #text(text: string): SieveText {
    return textOf(text, this.compiling.required)
  }

  #texts(arg: Extract<SieveArgument, { kind: 'string' | 'strings' }>): SieveTexts {
    return textsOf(arg.kind === 'string' ? [arg.value] : arg.values, this.compiling.required)
  }
}

/** The text as an address: a constant is checked at once. */
function addressOf(text: SieveText): (run: SieveRun) => Address {
  const { constant } = text
  if (constant !== undefined) {
    const address = sieveAddress(constant) ?? fail(`"${constant}" is not an address`)
    return () => address
  }
  return (run) => {
    const made = text.of(run)
    return sieveAddress(made) ?? endRun(`"${made}" is not an address`)
  }
}

/** Refuses what can never be an address; one that a variable makes is looked at where it is used. */
export function checkAddress(text: SieveText | undefined): void {
  if (text?.constant !== undefined && sieveAddress(text.constant) === undefined)
    fail(`"${text.constant}" is not an address`)
}

/** Characters of an address with its name and comments. */
const ADDRESS_CHARACTERS_MAX = 1_000
/** A quoted string; a comment; or a sign with the white space that may stand at it. */
const ADDRESS_TOKEN = /("(?:[^"\\]|\\.)*")|\((?:[^()\\]|\\.)*\)|\s*([@<>.])\s*/gs
const NAMED = /^(?:"(?:[^"\\]|\\.)*"|[^<>"])*<([^<>]*)>$/s

/**
 * One address, bare or with a name in front of it in angle brackets (RFC 5228 §2.4.2.3), with the comments
 * and white space of RFC 5322 §3.4.
 */
function sieveAddress(text: string): Address | undefined {
  if (text.length > ADDRESS_CHARACTERS_MAX) return undefined
  const plain = text
    .replace(ADDRESS_TOKEN, (_, quoted: string = '', sign: string = '') => quoted + sign)
    .trim()
  const parsed = parseAddress(NAMED.exec(plain)?.[1] ?? plain)
  return parsed.ok ? withoutQuotes(parsed.value) : undefined
}

/** What `check` says of each string, now where it is constant, else at each run. */
export function checkedTexts(
  texts: SieveTexts,
  check: (texts: readonly string[]) => readonly string[],
): SieveTexts {
  if (texts.constant !== undefined) {
    return constantTexts(check(texts.constant))
  }
  return { of: (run) => atRun(() => check(texts.of(run))) }
}

export function checkedText(text: SieveText, check: (text: string) => string): SieveText {
  const { constant } = text
  if (constant !== undefined) return constantText(check(constant))
  return { of: (run) => atRun(() => check(text.of(run))) }
}

/** What is refused at a run ends it. */
function atRun<T>(check: () => T): T {
  try {
    return check()
  } catch (thrown) {
    if (thrown instanceof SieveCheckError) endRun(thrown.message)
    throw thrown
  }
}
