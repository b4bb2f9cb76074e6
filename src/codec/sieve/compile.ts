import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

import { Arguments, fail, SieveCheckError } from './arguments.ts'
import type { SieveCommand, SieveError } from './ast.ts'
import { isSieveExtension } from './extensions.ts'
import { parseSieve } from './parse.ts'
import type { SieveProgram, SieveStatement } from './program.ts'
import { compileTest, parseFlags } from './tests.ts'

/**
 * Parses and checks a script: commands, tests, arguments, `require`, addresses. Reports every fault
 * that it can go on after, ERRORS_MAX at most, with lines from 1. Total.
 */
export function compileSieve(text: string): Outcome<SieveProgram, readonly SieveError[]> {
  const parsed = parseSieve(text)
  if (!parsed.ok) return err([parsed.error])
  const compiler = new Compiler()
  let statements: SieveStatement[] = []
  try {
    statements = compiler.program(parsed.value.commands)
  } catch (thrown) {
    if (!(thrown instanceof TooManyErrors)) throw thrown
  }
  return compiler.errors.length > 0 ? err(compiler.errors) : ok({ statements })
}

/** Nobody reads more, and each costs its maker less than us. */
const ERRORS_MAX = 100
class TooManyErrors extends Error {}

class Compiler {
  readonly errors: SieveError[] = []
  readonly #required = new Set<string>()

  program(commands: readonly SieveCommand[]): SieveStatement[] {
    let first = 0
    for (const command of commands) {
      if (command.name !== 'require') break
      this.#guard(command, () => this.#require(command))
      first++
    }
    return this.#block(commands.slice(first))
  }

  #guard<T>(command: SieveCommand, work: () => T): T | undefined {
    try {
      return work()
    } catch (thrown) {
      if (!(thrown instanceof SieveCheckError)) throw thrown
      this.errors.push({ line: thrown.line ?? command.line, message: thrown.message })
      if (this.errors.length >= ERRORS_MAX) throw new TooManyErrors()
      return undefined
    }
  }

  #require(command: SieveCommand): void {
    for (const name of new Arguments(command, this.#required).strings('an extension')) {
      if (!isSieveExtension(name)) fail(`the extension "${name}" is not supported`)
      this.#required.add(name)
    }
    if (command.block !== undefined) fail('require takes no block')
  }

  #block(commands: readonly SieveCommand[]): SieveStatement[] {
    const statements: SieveStatement[] = []
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i]!
      if (command.name === 'if') {
        const chain = [command]
        while (['elsif', 'else'].includes(commands[i + 1]?.name ?? '')) {
          chain.push(commands[++i]!)
          if (commands[i]!.name === 'else') break
        }
        statements.push(this.#if(chain))
        continue
      }
      const statement = this.#guard(command, () => this.#action(command))
      if (statement !== undefined) statements.push(statement)
    }
    return statements
  }

  #if(chain: readonly SieveCommand[]): SieveStatement {
    const branches: { test: ReturnType<typeof compileTest>; block: SieveStatement[] }[] = []
    let otherwise: SieveStatement[] = []
    for (const command of chain) {
      const block = this.#block(command.block ?? [])
      this.#guard(command, () => {
        if (command.block === undefined) fail(`${command.name} needs a block`)
        if (command.args.length > 0) fail(`${command.name} takes a test only`)
        if (command.name === 'else') {
          if (command.tests.length > 0) fail('else takes no test')
          otherwise = block
          return
        }
        if (command.tests.length !== 1) fail(`${command.name} needs exactly one test`)
        branches.push({ test: compileTest(command.tests[0]!, this.#required), block })
      })
    }
    return { kind: 'if', branches, otherwise }
  }

  #action(command: SieveCommand): SieveStatement {
    const args = new Arguments(command, this.#required)
    const statement = this.#statement(command, args)
    if (command.block !== undefined) fail(`${command.name} takes no block`)
    if (command.tests.length > 0) fail(`${command.name} takes no test`)
    args.end()
    return statement
  }

  #statement(command: SieveCommand, args: Arguments): SieveStatement {
    switch (command.name) {
      case 'stop':
      case 'discard':
        return { kind: command.name }
      case 'keep': {
        const flags = this.#flags(args)
        return { kind: 'keep', ...flags }
      }
      case 'fileinto': {
        args.needs('fileinto')
        const copy = args.tag('copy', 'copy')
        const create = args.tag('create', 'mailbox')
        const flags = this.#flags(args)
        const mailbox = args.string('the name of a mailbox')
        if (mailbox === '') fail('the name of a mailbox is empty')
        return { kind: 'fileinto', mailbox, copy, create, ...flags }
      }
      case 'redirect': {
        const copy = args.tag('copy', 'copy')
        return { kind: 'redirect', address: args.address(), copy }
      }
      case 'reject':
      case 'ereject':
        args.needs(command.name)
        return { kind: command.name, reason: args.string('a reason') }
      case 'setflag':
      case 'addflag':
      case 'removeflag':
        args.needs('imap4flags')
        return { kind: command.name, flags: parseFlags(args.strings('flags')) }
      case 'require':
        return fail('require must stand before all other commands') // RFC 5228 §3.2
      case 'elsif':
      case 'else':
        return fail(`${command.name} must follow if or elsif`)
      default:
        return fail(`there is no command "${command.name}"`)
    }
  }

  #flags(args: Arguments): { flags?: readonly string[] } {
    return args.tag('flags', 'imap4flags') ? { flags: parseFlags(args.taken('flags')) } : {}
  }
}
