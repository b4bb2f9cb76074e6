import type { Command } from 'commander'
import { page } from '#contract/admin/common.ts'
import { node, status } from '#contract/admin/status.ts'
import type { NodeBody } from '#contract/admin/status.ts'
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
              `${body.directory.domains} domains, ${body.directory.users} users, ${body.directory.aliases} aliases`,
            ],
            ['queue', `${body.queue.messages} messages, ${body.queue.held} recipients held`],
            ['oldest', body.queue.oldest],
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

const nodesText = (nodes: readonly NodeBody[]): string =>
  table(
    ['NODE', 'ROLE', 'STATE', 'CONNECTED', 'GENERATION', 'DIRECTORY', 'TROUBLE'],
    nodes.map((row) => [
      row.node,
      row.role,
      row.state,
      row.connected,
      row.generation,
      row.seq,
      row.error ?? row.reason,
    ]),
  )
