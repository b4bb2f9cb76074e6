import { Option } from 'commander'
import type { Command } from 'commander'
import type { z } from 'zod'
import { counted } from '#base/text.ts'
import { page } from '#contract/admin/common.ts'
import { queueActed, queueMessage, queuePage, trace } from '#contract/admin/mail.ts'
import type { QueueMessageBody, TraceBody } from '#contract/admin/mail.ts'
import { numberOf, part, verbOf } from './context.ts'
import { CliError } from './io.ts'
import type { CliIo } from './io.ts'
import { fields, size, table } from './print.ts'

/** queue, trace. */
export function mailCommands(program: Command, io: CliIo): void {
  queueCommands(program, io)
  program
    .command('trace <message>')
    .description('one message over all roles, by delivery id, Message-ID or address')
    .option('--limit <n>', 'how many messages, the latest', '20')
    .action(async (what: string, options: { limit: string }, command: Command) => {
      const limit = numberOf(options.limit, 1_000)
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/trace?q=${part(what)}&limit=${limit}`, page(trace))
      const isFull =
        body.items.filter(({ deliveryId }) => !deliveryId.includes('-')).length >= limit
      const more = isFull && limit > 1 ? `\nthe latest ${limit}; more with --limit\n` : ''
      verb.show(body, () => `${body.items.map(traceText).join('\n')}${more}`)
      if (body.items.length === 0)
        throw new CliError(
          'notFound',
          `nothing is known of ${what}`,
          'Give a delivery id, a Message-ID or an address; events arrive within seconds.',
        )
    })
}

function queueCommands(program: Command, io: CliIo): void {
  const noun = program.command('queue').description('mail that waits, on all nodes')
  noun
    .command('ls')
    .description('show what waits')
    .addOption(
      new Option('--state <state>', 'of its recipients').choices(['ready', 'claimed', 'held']),
    )
    .option('--address <address>', 'of a sender or recipient')
    .option('--domain <domain>', 'of a recipient')
    .option('--text <text>', 'in an address, a last answer or the reason of a hold')
    .option('--from <time>', 'received at this time (RFC 3339) or later')
    .option('--before <time>', 'received before this time')
    .addOption(new Option('--order <order>', 'which come first').choices(['oldest', 'newest']))
    .option('--limit <n>', 'how many', '10000')
    .option('--after <next>', 'the page that follows, by the next of --json')
    .action(async (options: QueueOptions, command: Command) => {
      const { limit, after, ...asked } = options
      const most = numberOf(limit, 1_000_000)
      const verb = verbOf(command, io)
      const query = new URLSearchParams({ ...asked })
      const body = await verb.api.some(`/queue?${query.toString()}`, queuePage, {
        most,
        ...(after !== undefined && { after }),
      })
      verb.show(
        body,
        () =>
          table(
            ['QUEUE ID', 'NODE', 'RECEIVED', 'SIZE', 'FROM', 'TO', 'STATE', 'WHY'],
            body.items.map(queueRow),
          ) +
          (body.next === undefined ? '' : 'there are more than these: --limit\n') +
          unreachableText(body.unreachable),
      )
    })
  noun
    .command('show <queue-id>')
    .description('show one message and each of its recipients')
    .action(async (queueId: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get(`/queue/${part(queueId)}`, queueMessage)
      verb.show(body, () => queueText(body))
    })
  for (const [act, done, text] of [
    ['hold', 'held', 'keep messages back until they are released'],
    ['release', 'released', 'let held messages go on'],
    ['retry', 'to be tried again now', 'try messages again now'],
    ['drop', 'dropped', 'drop messages without a notice to the sender'],
  ] as const)
    noun
      .command(`${act} <queue-id...>`)
      .description(text)
      .action(async (ids: readonly string[], _: unknown, command: Command) => {
        const verb = verbOf(command, io)
        const items: z.infer<typeof queueActed>[] = []
        const refused: CliError[] = []
        for (const id of ids)
          try {
            items.push(await verb.api.post(`/queue/${part(id)}/${act}`, queueActed))
          } catch (thrown) {
            // One that is not there does not keep the others back.
            if (!(thrown instanceof CliError) || thrown.code !== 'notFound') throw thrown
            refused.push(thrown)
          }
        const [first] = refused
        if (first !== undefined && items.length === 0) throw first
        verb.show(ids.length === 1 ? items[0] : { items }, () =>
          items
            .map(({ queueId, changed }) =>
              changed === 0
                ? `${queueId}: nothing to ${act}\n`
                : `${queueId}: ${counted(changed, 'recipient')} ${done}\n`,
            )
            .join(''),
        )
        if (first !== undefined) throw first
      })
}

/** What is not named here is a filter of the API by the same name. */
interface QueueOptions {
  readonly limit: string
  readonly after?: string
}

/** Of the recipients only those for which it still waits. */
function queueRow(row: QueueMessageBody) {
  const open = row.recipients.filter(({ state }) => OPEN.has(state))
  const why = open.find(({ lastStatus, hold }) => (hold ?? lastStatus) !== undefined)
  return [
    row.queueId,
    row.node,
    row.received,
    size(row.sizeBytes),
    row.from === '' ? '<>' : row.from,
    some(open.map(({ address }) => address)),
    [...new Set(open.map(({ state }) => state))].join(', '),
    why?.hold ?? why?.lastStatus,
  ]
}

const OPEN: ReadonlySet<string> = new Set(['ready', 'claimed', 'held'])

const unreachableText = (nodes: readonly { readonly node: string; readonly reason: string }[]) =>
  nodes.map(({ node, reason }) => `${node} does not answer: ${reason}\n`).join('')

const some = (texts: readonly string[]): string =>
  texts.length <= 2 ? texts.join(', ') : `${texts[0]} and ${texts.length - 1} more`

const queueText = (body: QueueMessageBody): string =>
  `${fields([
    ['queue id', body.queueId],
    ['node', body.node],
    ['delivery id', body.deliveryId],
    ['from', body.from === '' ? '<>' : body.from],
    ['came by', body.door],
    ['size', size(body.sizeBytes)],
    ['received', body.received],
    ['expires', body.expires],
  ])}\n${table(
    ['RECIPIENT', 'STATE', 'ATTEMPTS', 'NEXT ATTEMPT', 'WHY'],
    body.recipients.map((to) => [
      to.address,
      to.state,
      to.attempts,
      to.nextAttempt,
      to.hold ?? to.lastStatus,
    ]),
  )}`

const traceText = (found: TraceBody): string =>
  `${found.deliveryId}\n${table(
    ['TIME', 'NODE', 'EVENT', 'FACTS'],
    found.events.map((event) => [
      event.at,
      event.node,
      event.name,
      Object.entries(event.fields)
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => `${name}=${quoted(String(value))}`)
        .join(' '),
    ]),
  )}${found.left === undefined ? '' : `${counted(found.left, 'more event')}: those of one recipient by their address\n`}`

const quoted = (text: string): string => (/[\s"]/.test(text) ? JSON.stringify(text) : text)
