import type { Command } from 'commander'
import { done } from '#contract/admin/common.ts'
import { writtenUser } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'

/** Another name, deletion and its undoing. */
export function userLifeCommands(noun: Command, io: CliIo): void {
  noun
    .command('rename <user> <address>')
    .description(
      'give another main address; the former one takes mail for account.formerAddressDays',
    )
    .action(async (name: string, address: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/users/${part(name)}/rename`, writtenUser, { address })
      const former = body.formerAddresses?.at(-1)
      const until =
        former === undefined ? '' : `; ${former.address} is kept until ${former.keptUntil}`
      verb.wrote(body, () => `renamed to ${body.address}${until}\n`)
    })
  noun
    .command('release <address>')
    .description('let others have a former address at once')
    .action(async (address: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/former-addresses/${part(address)}`, done)
      verb.wrote(body, () => `${address} is free\n`)
    })
  noun
    .command('delete <user>')
    .alias('rm')
    .description('delete a user; it can be had back for account.undeleteDays')
    .option('--for-good', 'at once, with its forward and mailboxes: it cannot be had back')
    .action(async (name: string, options: { forGood?: true }, command: Command) => {
      const verb = verbOf(command, io)
      const query = options.forGood === true ? '?forGood=true' : ''
      const body = await verb.api.delete(`/users/${part(name)}${query}`, done)
      verb.wrote(body, () => `deleted ${name}\n`)
    })
  noun
    .command('undelete <user>')
    .description('have a deleted user back, mailboxes and all')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/users/${part(name)}/restore`, writtenUser)
      verb.wrote(body, () => `${body.address} is back\n`)
    })
}
