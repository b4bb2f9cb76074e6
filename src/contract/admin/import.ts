import { z } from 'zod'
import { passwordHash, pending } from './common.ts'
import { choicesPatch } from './choices.ts'
import { facts } from './facts.ts'

const source = z.string().max(2_000).describe('where it was read: a line, or a DN')
const limit = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)
const addresses = z.array(z.string().max(1_000)).max(10_000)

const person = facts.extend({
  source,
  username: z.string().max(500),
  domain: z.string().max(500).optional().describe('absent: the default domain'),
  name: z.string().max(1_000).optional(),
  addresses: addresses.describe('further ones, beside those that the account has'),
  forward: z.object({ to: addresses, keep: z.boolean() }).optional(),
  disabled: z.boolean().optional(),
  passwordHash: passwordHash.optional(),
  quota: z.object({ bytes: limit.optional(), messages: limit.optional() }).optional(),
  wishes: z
    .object({
      vacation: choicesPatch.shape.vacation.unwrap().unwrap().optional(),
      blocked: z.array(z.string().max(1_000)).max(10_000).optional(),
      welcome: z.array(z.string().max(1_000)).max(10_000).optional(),
    })
    .optional()
    .describe('what was wanted of the mail there; what was chosen here stays'),
  scripts: z
    .array(z.object({ name: z.string().max(1_000), text: z.string(), active: z.boolean() }))
    .max(20)
    .optional()
    .describe('in Sieve, names of mailboxes parted by /; active: it filtered there'),
})

const group = z.object({
  source,
  address: z.string().max(1_000).describe('an address, or a name of the default domain'),
  to: addresses,
})

/** People and groups of another system. */
export const importBody = z.object({
  people: z.array(person).max(10_000).default([]),
  groups: z.array(group).max(10_000).default([]),
  dryRun: z.boolean().default(false).describe('tells what would be done, and does nothing'),
  replacePasswords: z
    .boolean()
    .default(false)
    .describe('hashes take the place of passwords that are there'),
})

const row = z.object({
  source,
  kind: z.enum(['person', 'group']),
  address: z.string(),
  outcome: z.enum(['added', 'changed', 'same', 'refused']),
  changes: z.array(z.string()).describe('what changes of somebody who is there'),
  notes: z.array(z.string()).describe('what of it is not taken, and why'),
})
export type ImportedRow = z.infer<typeof row>

export const imported = z.object({ rows: z.array(row), pending })
export type ImportedBody = z.infer<typeof imported>

export const FILE_FORMATS = ['ldif', 'csv', 'passwd', 'aliases'] as const

/** Of a file in the body, as it is. */
export const readQuery = z.object({
  name: z.string().max(1_000).describe('of the file: says what it is where format does not'),
  format: z.enum(FILE_FORMATS).optional(),
  map: z
    .string()
    .max(100)
    .optional()
    .describe('of LDIF; absent: entries are read by their classes'),
})

/** What a file says, to be looked at and imported. */
export const census = z.object({
  format: z.enum(FILE_FORMATS),
  people: z.array(person),
  groups: z.array(group),
  exceptions: z.array(z.object({ source: z.string(), text: z.string() })),
})
export type CensusBody = z.infer<typeof census>
