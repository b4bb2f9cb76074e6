import { z } from 'zod'
import { pending } from './common.ts'

const address = z.string().max(1_000)

const foreignMember = z.object({
  address,
  name: z.string().max(1_000).optional(),
  delivery: z.enum(['each', 'digest', 'none']).default('each'),
  isModerated: z.literal(true).optional(),
})

/** A list of another system, as its files or its API say. */
const foreignList = z.object({
  address: address.describe('minna@lists.example; without a domain: in `domain`'),
  name: z.string().max(1_000).optional(),
  description: z.string().max(100_000).optional(),
  owners: z.array(address).max(10_000).default([]),
  moderators: z.array(address).max(10_000).default([]),
  members: z.array(foreignMember).max(200_000).default([]),
  posting: z.enum(['members', 'domain', 'anyone', 'moderated', 'announce']).optional(),
  others: z.enum(['hold', 'refuse']).optional(),
  subscription: z.enum(['closed', 'confirm', 'open', 'approve']).optional(),
  leaving: z.literal('owners').optional(),
  roster: z.enum(['owners', 'members']).optional(),
  subjectTag: z.string().max(1_000).optional(),
  replyTo: z.enum(['author', 'list']).optional(),
  archive: z.enum(['none', 'owners', 'members', 'public']).optional(),
  digest: z.enum(['day', 'week']).optional(),
  sizeMaxBytes: z.number().int().nonnegative().optional(),
  language: z.enum(['ja', 'en']).optional(),
  nextNumber: z.number().int().positive().optional().describe('of its next post'),
  left: z.array(z.string().max(2_000)).max(10_000).default([]).describe('told again in its notes'),
})

export const listImportBody = z.object({
  lists: z.array(foreignList).min(1).max(1_000),
  domain: z.string().max(255).optional().describe('of lists that are told without one'),
  owner: address
    .optional()
    .describe('an account that owns lists of which no owner has an account here'),
  dryRun: z.boolean().default(false).describe('tells what would be done, and does nothing'),
})

const importedList = z.object({
  address: z.string(),
  outcome: z.enum(['added', 'changed', 'same', 'refused']),
  members: z
    .object({
      account: z.number().int(),
      list: z.number().int(),
      group: z.number().int(),
      address: z.number().int(),
    })
    .describe('whom it names, by what they are here'),
  stayed: z.array(z.string()).describe('members who stay addresses: nobody here has them'),
  notes: z.array(z.string()).describe('what of it is not taken, and why'),
})
export type ImportedList = z.infer<typeof importedList>

export const importedLists = z.object({ rows: z.array(importedList), pending })
