import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import { alias, writtenAlias } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** Addresses that lead to others. */
export function aliasCommands(program: Command, io: CliIo): void {
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
