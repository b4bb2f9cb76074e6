import type { Command } from 'commander'
import { counted } from '#base/text.ts'
import { done, page } from '#contract/admin/common.ts'
import { tokenBody } from '#contract/admin/nodes.ts'
import { node, status } from '#contract/admin/status.ts'
import type { NodeBody, StatusBody } from '#contract/admin/status.ts'
import { JOINING_ROLES } from '#model/node.ts'
import { verbOf } from './context.ts'
import type { CliIo } from './io.ts'
import { fields, table } from './print.ts'

function clockText(clock: StatusBody['clock']): string | undefined {
  if (clock === undefined) return undefined
  const { now, today, aheadDays } = clock
  const off = `${counted(Math.abs(aheadDays), 'day')} ${aheadDays > 0 ? 'ahead' : 'behind'}`
  return `${now} is ${off}: accounts go by ${today} until: watari directory upkeep --accept-clock`
}

/** status; node token, ls, drain, remove. */
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
            ['clock', clockText(body.clock)],
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
  const noun = program.command('node').description('machines and roles')
  noun
    .command('token')
    .description('make the one-time token that a new machine joins with')
    .requiredOption('--role <role>', `what it will be: ${JOINING_ROLES.join(', ')}`)
    .requiredOption('--name <name>', 'what it will be called')
    .action(async (options: { role: string; name: string }, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.post('/nodes/tokens', tokenBody, options)
      // The token alone: `watari node token … > FILE` is what --token-file reads.
      verb.show(body, () => `${body.token}\n`)
    })
  noun
    .command('drain <name>')
    .description('let a node finish what it has, and give it nothing new')
    .option('--undo', 'give it work again')
    .action(async (name: string, options: { undo?: true }, command: Command) => {
      const verb = verbOf(command, io)
      const draining = options.undo !== true
      const path = `/nodes/${encodeURIComponent(name)}/draining`
      const body = await verb.api.put(path, done, { draining })
      verb.wrote(body, () => `${name} ${draining ? 'is being drained' : 'takes work again'}\n`)
    })
  noun
    .command('remove <name>')
    .description('let a node go: its key opens nothing any more')
    .action(async (name: string, _: unknown, command: Command) => {
      const verb = verbOf(command, io)
      const body = await verb.api.delete(`/nodes/${encodeURIComponent(name)}`, done)
      verb.wrote(body, () => `${name} belongs to this installation no longer\n`)
    })
  noun
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
    [
      'NODE',
      'ROLE',
      'ADDRESS',
      'VERSION',
      'STATE',
      'QUEUED',
      'GENERATION',
      'DIRECTORY',
      'HEARD',
      'TROUBLE',
    ],
    nodes.map((row) => [
      row.node,
      row.role,
      row.address === undefined ? 'this machine' : `${row.address} port ${row.port}`,
      row.version,
      stateText(row),
      row.queued,
      row.generation,
      row.seq,
      row.lastBeat ?? 'never',
      row.error ?? (row.connected ? row.reason : undefined) ?? lostText(row),
    ]),
  )

const lostText = ({ eventGaps = 0 }: NodeBody): string | undefined =>
  eventGaps === 0 ? undefined : `events lost, in ${counted(eventGaps, 'place')}: watari status`

function stateText({ connected, state, draining }: NodeBody): string {
  const now = connected ? state : 'away'
  return draining === true ? `${now}, draining` : now
}
