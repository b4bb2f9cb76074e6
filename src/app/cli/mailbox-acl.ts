import type { Command } from 'commander'
import type { z } from 'zod'
import { acl } from '#contract/admin/acl.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** mailbox acl: who else may do what in a user's mailbox. */
export function mailboxAclCommands(parent: Command, io: CliIo): void {
  const noun = parent.command('acl').description('who else may do what in a mailbox')
  noun
    .command('ls <address> <mailbox>')
    .description('show who has which rights beside its owner')
    .action(async (user: string, name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(pathOf(user, name), acl)
      verb.show(body, () => shown(body))
    })
  noun
    .command('set <address> <mailbox> <who> <rights>')
    .description('let a user, or anyone, do this and no more: lrs reads, lrswite works with mail')
    .addHelpText(
      'after',
      '\nl look up, r read, s keep what one has read, w set flags, i insert, k create below,' +
        '\nx delete the mailbox, t mark deleted, e expunge, a administer; -- -USER takes away.',
    )
    .action(
      async (
        ...[user, name, who, rights, , command]: [string, string, string, string, unknown, Command]
      ) => {
        const verb = verbOf(command, io)
        const body = await verb.api.put(`${pathOf(user, name)}/${part(who)}`, acl, { rights })
        verb.show(body, () => shown(body))
      },
    )
  noun
    .command('rm <address> <mailbox> <who>')
    .description('take an entry away')
    .action(async (user: string, name: string, who: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`${pathOf(user, name)}/${part(who)}`, acl)
      verb.show(body, () => shown(body))
    })
}

const pathOf = (user: string, mailbox: string): string =>
  `/users/${part(user)}/mailboxes/${part(mailbox)}/acl`

const shown = ({ items }: z.infer<typeof acl>): string =>
  items.length === 0
    ? 'nobody but the owner\n'
    : table(
        ['WHO', 'RIGHTS'],
        items.map(({ who, rights }) => [who, rights]),
      )
