import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

import type { SieveArgument, SieveCommand, SieveError, SieveScript, SieveTest } from './ast.ts'
import { lexSieve, SieveSyntaxError } from './lexer.ts'
import type { SieveToken } from './lexer.ts'

/** Octets of a script; and how deep blocks and tests may nest (RFC 5228 §2.10.5 asks for 15). */
export const SCRIPT_BYTES_MAX = 1_048_576
const NESTING_MAX = 32

/** The script as commands, by RFC 5228 §8.2; knows no command by name. Total. */
export function parseSieve(text: string): Outcome<SieveScript, SieveError> {
  if (Buffer.byteLength(text) > SCRIPT_BYTES_MAX)
    return err({ line: 1, message: `the script is longer than ${SCRIPT_BYTES_MAX} octets` })
  try {
    const parser = new Parser(lexSieve(text.replace(/^\ufeff/, '')))
    return ok({ commands: parser.commands(0) })
  } catch (thrown) {
    if (thrown instanceof SieveSyntaxError) return err(thrown.at)
    throw thrown
  }
}

class Parser {
  readonly #tokens: readonly SieveToken[]
  #at = 0
  constructor(tokens: readonly SieveToken[]) {
    this.#tokens = tokens
  }

  get #token(): SieveToken {
    return this.#tokens[this.#at]!
  }

  #fail(message: string): never {
    throw new SieveSyntaxError({ line: this.#token.line, message })
  }

  #isMark(mark: string): boolean {
    return this.#token.kind === 'mark' && this.#token.mark === mark
  }

  #eat(mark: string): boolean {
    if (!this.#isMark(mark)) return false
    this.#at++
    return true
  }

  commands(depth: number): SieveCommand[] {
    if (depth > NESTING_MAX) this.#fail(`blocks nest deeper than ${NESTING_MAX}`)
    const commands: SieveCommand[] = []
    for (;;) {
      const isEnd = depth > 0 ? this.#isMark('}') : false
      if (isEnd || this.#token.kind === 'end') break
      commands.push(this.#command(depth))
    }
    return commands
  }

  #command(depth: number): SieveCommand {
    const token = this.#token
    if (token.kind !== 'identifier') this.#fail('a command was expected here')
    this.#at++
    const head = { name: token.text, line: token.line, ...this.#arguments(0) }
    if (this.#eat(';')) return head
    if (!this.#eat('{')) this.#fail(`${token.text} must end with ; or a block`)
    const block = this.commands(depth + 1)
    if (!this.#eat('}')) this.#fail(`the block of ${token.text} never ends`)
    return { ...head, block }
  }

  #arguments(depth: number): Pick<SieveTest, 'args' | 'tests' | 'isTestList'> {
    const args: SieveArgument[] = []
    for (;;) {
      const token = this.#token
      if (token.kind === 'tag') args.push({ kind: 'tag', name: token.text, line: token.line })
      else if (token.kind === 'number')
        args.push({ kind: 'number', value: token.value, line: token.line })
      else if (token.kind === 'string')
        args.push({ kind: 'string', value: token.text, line: token.line })
      else if (this.#isMark('[')) {
        args.push(this.#strings())
        continue
      } else break
      this.#at++
    }
    const isTestList = this.#isMark('(')
    return { args, tests: this.#tests(depth), isTestList }
  }

  #strings(): SieveArgument {
    const line = this.#token.line
    this.#at++
    const values: string[] = []
    do {
      const token = this.#token
      if (token.kind !== 'string') this.#fail('a list holds strings only')
      values.push(token.text)
      this.#at++
    } while (this.#eat(','))
    if (!this.#eat(']')) this.#fail('a list of strings must end with ]')
    return { kind: 'strings', values, line }
  }

  #tests(depth: number): SieveTest[] {
    if (depth > NESTING_MAX) this.#fail(`tests nest deeper than ${NESTING_MAX}`)
    if (this.#token.kind === 'identifier') return [this.#test(depth)]
    if (!this.#eat('(')) return []
    const tests: SieveTest[] = []
    do tests.push(this.#test(depth))
    while (this.#eat(','))
    if (!this.#eat(')')) this.#fail('a list of tests must end with )')
    return tests
  }

  #test(depth: number): SieveTest {
    const token = this.#token
    if (token.kind !== 'identifier') this.#fail('a test was expected here')
    this.#at++
    return { name: token.text, line: token.line, ...this.#arguments(depth + 1) }
  }
}
