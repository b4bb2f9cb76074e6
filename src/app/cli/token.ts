import type { Command } from 'commander'
import { page } from '#contract/admin/common.ts'
import { apiTokenChange, apiTokens, madeApiToken, removedApiToken } from '#contract/admin/tokens.ts'
import { TOKEN_DAYS, TOKEN_DAYS_MAX, TOKEN_NAME, TOKEN_ROLES } from '#model/api-token.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { UsageError } from './io.ts'
import { table } from './print.ts'

/** Tokens of programs for the API. */
export function tokenCommands(program: Command, io: CliIo): void {
  const noun = program.command('token').description('tokens of programs for the API')
  noun
    .command('create <name>')
    .description('make one, called after the program whose acts it records; it is shown this once')
    .requiredOption('--role <role>', `what it may do: ${TOKEN_ROLES.join(', ')}`)
    .option('--days <n>', 'so long it opens the API', String(TOKEN_DAYS))
    .action(async (name: string, options: { role: string; days: string }, command: Command) => {
      const verb = verbOf(command, io)
      const { role } = options
      if (!TOKEN_NAME.test(name)) throw new UsageError('the name is 1 to 40 of a-z, 0-9 and -')
      if (!TOKEN_ROLES.some((known) => known === role))
        throw new UsageError(`--role is one of ${TOKEN_ROLES.join(', ')}`)
      const days = /^\d{1,4}$/.test(options.days) ? Number(options.days) : 0
      if (days < 1 || days > TOKEN_DAYS_MAX)
        throw new UsageError(`--days is 1 to ${TOKEN_DAYS_MAX}`)
      const body = await verb.api.post('/tokens', madeApiToken, { name, role, days })
      verb.show(body, () => `${body.token}\n`)
    })
  noun
    .command('ls')
    .description('show them, with their role, end and last use, to the hour')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/tokens', apiTokens)
      verb.show(body, () =>
        table(
          ['NAME', 'ROLE', 'MADE', 'ENDS', 'LAST USE', 'FROM'],
          body.items.map(({ name, role, createdAt, expiresAt, isExpired, lastUse }) => [
            name,
            role,
            createdAt,
            isExpired ? `${expiresAt} (over)` : expiresAt,
            lastUse?.at ?? 'never',
            lastUse?.from,
          ]),
        ),
      )
    })
  noun
    .command('rm <name>')
    .description('take one back; it opens nothing from now on')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/tokens/${part(name)}`, removedApiToken)
      verb.show(body, () => `took ${name} back\n`)
    })
  noun
    .command('history')
    .description('show who made and took back which')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/tokens/history', page(apiTokenChange))
      verb.show(body, () =>
        table(
          ['WHEN', 'WHO', 'FROM', 'WHAT', 'TOKEN', 'ROLE', 'ENDS'],
          body.items.map(({ at, who, from, name, before, after }) => [
            at,
            who,
            from,
            after === null ? 'taken back' : 'made',
            name,
            (after ?? before)?.role,
            (after ?? before)?.expiresAt,
          ]),
        ),
      )
    })
}
