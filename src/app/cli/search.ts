import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { done } from '#contract/admin/common.ts'
import { searchStatus } from '#contract/admin/search.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { fields, size } from './print.ts'

/** search: the index that searches are answered from. */
export function searchCommands(program: Command, io: CliIo): void {
  const noun = program.command('search').description('the index that searches are answered from')
  noun
    .command('status')
    .description('how large the index is, and what is not indexed yet')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/search', searchStatus)
      const { emailsBehind, accountsBehind } = body
      const lag = `${counted(emailsBehind, 'mail')} of ${counted(accountsBehind, 'account')}`
      verb.show(body, () =>
        fields([
          ['index', `${size(body.sizeBytes)} of ${counted(body.accounts, 'account')}`],
          ['parts', body.segments],
          ['to index', emailsBehind === 0 ? 'nothing' : lag],
          ['trouble', body.trouble],
        ]),
      )
    })
  noun
    .command('rebuild <address>')
    .description("make the index of a user's mail anew; searches go on meanwhile, more slowly")
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/users/${part(user)}/search/rebuild`, done)
      verb.show(body, () => `the index of ${user} is being made anew\n`)
    })
}
