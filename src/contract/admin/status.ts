import { z } from 'zod'
import { unreachable } from './mail.ts'

export const node = z.object({
  node: z.string(),
  role: z.string(),
  connected: z.boolean(),
  state: z.string(),
  reason: z.string().optional(),
  version: z.string().optional(),
  pid: z.number().int().optional(),
  lastBeat: z.string().optional(),
  generation: z.number().int().optional(),
  hash: z.string().optional(),
  seq: z.number().int().optional(),
  error: z.string().optional(),
  /** Where a joined node answers the others; absent for the roles of control's own machine. */
  address: z.string().optional(),
  port: z.number().int().optional(),
  draining: z.boolean().optional(),
  /** Messages that wait on a gateway: one that drains may be removed at 0. Absent where it does not answer. */
  queued: z.number().int().optional(),
  /** Runs of its events that never came; absent: none. */
  eventGaps: z.number().int().optional(),
})
export type NodeBody = z.infer<typeof node>

export const status = z.object({
  version: z.string(),
  clock: z
    .object({
      now: z.string().describe('what the clock of control says'),
      today: z.string().describe('the day that counts for accounts meanwhile'),
      aheadDays: z.number().int().describe('negative: behind'),
    })
    .optional()
    .describe('it cannot follow on the last time that was known: accounts wait for a word'),
  nodes: z.array(node),
  settings: z.object({ generation: z.number().int(), hash: z.string() }),
  directory: z.object({
    seq: z.number().int(),
    domains: z.number(),
    users: z.number(),
    aliases: z.number(),
  }),
  queue: z.object({
    messages: z.number(),
    ready: z.number(),
    claimed: z.number(),
    held: z.number(),
    oldest: z.string().optional(),
    unreachable,
  }),
  eventGaps: z.array(
    z.object({ node: z.string(), from: z.number(), to: z.number(), found: z.string() }),
  ),
})
export type StatusBody = z.infer<typeof status>
