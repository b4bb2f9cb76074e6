import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import { route, writtenRoute } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** Where mail goes next. */
export function routeCommands(program: Command, io: CliIo): void {
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
