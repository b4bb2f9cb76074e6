import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import { domain, writtenDomain } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'

/** Domains, and which of them are converted to others. */
export function domainCommands(program: Command, io: CliIo): void {
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
    .command('set <domain>')
    .description('convert a domain to another one, or no more')
    .option('--convert-to <domain>', 'its addresses are those of this domain')
    .option('--no-conversion', 'its addresses are its own')
    .action(async (name: string, options: SetOptions, command: Command) => {
      const { convertTo, conversion } = options
      if ((convertTo === undefined) === conversion)
        throw new UsageError('give --convert-to DOMAIN or --no-conversion')
      const verb = verbOf(command, io)
      const change = { convertTo: convertTo ?? null }
      const body = await verb.api.put(`/domains/${part(name)}`, writtenDomain, change)
      verb.wrote(body, () =>
        body.convertTo === undefined
          ? `${body.name} has addresses of its own\n`
          : `${body.name} is converted to ${body.convertTo}\n`,
      )
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

interface SetOptions {
  readonly convertTo?: string
  /** False where it was given: `--no-conversion`. */
  readonly conversion: boolean
}
