import type { Command } from 'commander'
import { toUtf8 } from '#base/octets.ts'
import { done, page } from '#contract/admin/common.ts'
import {
  alias,
  domain,
  route,
  user,
  userForward,
  writtenAlias,
  writtenDomain,
  writtenForward,
  writtenRoute,
  writtenUser,
} from '#contract/admin/directory.ts'
import type { UserBody } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { CliError, UsageError } from './io.ts'
import { fields, table } from './print.ts'

const HASH_OPTION = 'read a hash of another system from standard input: {SSHA}…, {CRYPT}$6$…'

/** domain, user, alias, forward, route. */
export function directoryCommands(program: Command, io: CliIo): void {
  domainCommands(program, io)
  userCommands(program, io)
  aliasCommands(program, io)
  forwardCommands(program, io)
  routeCommands(program, io)
}

function domainCommands(program: Command, io: CliIo): void {
  const noun = program.command('domain').description('domains that are ours')
  noun
    .command('add <domain>')
    .description('add a domain; the first one is the default domain')
    .option('--convert-to <domain>', 'its addresses are those of this domain')
    .action(async (name: string, options: { convertTo?: string }, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post('/domains', writtenDomain, { name, ...options })
      verb.wrote(body, () => `added ${body.name}\n`)
    })
  noun
    .command('ls')
    .description('show the domains')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/domains', page(domain))
      verb.show(body, () =>
        table(
          ['DOMAIN', 'CONVERTED TO', 'DEFAULT'],
          body.items.map((row) => [row.name, row.convertTo, row.isDefault]),
        ),
      )
    })
  noun
    .command('rm <domain>')
    .description('remove a domain that has no addresses any more')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/domains/${part(name)}`, done)
      verb.wrote(body, () => `removed ${name}\n`)
    })
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
]

function userCommands(program: Command, io: CliIo): void {
  const noun = program.command('user').description('people and offices with mailboxes')
  noun
    .command('add <address>')
    .description('add a user; a bare name is one of the default domain')
    .option('--password-stdin', 'read the password from standard input')
    .option('--hash-stdin', HASH_OPTION)
    .option('--name <name>', 'the name that people see')
    .option('--admin', 'may administer this installation')
    .option('--address <address>', 'a further address; may be given again', collect)
    .action(async (address: string, options: UserOptions, command: Command) => {
      const verb = verbOf(command, io)
      const { name, admin, address: addresses } = options
      const body = await verb.api.post('/users', writtenUser, {
        address,
        ...(await passwordFrom(io, options)),
        ...(name !== undefined && { name }),
        ...(admin !== undefined && { admin }),
        ...(addresses !== undefined && { addresses }),
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
    .option('--search <text>', 'only those whose name or address holds this')
    .action(async (options: { search?: string }, command: Command) => {
      const verb = verbOf(command, io)
      const query = options.search === undefined ? '' : `?search=${part(options.search)}`
      const body = await verb.api.all(`/users${query}`, page(user))
      verb.show(body, () =>
        table(
          ['ADDRESS', 'NAME', 'ADMIN', 'DISABLED'],
          body.items.map((row) => [row.address, row.name, row.admin, row.disabled]),
        ),
      )
    })
  changeCommand(noun, io)
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
  noun
    .command('delete <user>')
    .description('delete a user and its forward')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/users/${part(name)}`, done)
      verb.wrote(body, () => `deleted ${name}\n`)
    })
}

function changeCommand(noun: Command, io: CliIo): void {
  noun
    .command('set <user>')
    .description('change name, addresses and rights of a user')
    .option('--name <name>', 'the name that people see; an empty one takes it away')
    .option('--admin', 'may administer this installation')
    .option('--no-admin', 'may not')
    .option('--address <address>', 'a further address; may be given again', collect)
    .option(
      '--remove-address <address>',
      'one of its further addresses; may be given again',
      collect,
    )
    .option('--send-as <address>', 'one that it may also send under; may be given again', collect)
    .option('--not-send-as <address>', 'one that it may not any more; may be given again', collect)
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const given = Object.keys(options)
      if (given.length === 0) throw new UsageError('give what is to change')
      const verb = verbOf(command, io)
      const before = await verb.api.get(`/users/${part(name)}`, user)
      const { address, removeAddress, sendAs, notSendAs } = options
      const body = await verb.api.patch(`/users/${part(before.id)}`, writtenUser, {
        ...(options.name !== undefined && { name: options.name }),
        ...(options.admin !== undefined && { admin: options.admin }),
        ...((address ?? removeAddress) !== undefined && {
          addresses: changed(before.addresses, address, removeAddress),
        }),
        ...((sendAs ?? notSendAs) !== undefined && {
          delegated: changed(before.delegated, sendAs, notSendAs),
        }),
      })
      verb.wrote(body, () => userText(body))
    })
}

interface ChangeOptions {
  readonly name?: string
  readonly admin?: boolean
  readonly address?: readonly string[]
  readonly removeAddress?: readonly string[]
  readonly sendAs?: readonly string[]
  readonly notSendAs?: readonly string[]
}

