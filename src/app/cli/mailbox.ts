import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import type { z } from 'zod'
import {
  damagedMessages,
  expirePart,
  expungedPage,
  mailbox,
  mailboxes,
  recounted,
  undeleted,
} from '#contract/admin/mailboxes.ts'
import { part, verbOf } from './context.ts'
import { UsageError } from './io.ts'
import { mailboxAclCommands } from './mailbox-acl.ts'
import type { CliIo } from './io.ts'
import { size, table } from './print.ts'

type Retention = z.infer<typeof mailbox>['retention']

/** mailbox: what users' mailboxes keep, for how long, and what comes back. */
export function mailboxCommands(program: Command, io: CliIo): void {
  const noun = program.command('mailbox').description('what mailboxes keep, and for how long')
  noun
    .command('ls <address>')
    .description("show a user's mailboxes")
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/users/${part(user)}/mailboxes`, mailboxes)
      verb.show(body, () => {
        const boxes = table(
          ['MAILBOX', 'MESSAGES', 'UNSEEN', 'SIZE', 'KEPT'],
          body.items.map((row) => [
            row.name,
            row.messages,
            row.unseen,
            size(row.sizeBytes),
            keptText(row.retainDays),
          ]),
        )
        return `${boxes}${usedText(body)}`
      })
    })
  noun
    .command('retain <address> <mailbox> <days>')
    .description('delete what entered the mailbox so many days ago; or forever, inherit')
    .action(async (user: string, name: string, days: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const path = `/users/${part(user)}/mailboxes/${part(name)}/retention`
      const body = await verb.api.put(path, mailbox, { retention: retentionOf(days) })
      verb.show(body, () => `${body.name}: kept ${keptText(body.retainDays)}\n`)
    })
  noun
    .command('recount <address>')
    .description("count a user's mailboxes anew, and say what was counted wrong")
    .action(async (user: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post(`/users/${part(user)}/recount`, recounted, {})
      verb.show(body, () => recountText(body))
    })
  noun
    .command('damaged')
    .description('show the messages that can no longer be read, of all users')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/mailboxes/damaged', damagedMessages)
      verb.show(body, () =>
        body.items.length === 0
          ? 'no message is known to be damaged\n'
          : table(
              ['USER', 'MAILBOX', 'UID', 'FOUND', ''],
              body.items.map((row) => [
                row.user,
                row.mailbox,
                row.uid,
                row.foundAt,
                row.expunged ? 'expunged' : '',
              ]),
            ),
      )
    })
  mailboxAclCommands(noun, io)
  expireCommand(noun, io)
  undeleteCommand(noun, io)
}

/** `used: 12.0 MiB of 2.0 GiB, 30 messages` */
function usedText({ used, quota }: z.infer<typeof mailboxes>): string {
  const bytes = `${size(used.bytes)}${quota.bytes === 0 ? '' : ` of ${size(quota.bytes)}`}`
  const messages = counted(used.messages, 'message')
  return `used: ${bytes}, ${messages}${quota.messages === 0 ? '' : ` of ${quota.messages}`}\n`
}

function recountText({ user, used, wrong, mailboxes: boxes }: z.infer<typeof recounted>): string {
  const holds = `${user} holds ${size(used.bytes)} in ${counted(used.messages, 'message')}`
  const isRight = wrong.bytes === 0 && wrong.messages === 0 && boxes.length === 0
  if (isRight) return `${holds}: all counts were right\n`
  const rows = [
    ...boxes.map((row) => [row.mailbox, row.messages, row.unseen, row.deleted, row.bytes]),
    ['(in all)', wrong.messages, '', '', wrong.bytes],
  ]
  const titles = ['TOO HIGH BY', 'MESSAGES', 'UNSEEN', 'DELETED', 'OCTETS']
  return `${table(titles, rows)}${holds}: the counts are right now\n`
}

const keptText = (days: number | null): string =>
  days === null ? 'for ever' : counted(days, 'day')

function retentionOf(text: string): Retention {
  if (text === 'forever' || text === 'inherit') return text
  if (/^\d{1,5}$/.test(text) && Number(text) > 0) return Number(text)
  throw new UsageError(`${text}: give a number of days, forever or inherit`)
}

/** The time of a date as people write it, in this machine's zone. */
function timeOf(text: string): string {
  const date = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text)
  if (Number.isNaN(date.getTime()))
    throw new UsageError(`${text}: give a date such as 2026-12-31 or 2026-12-31T09:00`)
  return date.toISOString()
}

function expireCommand(noun: Command, io: CliIo): void {
  noun
    .command('expire')
    .description('delete now what its mailbox keeps no longer, of all users')
    .option('--as-of <date>', 'what is due then')
    .option('--dry-run', 'only count')
    .action(async (options: { asOf?: string; dryRun?: boolean }, command: Command) => {
      const verb = verbOf(command, io)
      const asOf = options.asOf === undefined ? {} : { asOf: timeOf(options.asOf) }
      const dryRun = options.dryRun === true
      const found = new Map<string, z.infer<typeof expirePart>['items'][number]>()
      let looked = 0
      for (let after: string | undefined = ''; after !== undefined;) {
        const ask = { ...asOf, dryRun, ...(after !== '' && { after }) }
        const body: z.infer<typeof expirePart> = await verb.api.post(
          '/mailboxes/expire',
          expirePart,
          ask,
        )
        for (const item of body.items) {
          const key = JSON.stringify([item.user, item.mailbox])
          const messages = (found.get(key)?.messages ?? 0) + item.messages
          found.set(key, { ...item, messages })
        }
        looked += body.looked
        after = body.next
        if (after !== undefined) verb.progress(`${counted(looked, 'message')} looked at`)
      }
      const items = [...found.values()]
      const total = items.reduce((sum, { messages }) => sum + messages, 0)
      verb.show({ items, looked }, () =>
        [
          items.length === 0
            ? ''
            : table(
                ['USER', 'MAILBOX', 'MESSAGES'],
                items.map((row) => [row.user, row.mailbox, row.messages]),
              ),
          `${dryRun ? 'would delete' : 'deleted'} ${counted(total, 'message')} of ${looked} looked at\n`,
        ].join(''),
      )
    })
}

function undeleteCommand(noun: Command, io: CliIo): void {
  noun
    .command('undelete <address>')
    .description('bring back what a user expunged, or what expired, to where it lay')
    .option('--since <date>', 'only what was expunged since then')
    .option('--mailbox <mailbox>', 'only what lay there')
    .option('--dry-run', 'only show what would come back')
    .action(
      async (
        user: string,
        options: { since?: string; mailbox?: string; dryRun?: boolean },
        command: Command,
      ) => {
        const verb = verbOf(command, io)
        const ask = {
          ...(options.since !== undefined && { since: timeOf(options.since) }),
          ...(options.mailbox !== undefined && { mailbox: options.mailbox }),
        }
        if (options.dryRun === true) {
          const query = new URLSearchParams(ask).toString()
          const body = await verb.api.all(`/users/${part(user)}/expunged?${query}`, expungedPage)
          verb.show(body, () =>
            table(
              ['MAILBOX', 'EXPUNGED', 'SIZE', 'FROM', 'SUBJECT'],
              body.items.map((row) => [
                row.mailbox,
                row.expungedAt,
                size(row.sizeBytes),
                row.from,
                row.subject,
              ]),
            ),
          )
          return
        }
        let restored = 0
        for (let after: string | undefined = ''; after !== undefined;) {
          const body: z.infer<typeof undeleted> = await verb.api.post(
            `/users/${part(user)}/undelete`,
            undeleted,
            { ...ask, ...(after !== '' && { after }) },
          )
          restored += body.restored
          after = body.next
          if (after !== undefined) verb.progress(`${counted(restored, 'message')} back`)
        }
        verb.show({ restored }, () => `brought back ${counted(restored, 'message')}\n`)
      },
    )
}
