import type { Command } from 'commander'
import { compileSieve } from '#engine/sieve/compile.ts'
import { trySieve } from '#app/judging/sieve-bench.ts'
import type { SieveTrial, SieveTried } from '#app/judging/sieve-bench.ts'
import { systemClock, zoneMinutesAt } from '#base/time.ts'
import { user as userBody } from '#contract/admin/directory.ts'
import { mailboxes } from '#contract/admin/mailboxes.ts'
import { setting } from '#contract/admin/settings.ts'
import { parseAddress } from '#model/address.ts'
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
import { sieveImportCommand } from './sieve-import.ts'
import { runTrials } from './sieve-run.ts'

/** sieve: users' scripts on the running installation; checking and trying scripts without one. */
export function sieveCommands(program: Command, io: CliIo): void {
  const noun = program.command('sieve').description('filter scripts (RFC 5228)')
  storedCommands(noun, io)
  activeCommands(noun, io)
  sieveImportCommand(noun, io)
  offlineCommands(noun, io)
}

const REDIRECTS = 'sieve.redirectsMax'
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
    .command('test <script> [mail]')
    .description('say what a script would do with a message, without doing it; - is standard input')
    .option('--message <file>', 'the message, instead of [mail]')
    .option('--from <address>', "its envelope sender (else From's; '' is that of bounces)")
    .option('--to <address>', "whom it is delivered to (else To's, or the account's)")
    .option('--class <class>', 'how it was judged: clean, suspected or spam (else not at all)')
    .option(
      '--account <user>',
      'whose mail it is: mailboxes, addresses and limits of the installation',
    )
    .action(
      async (script: string, mail: string | undefined, options: TestOptions, command: Command) => {
        const verb = verbOf(command, io)
        const file = mail ?? options.message
        if (file === undefined || (mail !== undefined && options.message !== undefined))
          throw new UsageError('give one message: sieve test SCRIPT MAIL, or --message FILE')
        const whose: Partial<Whose> =
          options.account === undefined ? {} : await accountOf(verb, options.account)
        const body = trySieve({
          script: await textOf(io, script),
          message: await octetsOf(io, file),
          envelope: { from: options.from, to: options.to ?? whose.to },
          spamClass: classOf(options.class),
          owner: whose.owner,
          limits: whose.limits,
          around: {
            nowMs: systemClock.nowMs(),
            zoneMinutes: zoneMinutesAt(systemClock.nowMs()),
            ...(whose.mailboxes !== undefined && { mailboxes: whose.mailboxes }),
          },
        })
        verb.show(body, () =>
          [
            ...body.actions.map(actionText),
            ...(body.unsent ?? []).map((why) => lineOf(`no ${why}`)),
          ].join(''),
        )
        failOn(body.errors, script, verb.isJson)
      },
    )
  noun
    .command('run')
    .description('run scripts on messages, one trial a line of standard input, for test suites')
    .requiredOption('--jsonl', 'lines of JSON in and out (docs/operations/README.md)')
    .action(() => runTrials(io))
}

interface TestOptions {
  readonly message?: string
  readonly from?: string
  readonly to?: string
  readonly class?: string
  readonly account?: string
}

function classOf(text: string | undefined): SieveTrial['spamClass'] {
  if (text === undefined || text === 'clean' || text === 'suspected' || text === 'spam') return text
  throw new UsageError('--class is clean, suspected or spam')
}

/** What the running installation knows of a user. */
type Whose = Required<Pick<SieveTrial, 'owner' | 'limits'>> & {
  readonly to: string
  readonly mailboxes: readonly string[]
}

async function accountOf(verb: ReturnType<typeof verbOf>, user: string): Promise<Whose> {
  const account = await verb.api.get(`/users/${part(user)}`, userBody)
  const { items } = await verb.api.get(`/users/${part(user)}/mailboxes`, mailboxes)
  const { value } = await verb.api.get(`/settings/${part(REDIRECTS)}`, setting)
  const addresses = [account.address, ...account.addresses].flatMap((text) => {
    const parsed = parseAddress(text)
    return parsed.ok ? [parsed.value] : []
  })
  return {
    to: account.address,
    mailboxes: items.map(({ name }) => name),
    owner: { addresses, ...(account.name !== undefined && { name: account.name }) },
    limits: { redirectsMax: Number(value) },
  }
}

const actionText = (action: SieveTried['actions'][number]): string => {
  const { kind, mailbox, address, subject, text, fcc, flags = [] } = action
  const what = mailbox ?? address ?? text ?? ''
  const more = [subject === undefined ? '' : `"${subject}"`, fcc === undefined ? '' : `fcc ${fcc}`]
  return lineOf([kind, what, ...more, ...flags].filter((each) => each !== '').join(' '))
}

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
