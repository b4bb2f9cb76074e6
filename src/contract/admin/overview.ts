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
  partial: z.boolean().describe('there were more events than are counted'),
})
export type OverviewBody = z.infer<typeof overview>