/** The list with some in and some out; what is not in it cannot be taken out. */
function changed(
  before: readonly string[],
  add: readonly string[] = [],
  remove: readonly string[] = [],
): readonly string[] {
  const key = (address: string): string => address.toLowerCase().normalize('NFC')
  const left = new Map(before.map((address) => [key(address), address]))
  for (const address of remove)
    if (!left.delete(key(address)))
      throw new CliError('notFound', `${address} is not among them`, 'watari user show lists them.')
  for (const address of add) left.set(key(address), address)
  return [...left.values()]
}

interface UserOptions {
  readonly passwordStdin?: boolean
  readonly hashStdin?: boolean
  readonly name?: string
  readonly admin?: boolean
  readonly address?: readonly string[]
}

/** Octets up to the end less one final LF (DESIGN section 6): opaque, so they travel in base64. */
async function passwordFrom(
  io: CliIo,
  options: UserOptions,
): Promise<{ readonly passwordBase64: string } | { readonly passwordHash: string }> {
  if (options.hashStdin === true && options.passwordStdin === true)
    throw new UsageError('give --password-stdin or --hash-stdin, not both')
  if (options.hashStdin === true) return { passwordHash: toUtf8(await io.stdin()).trim() }
  if (options.passwordStdin !== true)
    throw new UsageError('give the password on standard input, with --password-stdin')
  const octets = Buffer.from(await io.stdin())
  const password = octets.at(-1) === 0x0a ? octets.subarray(0, -1) : octets
  return { passwordBase64: password.toString('base64') }
}

const userText = (body: UserBody): string =>
  fields([
    ['address', body.address],
    ['name', body.name],
    ['further addresses', body.addresses.join(', ')],
    ['may send as', body.delegated.join(', ')],
    ['forwarded to', body.forward?.to.join(', ')],
    ['keeps a copy', body.forward?.keep],
    ['admin', body.admin],
    ['disabled', body.disabled],
    ['password', body.passwordScheme ?? 'none: nobody can log in'],
    ['id', body.id],
  ])

function aliasCommands(program: Command, io: CliIo): void {
  const noun = program.command('alias').description('addresses that lead to others')
  noun
    .command('add <from> <to...>')
    .description('mail for FROM goes to each TO')
    .action(async (from: string, to: readonly string[], _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post('/aliases', writtenAlias, { from, to })
      verb.wrote(body, () => `${body.from} leads to ${body.to.join(', ')}\n`)
    })
  noun
    .command('set <from> <to...>')
    .description('the same in the place of what FROM led to before')
    .action(async (from: string, to: readonly string[], _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.put(`/aliases/${part(from)}`, writtenAlias, { to })
      verb.wrote(body, () => `${body.from} leads to ${body.to.join(', ')}\n`)
    })
  noun
    .command('ls')
    .description('show the aliases')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/aliases', page(alias))
      verb.show(body, () =>
        table(
          ['FROM', 'TO'],
          body.items.map((row) => [row.from, row.to.join(', ')]),
        ),
      )
    })
  noun
    .command('rm <from>')
    .description('remove an alias')
    .action(async (from: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/aliases/${part(from)}`, done)
      verb.wrote(body, () => `removed ${from}\n`)
    })
}

function forwardCommands(program: Command, io: CliIo): void {
  const noun = program.command('forward').description('users whose mail goes elsewhere')
  noun
    .command('set <user> <to...>')
    .description("a user's mail goes to each TO")
    .option('--keep', 'keep a copy in the mailbox')
    .action(
      async (
        name: string,
        to: readonly string[],
        options: { keep?: boolean },
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const keep = options.keep === true
        const body = await verb.api.put(`/users/${part(name)}/forward`, writtenForward, {
          to,
          keep,
        })
        const copy = body.keep ? ', a copy is kept' : ''
        verb.wrote(body, () => `${body.user} is forwarded to ${body.to.join(', ')}${copy}\n`)
      },
    )
  noun
    .command('ls')
    .description('show the forwards')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/forwards', page(userForward))
      verb.show(body, () =>
        table(
          ['USER', 'TO', 'KEEPS A COPY'],
          body.items.map((row) => [row.user, row.to.join(', '), row.keep]),
        ),
      )
    })
  noun
    .command('rm <user>')
    .description('end a forward')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/users/${part(name)}/forward`, done)
      verb.wrote(body, () => `${name} is not forwarded any more\n`)
    })
}

function routeCommands(program: Command, io: CliIo): void {
  const noun = program.command('route').description('where mail goes next, by domain or address')
  noun
    .command('set <match> <next-hop>')
    .description('smtp:HOST:PORT, lmtp:HOST:PORT, local or hold')
    .action(async (match: string, nextHop: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.put(`/routes/${part(match)}`, writtenRoute, { nextHop })
      verb.wrote(body, () => `${body.match} goes to ${body.nextHop}\n`)
    })
  noun
    .command('ls')
    .description('show the routes')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/routes', page(route))
      verb.show(body, () =>
        table(
          ['MATCH', 'NEXT HOP'],
          body.items.map((row) => [row.match, row.nextHop]),
        ),
      )
    })
  noun
    .command('rm <match>')
    .description('remove a route')
    .action(async (match: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/routes/${part(match)}`, done)
      verb.wrote(body, () => `removed ${match}\n`)
    })
}
