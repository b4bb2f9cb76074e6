import { z } from 'zod'

/** What the event index has of the last hour, for the picture of the corridor. */
export const overview = z.object({
  at: z.string(),
  since: z.string(),
  counts: z.array(
    z.object({
      event: z.string().describe('receive.accepted, queue.delivered, store.filed …'),
      class: z.string().optional().describe('of the verdict: clean, suspected, spam'),
      virus: z.string().optional().describe('of the verdict: clean, infected …'),
      held: z.boolean().optional(),
      count: z.number().int(),
    }),
  ),
  partial: z
    .boolean()
    .describe('some kinds of events are counted together, as `other`: there were too many'),
})
export type OverviewBody = z.infer<typeof overview>
