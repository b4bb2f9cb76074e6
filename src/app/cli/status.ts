import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { page } from '#contract/admin/common.ts'
import { node, status } from '#contract/admin/status.ts'
import type { NodeBody, StatusBody } from '#contract/admin/status.ts'
import { verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { fields, table } from './print.ts'

/** status, node ls. */
export function statusCommands(program: Command, io: CliIo): void {
  program
    .command('status')
    .description('how the installation is')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/status', status)
      verb.show(
        body,
        () =>
          `${fields([
            ['version', body.version],
            ['settings', `generation ${body.settings.generation}`],
            [
              'directory',
              [
                counted(body.directory.domains, 'domain'),
                counted(body.directory.users, 'user'),
                `${body.directory.aliases} ${body.directory.aliases === 1 ? 'alias' : 'aliases'}`,
              ].join(', '),
            ],
            ['queue', queueText(body.queue)],
            ['oldest mail', body.queue.oldest],
            ...body.queue.unreachable.map(
              (gone) => ['no answer', `${gone.node}: ${gone.reason}`] as const,
            ),
            ...body.eventGaps.map(
              (gap) =>
                [
                  'events lost',
                  `${gap.node}: ${gap.from} to ${gap.to}, found ${gap.found}`,
                ] as const,
            ),
          ])}\n${nodesText(body.nodes)}`,
      )
    })
  program
    .command('node')
    .description('machines and roles')
    .command('ls')
    .description('show the nodes that have joined')
    .action(async (_: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.get('/nodes', page(node))
      verb.show(body, () => nodesText(body.items))
    })
}

function queueText({ messages, ready, claimed, held, unreachable }: StatusBody['queue']): string {
  // What does not answer may hold mail.
  if (messages === 0) return unreachable.length === 0 ? 'empty' : 'not known'
  const recipients = [
    [ready, 'waiting'],
    [claimed, 'being delivered'],
    [held, 'held'],
  ].flatMap(([count, state]) => (count === 0 ? [] : [`${count} ${state}`]))
  return `${counted(messages, 'message')}; of its recipients ${recipients.join(', ')}`
}

const nodesText = (nodes: readonly NodeBody[]): string =>
  table(
    ['NODE', 'ROLE', 'STATE', 'CONNECTED', 'GENERATION', 'DIRECTORY', 'TROUBLE'],
    nodes.map((row) => [
      row.node,
      row.role,
      row.connected ? row.state : 'away',
      row.connected,
      row.generation,
      row.seq,
      row.error ?? (row.connected ? row.reason : `last heard of ${row.lastBeat ?? 'never'}`),
    ]),
  )
