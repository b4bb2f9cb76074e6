import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { SieveCommand, SieveError, SieveTest } from '#codec/sieve/ast.ts'
import { parseSieve } from '#codec/sieve/parse.ts'

import { Arguments } from './arguments.ts'
import { isSieveExtension, SIEVE_COMMANDS, SIEVE_TESTS } from './extensions.ts'
import { endRun, fail, failMissing, SieveCheckError } from './language.ts'
import type { SieveCondition, SieveInclusion, SieveProgram, SieveStatement } from './language.ts'

/**
 * Parses and checks a script: commands, tests, arguments, `require`, addresses. Reports every fault
 * that it can go on after, ERRORS_MAX at most, with lines from 1. Total.
 */
export function compileSieve(text: string): Outcome<SieveProgram, readonly SieveError[]> {
  const parsed = parseSieve(text)
  if (!parsed.ok) return err([parsed.error])
  const compiling = new SieveCompiling()
  let statements: SieveStatement = () => undefined
  try {
    statements = compiling.script(parsed.value.commands)
  } catch (thrown) {
    if (!(thrown instanceof TooManyErrors)) throw thrown
  }
  if (compiling.errors.length > 0) return err(compiling.errors)
  const { required, includes } = compiling
  return ok({ statements, extensions: required, includes: [...includes.values()] })
}

/** Nobody reads more, and each costs its maker less than us. */
const ERRORS_MAX = 100
class TooManyErrors extends Error {}

/** One script on its way to a program; what extensions must know of the script around a command. */
export class SieveCompiling {
  readonly errors: SieveError[] = []
  readonly required = new Set<string>()
  readonly includes = new Map<string, SieveInclusion>()
  /** The names of the loops around the command, innermost last; undefined: one without a name. */
  readonly loops: (string | undefined)[] = []
  /** Names of variables that were set so far. */
  readonly variables = new Set<string>()
  readonly knows = isSieveExtension

  script(commands: readonly SieveCommand[]): SieveStatement {
    let first = 0
    for (const command of commands) {
      if (command.name !== 'require') break
      this.#guard(command, () => this.#require(command))
      first++
    }
    return this.block(commands.slice(first))
  }

  /** Commands as one statement. */
  block(commands: readonly SieveCommand[]): SieveStatement {
    const steps: { readonly line: number; readonly act: SieveStatement }[] = []
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i]!
      const chain = [command]
      while (command.name === 'if' && ['elsif', 'else'].includes(commands[i + 1]?.name ?? '')) {
        chain.push(commands[++i]!)
        if (commands[i]!.name === 'else') break
      }
      const act =
        command.name === 'if'
          ? this.#if(chain)
          : this.#guard<SieveStatement>(
              command,
              () => this.#command(command),
              ({ message }) =>
                () =>
                  endRun(message),
            )
      if (act !== undefined) steps.push({ line: command.line, act })
    }
    return (run) => {
      for (const { line, act } of steps) {
        run.at(line)
        const flow = act(run)
        if (flow !== undefined) return flow
      }
      return undefined
    }
  }

  /** One test, checked. Throws SieveCheckError. */
  test(test: SieveTest): SieveCondition {
    try {
      const rule = SIEVE_TESTS.get(test.name)
      if (rule === undefined && SIEVE_COMMANDS.has(test.name))
        fail(`${test.name} is a command, no test`, test.line)
      if (rule === undefined) failMissing(`there is no test "${test.name}"`, test.line)
      const args = new Arguments(test, this)
      if (rule.needs !== undefined) args.needs(rule.needs)
      const condition = rule.compile(args)
      args.end()
      return (run) => {
        run.step()
        return condition(run)
      }
    } catch (thrown) {
      if (!(thrown instanceof SieveCheckError)) throw thrown
      const located = new SieveCheckError(
        thrown.message,
        thrown.line ?? test.line,
        thrown.isMissing,
      )
      if (!this.#isForTheRun(located)) throw located
      return () => endRun(located.message)
    }
  }

  #require(command: SieveCommand): void {
    const args = new Arguments(command, this)
    const names = args.constants('an extension')
    for (const name of names) {
      if (!isSieveExtension(name)) fail(`the extension "${name}" is not supported`)
      this.required.add(name)
    }
    args.end()
  }

  #command(command: SieveCommand): SieveStatement {
    if (command.name === 'require') fail('require must stand before all other commands') // RFC 5228 §3.2
    if (command.name === 'elsif' || command.name === 'else')
      fail(`${command.name} must follow if or elsif`)
    const rule = SIEVE_COMMANDS.get(command.name)
    if (rule === undefined && SIEVE_TESTS.has(command.name))
      fail(`${command.name} is a test, no command`)
    if (rule === undefined) failMissing(`there is no command "${command.name}"`)
    const args = new Arguments(command, this)
    if (rule.needs !== undefined) args.needs(rule.needs)
    const statement = rule.compile(args)
    args.end()
    return statement
  }

  #if(chain: readonly SieveCommand[]): SieveStatement {
    const branches: { readonly test: SieveCondition; readonly block: SieveStatement }[] = []
    for (const command of chain) {
      const test = this.#guard(command, () => this.#testOf(command))
      // The block is read after the test, which may be an ihave.
      const block = this.block(command.block ?? [])
      if (test !== undefined) branches.push({ test, block })
    }
    return (run) => branches.find(({ test }) => test(run))?.block(run)
  }

  #testOf(command: SieveCommand): SieveCondition {
    if (command.block === undefined) fail(`${command.name} needs a block`)
    if (command.args.length > 0) fail(`${command.name} takes a test only`)
    if (command.name === 'else')
      return command.tests.length > 0 ? fail('else takes no test') : () => true
    if (command.tests.length !== 1 || command.isTestList)
      fail(`${command.name} needs exactly one test`)
    return this.test(command.tests[0]!)
  }

  /** What `work` made; undefined where it was refused. */
  #guard<T>(
    command: SieveCommand,
    work: () => T,
    later?: (fault: SieveCheckError) => T,
  ): T | undefined {
    try {
      return work()
    } catch (thrown) {
      if (!(thrown instanceof SieveCheckError)) throw thrown
      if (later !== undefined && this.#isForTheRun(thrown)) return later(thrown)
      this.errors.push({ line: thrown.line ?? command.line, message: thrown.message })
      if (this.errors.length >= ERRORS_MAX) throw new TooManyErrors()
      return undefined
    }
  }

  /** RFC 5463 §4: with ihave, what is not known here is an error only where a run comes to it. */
  #isForTheRun(thrown: SieveCheckError): boolean {
    return thrown.isMissing && this.required.has('ihave')
  }
}
