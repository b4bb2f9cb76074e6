import { Option } from 'commander'
import type { Command } from 'commander'
import { user, writtenUser } from '#contract/admin/directory.ts'
import type { UserBody } from '#contract/admin/directory.ts'
import { ROLES } from '#model/role.ts'
import { part, verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { UsageError } from './io.ts'
import { changed, collect } from './lists.ts'
import { fields } from './print.ts'
import { QUOTA, QUOTA_MAILBOXES, QUOTA_MESSAGES, quotaChange, quotaText } from './quota.ts'
import type { QuotaOptions } from './quota.ts'
import { factLines, factsChangeOf, withFactsChange } from './user-facts.ts'
import type { FactsChangeOptions } from './user-facts.ts'

/** `user set`: name, addresses and rights. */
export function changeCommand(noun: Command, io: CliIo): void {
  withFactsChange(noun.command('set <user>'))
    .description('change name, addresses and rights of a user')
    .option('--name <name>', 'the name that people see; an empty one takes it away')
    .option('--admin', 'may administer this installation')
    .option('--no-admin', 'may not')
    .addOption(roleOption())
    .option('--address <address>', 'a further address; may be given again', collect)
    .option(
      '--remove-address <address>',
      'one of its further addresses; may be given again',
      collect,
    )
    .option('--send-as <address>', 'one that it may also send under; may be given again', collect)
    .option('--not-send-as <address>', 'one that it may not any more; may be given again', collect)
    .option(...QUOTA)
    .option(...QUOTA_MESSAGES)
    .option(...QUOTA_MAILBOXES)
    .action(async (name: string, options: ChangeOptions, command: Command) => {
      const given = Object.keys(options)
      if (given.length === 0) throw new UsageError('give what is to change')
      const verb = verbOf(command, io)
      const before = await verb.api.get(`/users/${part(name)}`, user)
      const { address, removeAddress, sendAs, notSendAs } = options
      const body = await verb.api.patch(`/users/${part(before.id)}`, writtenUser, {
        ...(options.name !== undefined && { name: options.name }),
        ...(options.admin !== undefined && { admin: options.admin }),
        ...(options.role !== undefined && { role: options.role }),
        ...((address ?? removeAddress) !== undefined && {
          addresses: changed(before.addresses, address, removeAddress),
        }),
        ...((sendAs ?? notSendAs) !== undefined && {
          delegated: changed(before.delegated, sendAs, notSendAs),
        }),
        ...factsChangeOf(before, options),
        ...quotaChange(options),
      })
      verb.wrote(body, () => userText(body))
    })
}

interface ChangeOptions extends QuotaOptions, FactsChangeOptions {
  readonly name?: string
  readonly admin?: boolean
  readonly role?: string
  readonly address?: readonly string[]
  readonly removeAddress?: readonly string[]
  readonly sendAs?: readonly string[]
  readonly notSendAs?: readonly string[]
}

/** `--role`, for whoever is added or changed. */
export const roleOption = (): Option =>
  new Option('--role <role>', 'what it may do beside its own mail').choices(ROLES)

const quotaLine = ({ quota, effectiveQuota }: UserBody): string => {
  const own = quotaText(quota ?? {})
  const { mailboxes, ...mail } = effectiveQuota
  if (Object.values(effectiveQuota).every((limit) => limit === 0))
    return own === undefined ? 'none' : 'none, by its own'
  const shown = { ...mail, ...((mailboxes > 0 || quota?.mailboxes !== undefined) && { mailboxes }) }
  return `${quotaText(shown) ?? ''}${own === undefined ? '' : ` (its own: ${own})`}`
}

export const userText = (body: UserBody): string =>
  fields([
    ['address', body.address],
    ['name', body.name],
    ...factLines(body),
    ['further addresses', body.addresses.join(', ')],
    ['may send as', body.delegated.join(', ')],
    ['forwarded to', body.forward?.to.join(', ')],
    ['keeps a copy', body.forward?.keep],
    ['quota', quotaLine(body)],
    ['role', body.role],
    ['disabled', body.disabled],
    ['password', body.passwordScheme ?? 'none: nobody can log in'],
    ['sources', body.sources?.join(', ')],
    ['id', body.id],
  ])
