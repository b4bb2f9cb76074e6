import type { Command } from 'commander'
import { toUtf8 } from '#base/octets.ts'
import { done, page } from '#contract/admin/common.ts'
import { user, writtenUser } from '#contract/admin/directory.ts'
import { appPasswordCommands } from './app-password.ts'
import { part, verbOf } from './context.ts'
import { passwordBase64 } from './files.ts'
import type { CliIo } from './io.ts'
import { UsageError } from './io.ts'
import { table } from './print.ts'
import { newQuota, QUOTA, QUOTA_MAILBOXES, QUOTA_MESSAGES } from './quota.ts'
import type { QuotaOptions } from './quota.ts'
import { collect } from './lists.ts'
import { userChoicesCommands } from './user-choices.ts'
import { userBulkCommand } from './user-bulk.ts'
import { userLifeCommands } from './user-life.ts'
import { changeCommand, roleOption, userText } from './user-change.ts'
import { factsOf, withFacts } from './user-facts.ts'
import type { FactsOptions } from './user-facts.ts'

const HASH_OPTION = 'read a hash of another system from standard input: {SSHA}…, {CRYPT}$6$…'

/** People and offices with mailboxes. */
export function userCommands(program: Command, io: CliIo): void {
  const noun = program.command('user').description('people and offices with mailboxes')
  withFacts(noun.command('add <address>'))
    .description('add a user; a bare name is one of the default domain')
    .option('--password-stdin', 'read the password from standard input')
    .option('--hash-stdin', HASH_OPTION)
    .option('--name <name>', 'the name that people see')
    .option('--admin', 'may administer this installation')
    .addOption(roleOption())
    .option('--address <address>', 'a further address; may be given again', collect)
    .option(...QUOTA)
    .option(...QUOTA_MESSAGES)
    .option(...QUOTA_MAILBOXES)
    .action(async (address: string, options: UserOptions, command: Command) => {
      const verb = verbOf(command, io)
      const { name, admin, role, address: addresses } = options
      const body = await verb.api.post('/users', writtenUser, {
        address,
        ...(await passwordFrom(io, options)),
        ...(name !== undefined && { name }),
        ...(admin !== undefined && { admin }),
        ...(role !== undefined && { role }),
        ...(addresses !== undefined && { addresses }),
        ...factsOf(options),
        ...newQuota(options),
      })
      verb.wrote(body, () => `added ${body.address}\n`)
    })
  noun
    .command('show <user>')
    .description('show one user, by name, address or id')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/users/${part(name)}`, user)
      verb.show(body, () => userText(body))
    })
  noun
    .command('ls')
    .description('show the users')
    .option('--search <text>', 'only those whose name, reading, tags or address hold this')
    .option('--tag <tag>', 'only those who have this tag')
    .option('--deleted', 'those who were deleted and can be had back')
    .action(async ({ deleted, ...options }: ListOptions, command: Command) => {
      const verb = verbOf(command, io)
      const ask = { ...options, ...(deleted === true && { deleted: 'true' }) }
      const query = new URLSearchParams(ask).toString()
      const body = await verb.api.all(`/users?${query}`, page(user))
      verb.show(body, () =>
        table(
          ['ADDRESS', 'NAME', 'ROLE', 'DISABLED'],
          body.items.map((row) => [row.address, row.name, row.role, row.disabled]),
        ),
      )
    })
  changeCommand(noun, io)
  appPasswordCommands(noun, io)
  userChoicesCommands(noun, io)
  noun
    .command('passwd <user>')
    .description('set a new password')
    .option('--password-stdin', 'read the password from standard input')
    .option('--hash-stdin', HASH_OPTION)
    .action(async (name: string, options: UserOptions, command: Command) => {
      const verb = verbOf(command, io)
      const password = await passwordFrom(io, options)
      const body = await verb.api.post(`/users/${part(name)}/password`, done, password)
      verb.wrote(body, () => `${name} has a new password\n`)
    })
  for (const [word, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const)
    noun
      .command(`${word} <user>`)
      .description(disabled ? 'refuse logins; mail still arrives' : 'allow logins again')
      .action(async (name: string, _: unknown, command: Command) => {
        const verb = verbOf(command, io)
        const body = await verb.api.patch(`/users/${part(name)}`, writtenUser, { disabled })
        verb.wrote(body, () => `${word}d ${body.address}\n`)
      })
  userLifeCommands(noun, io)
  userBulkCommand(noun, io)
}

interface ListOptions {
  readonly search?: string
  readonly tag?: string
  readonly deleted?: true
}

interface UserOptions extends QuotaOptions, FactsOptions {
  readonly passwordStdin?: boolean
  readonly hashStdin?: boolean
  readonly name?: string
  readonly admin?: boolean
  readonly role?: string
  readonly address?: readonly string[]
}

async function passwordFrom(
  io: CliIo,
  options: UserOptions,
): Promise<{ readonly passwordBase64: string } | { readonly passwordHash: string }> {
  if (options.hashStdin === true && options.passwordStdin === true)
    throw new UsageError('give --password-stdin or --hash-stdin, not both')
  if (options.hashStdin === true) return { passwordHash: toUtf8(await io.stdin()).trim() }
  if (options.passwordStdin !== true)
    throw new UsageError('give the password on standard input, with --password-stdin')
  return { passwordBase64: await passwordBase64(io) }
}
