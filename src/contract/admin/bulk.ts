import { z } from 'zod'
import { pending } from './common.ts'

const tag = z.string().max(64)
const day = z.string().max(20)
const limit = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** Whom many changes are about. */
const selection = z
  .object({
    tags: z.array(tag).max(50).optional().describe('who has all of these'),
    users: z.array(z.string().max(1_000)).max(100_000).optional().describe('and is one of these'),
  })
  .refine(({ tags = [], users }) => tags.length > 0 || users !== undefined, 'names nobody')

const bulkChange = z.object({
  addTags: z.array(tag).max(50).optional(),
  removeTags: z.array(tag).max(50).optional(),
  startsOn: day.nullable().optional().describe('null: no such day'),
  expiresOn: day.nullable().optional().describe('likewise'),
  disabled: z.boolean().optional(),
  quota: z
    .object({
      bytes: limit.optional(),
      messages: limit.optional(),
      mailboxes: limit.optional(),
    })
    .optional(),
  delete: z.literal(true).optional().describe('can be had back for account.undeleteDays'),
})

export const bulkBody = z.object({
  where: selection,
  change: bulkChange,
  dryRun: z.boolean().default(false).describe('tells what would be done, and does nothing'),
})

const row = z.object({
  id: z.string().optional(),
  address: z.string(),
  name: z.string().optional(),
  outcome: z.enum(['changed', 'same', 'refused']),
  changes: z.array(z.string()),
  note: z.string().optional().describe('why it is refused'),
  code: z
    .string()
    .optional()
    .describe('the kind of that reason: hasRole, changedSince, nobody, invalid, conflict …'),
})

const counts = {
  changed: z.number().int(),
  same: z.number().int(),
  refused: z.number().int(),
}

export const bulkDone = z.object({
  ...counts,
  rows: z.array(row),
  undo: z.string().optional().describe('takes it back: POST /users/bulk/undo'),
  pending,
})
export type BulkDone = z.infer<typeof bulkDone>

export const bulkUndo = z.object({ undo: z.string().max(100_000) })

/** A change of many on a day. */
export const newPlan = z.object({
  title: z.string().max(256),
  on: day.describe('the day on which it is made: 2028-04-01'),
  where: selection,
  change: bulkChange,
  dryRun: z.boolean().default(false),
})

export const plan = z.object({
  id: z.string(),
  title: z.string(),
  on: day,
  where: selection,
  change: bulkChange,
  by: z.string(),
  done: z
    .object({ at: z.string(), ...counts })
    .optional()
    .describe('absent: still to come'),
})
export type PlanBody = z.infer<typeof plan>

export const plans = z.object({ items: z.array(plan) })

/** With what it would do, were it made now. */
export const plannedPlan = plan.extend({ ...counts, rows: z.array(row), pending })

export const upkeep = z.object({
  lastRun: z.string().optional(),
  held: z.boolean().describe('the clock has jumped: nothing is done until it is accepted'),
  deletions: z.number().int().describe('accounts that are due to go for good'),
  plans: z.array(plan).describe('whose day has come'),
})

export const upkeepRun = z.object({
  acceptClock: z.boolean().default(false).describe('the clock is right, however far it went'),
})

export const upkeepDone = z.object({
  held: z.boolean(),
  deleted: z.number().int(),
  told: z.number().int().describe('people who were told that their account ends'),
  lists: z.number().int().optional().describe('mailing lists that have gone for good'),
  forgotten: z
    .number()
    .int()
    .optional()
    .describe('rows of former members that are not kept any more (list.historyDays)'),
  plans: z.array(plan),
  pending,
})
