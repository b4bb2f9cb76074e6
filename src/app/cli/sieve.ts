import type { Command } from 'commander'
import { compileSieve } from '#engine/sieve/compile.ts'
import { trySieve } from '#app/judging/sieve-bench.ts'
import type { SieveTried } from '#app/judging/sieve-bench.ts'
import {
  script,
  scriptActive,
  scriptName,
  scriptRemoved,
  scripts,
  scriptText,
} from '#contract/admin/scripts.ts'
import { part, verbOf } from './context.ts'
import { octetsOf, textOf } from './files.ts'
import { CliError, UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { lineOf, table } from './print.ts'
import { runTrials } from './sieve-run.ts'

/** sieve: users' scripts on the running installation; checking and trying scripts without one. */
export function sieveCommands(program: Command, io: CliIo): void {
  const noun = program.command('sieve').description('filter scripts (RFC 5228)')
  storedCommands(noun, io)
  activeCommands(noun, io)
  offlineCommands(noun, io)
}

const pathOf = (user: string, name: string): string => `/users/${part(user)}/scripts/${part(name)}`

function storedCommands(noun: Command, io: CliIo): void {
  noun
    .command('put <address> <name> <file>')
    .description("store a script among a user's; - is standard input; one with errors is refused")
    .option('--activate', 'let it filter from now on')
    .action(
      async (
        user: string,
        name: string,
        file: string,
        options: { activate?: boolean },
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const body = await verb.api.put(pathOf(user, name), script, {
          script: await textOf(io, file),
          activate: options.activate === true,
        })
        verb.show(
          body,
          () =>
            `stored ${body.name}, ${body.sizeBytes} octets${body.active ? ', active' : ', not active'}\n`,
        )
      },
    )
  noun
    .command('get <address> <name>')
    .description("print one of a user's scripts as it was stored")
    .action(async (user: string, name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(pathOf(user, name), scriptText)
      verb.show(body, () => body.script)
    })
  noun
    .command('ls <address>')
    .description("show a user's scripts")
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/users/${part(user)}/scripts`, scripts)
      verb.show(body, () =>
        table(
          ['SCRIPT', 'ACTIVE', 'OCTETS'],
          body.items.map((row) => [row.name, row.active, row.sizeBytes]),
        ),
      )
    })
  noun
    .command('rename <address> <name> <new-name>')
    .description("give one of a user's scripts another name; an active one stays active")
    .action(async (user: string, name: string, to: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.put(`${pathOf(user, name)}/name`, scriptName, { name: to })
      verb.show(body, () => `renamed to ${body.name}\n`)
    })
  noun
    .command('rm <address> <name>')
    .description("remove one of a user's scripts that is not active")
    .action(async (user: string, name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(pathOf(user, name), scriptRemoved)
      verb.show(body, () => `removed ${body.removed}\n`)
    })
}

function activeCommands(noun: Command, io: CliIo): void {
  noun
    .command('activate <address> [name]')
    .description("choose the script that filters a user's mail")
    .option('--none', 'none: mail is filed by its class alone')
    .action(
      async (
        user: string,
        name: string | undefined,
        options: { none?: boolean },
        command: Command,
      ) => {
        if ((name === undefined) !== (options.none === true))
          throw new UsageError('give the name of a script, or --none')
        const verb = verbOf(command, io)
        const path = `/users/${part(user)}/active-script`
        const body = await verb.api.put(path, scriptActive, { name: name ?? null })
        verb.show(body, () =>
          body.name === null ? 'no script is active\n' : `${body.name} is active\n`,
        )
      },
    )
}

function offlineCommands(noun: Command, io: CliIo): void {
  noun
    .command('check <file>')
    .description('say whether a script is right; - is standard input')
    .action(async (file: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const compiled = compileSieve(await textOf(io, file))
      const errors = compiled.ok ? [] : compiled.error
      verb.show({ errors }, () => (errors.length === 0 ? `${file} is right\n` : ''))
      failOn(errors, file, verb.isJson)
    })
  noun
    .command('test <file>')
    .description('say what a script would do with a message, without doing it')
    .requiredOption('--message <file>', 'the message; - is standard input')
    .option('--from <address>', "its envelope sender (else From's; '' is that of bounces)")
    .option('--to <address>', "whom it is delivered to (else To's)")
    .action(
      async (
        file: string,
        options: { message: string; to?: string; from?: string },
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const body = trySieve({
          script: await textOf(io, file),
          message: await octetsOf(io, options.message),
          envelope: { from: options.from, to: options.to },
        })
        verb.show(body, () => body.actions.map(actionText).join(''))
        failOn(body.errors, file, verb.isJson)
      },
    )
  noun
    .command('run')
    .description('run scripts on messages, one trial a line of standard input, for test suites')
    .requiredOption('--jsonl', 'lines of JSON in and out (docs/operations/README.md)')
    .action(() => runTrials(io))
}

const actionText = ({ kind, mailbox, address, text, flags = [] }: SieveTried['actions'][number]) =>
  lineOf([kind, mailbox ?? address ?? text ?? '', ...flags].join(' ').trim())

/** A script with faults ends with exit status 1; --json has said them already. */
function failOn(errors: SieveTried['errors'], file: string, isJson: boolean): void {
  if (errors.length === 0) return
  const lines = errors.map(({ line, message }) =>
    line === undefined ? message : `line ${line}: ${message}`,
  )
  throw new CliError(
    'invalid',
    isJson ? 'the script is not right' : `${file}, ${lines.join('; ')}`,
    'Correct the script.',
  )
}
