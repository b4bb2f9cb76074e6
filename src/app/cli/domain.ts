import type { Command } from 'commander'
import { done, page } from '#contract/admin/common.ts'
import type { DomainBody } from '#contract/admin/directory.ts'
import { domain, writtenDomain } from '#contract/admin/directory.ts'
import { part, verbOf } from './context.ts'
import { UsageError } from './io.ts'
import type { CliIo } from './io.ts'
import { table } from './print.ts'
import {
  newQuota,
  QUOTA,
  QUOTA_MAILBOXES,
  QUOTA_MESSAGES,
  quotaChange,
  quotaText,
} from './quota.ts'
import type { QuotaOptions } from './quota.ts'

/** Domains, and which of them are converted to others. */
export function domainCommands(program: Command, io: CliIo): void {
  const noun = program.command('domain').description('domains that are ours')
  noun
    .command('add <domain>')
    .description('add a domain; the first one is the default domain')
    .option('--convert-to <domain>', 'its addresses are those of this domain')
    .option(...QUOTA)
    .option(...QUOTA_MESSAGES)
    .option(...QUOTA_MAILBOXES)
    .action(async (name: string, options: AddOptions, command: Command) => {
      const verb = verbOf(command, io)
      const { convertTo } = options
      const body = await verb.api.post('/domains', writtenDomain, {
        name,
        ...(convertTo !== undefined && { convertTo }),
        ...newQuota(options),
      })
      verb.wrote(body, () => `added ${body.name}\n`)
    })
  noun
    .command('set <domain>')
    .description('convert a domain to another one, or no more; limit what its users may hold')
    .option('--convert-to <domain>', 'its addresses are those of this domain')
    .option('--no-conversion', 'its addresses are its own')
    .option(...QUOTA)
    .option(...QUOTA_MESSAGES)
    .option(...QUOTA_MAILBOXES)
    .action(async (name: string, options: SetOptions, command: Command) => {
      const { convertTo, conversion } = options
      const quota = quotaChange(options)
      if (convertTo !== undefined && !conversion)
        throw new UsageError('give --convert-to DOMAIN or --no-conversion, not both')
      if (convertTo === undefined && conversion && quota.quota === undefined)
        throw new UsageError('give --convert-to DOMAIN, --no-conversion or a quota')
      const verb = verbOf(command, io)
      const change = {
        ...((convertTo !== undefined || !conversion) && { convertTo: convertTo ?? null }),
        ...quota,
      }
      const body = await verb.api.put(`/domains/${part(name)}`, writtenDomain, change)
      verb.wrote(body, () => domainText(body))
    })
  noun
    .command('ls')
    .description('show the domains')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.all('/domains', page(domain))
      verb.show(body, () =>
        table(
          ['DOMAIN', 'CONVERTED TO', 'DEFAULT', 'QUOTA'],
          body.items.map((row) => [
            row.name,
            row.convertTo,
            row.isDefault,
            quotaText(row.quota ?? {}),
          ]),
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

function domainText(body: DomainBody): string {
  const quota = quotaText(body.quota ?? {})
  const conversion =
    body.convertTo === undefined ? 'has addresses of its own' : `is converted to ${body.convertTo}`
  return `${body.name} ${conversion}${quota === undefined ? '' : `; its users may hold ${quota}`}\n`
}

interface AddOptions extends QuotaOptions {
  readonly convertTo?: string
}

interface SetOptions extends AddOptions {
  /** False where it was given: `--no-conversion`. */
  readonly conversion: boolean
}
