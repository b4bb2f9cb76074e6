import type { Command } from 'commander'
import { appPasswords, madeAppPassword } from '#contract/admin/app-passwords.ts'
import { done } from '#contract/admin/common.ts'
import { APP_PROTOCOLS } from '#model/app-password.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { UsageError } from './io.ts'
import { collect } from './lists.ts'
import { table } from './print.ts'

/** user app-password: passwords of single programs, made by us. */
export function appPasswordCommands(parent: Command, io: CliIo): void {
  const noun = parent
    .command('app-password')
    .description('passwords of single programs, each taken back by itself')
  noun
    .command('add <user> <name>')
    .description('make one, called after its program or machine; it is shown this once')
    .option(
      '--protocol <protocol>',
      `let it in there only: ${APP_PROTOCOLS.join(', ')}; may be given again`,
      collect,
    )
    .action(
      async (
        ...[user, name, options, command]: [string, string, { protocol?: string[] }, Command]
      ) => {
        const verb = verbOf(command, io)
        const { protocol: protocols } = options
        const odd = protocols?.find((each) => !APP_PROTOCOLS.some((known) => known === each))
        if (odd !== undefined)
          throw new UsageError(`--protocol is one of ${APP_PROTOCOLS.join(', ')}`)
        const body = await verb.api.post(pathOf(user), madeAppPassword, {
          name,
          ...(protocols !== undefined && { protocols }),
        })
        verb.wrote(body, () => `${body.password}\n`)
      },
    )
  noun
    .command('ls <user>')
    .description(
      'show what they are called, since when there are such, and their last use, to the hour',
    )
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(pathOf(user), appPasswords)
      verb.show(body, () =>
        table(
          ['ID', 'NAME', 'MADE', 'FOR', 'LAST USE', 'BY', 'FROM'],
          body.items.map(({ id, name, createdAt, protocols, lastUse }) => [
            id,
            name,
            createdAt,
            protocols?.join(' ') ?? 'all',
            lastUse?.at ?? 'never',
            lastUse?.protocol,
            lastUse?.ip,
          ]),
        ),
      )
    })
  noun
    .command('rm <user> <id>')
    .description('take one back; what it has let in is cut off')
    .action(async (user: string, id: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`${pathOf(user)}/${part(id)}`, done)
      verb.wrote(body, () => `took ${id} of ${user} back\n`)
    })
}

const pathOf = (user: string): string => `/users/${part(user)}/app-passwords`
