import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import { userForward, writtenForward } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** Users whose mail goes elsewhere. */
export function forwardCommands(program: Command, io: CliIo): void {
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
