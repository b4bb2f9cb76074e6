import { z } from 'zod'
import { facts, factsChange } from './facts.ts'
import { ROLES } from '#model/role.ts'
import { pageQuery, passwordHash, pending } from './common.ts'

const version = z
  .string()
  .describe('sent back as If-Match: "VERSION" a change is refused where the row has changed since')

export const searchQuery = pageQuery.extend({
  search: z.string().max(1_000).optional().describe('text within it; ASCII case does not count'),
})

export const usersQuery = searchQuery.extend({
  search: z
    .string()
    .max(1_000)
    .optional()
    .describe(
      'words in any order, each in name, reading, a former name, a tag, an address or the external id; case, width, kana and the forms of a kanji do not count',
    ),
  used: z.literal('true').optional().describe('with what each of them holds'),
  deleted: z
    .literal('true')
    .optional()
    .describe('those who were deleted and can be had back, and nobody else'),
  tag: z.string().max(64).optional().describe('only those who have this tag'),
  fullFrom: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('only those that use so many percent of what they may hold, and more'),
})

/** The ids of all whom a search finds, at once. */
export const userIds = z.object({ items: z.array(z.string()) })
export type UserIds = z.infer<typeof userIds>

/** How many a search finds, and what each page of so many but the first is asked `after`. */
export const userPlaces = z.object({ count: z.number().int(), items: z.array(z.string()) })
export type Places = z.infer<typeof userPlaces>

const limit = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** What is said of an account or a domain itself. */
const ownQuota = z
  .object({
    bytes: limit.optional().describe('0: no limit; absent: as the wider place says'),
    messages: limit.optional().describe('likewise'),
    mailboxes: limit.optional().describe('likewise, of mailboxes that their people make'),
  })
  .describe('what accounts may hold: the account itself, else its domain, else the settings')
export type OwnQuotaBody = z.infer<typeof ownQuota>

const quotaChange = z
  .object({
    bytes: limit.nullable().optional(),
    messages: limit.nullable().optional(),
    mailboxes: limit.nullable().optional(),
  })
  .describe('0: no limit; null: as the wider place says; absent: stays')

export const domain = z.object({
  name: z.string(),
  convertTo: z.string().optional().describe('Its addresses are those of this domain.'),
  quota: ownQuota.optional(),
  isDefault: z.boolean().describe('Its users log in by their bare user name.'),
  version,
})
export type DomainBody = z.infer<typeof domain>

export const newDomain = z.object({
  name: z.string(),
  convertTo: z.string().optional(),
  quota: ownQuota.optional(),
})

export const domainChange = z.object({
  convertTo: z
    .string()
    .nullable()
    .optional()
    .describe('null: its addresses are its own; absent: stays'),
  quota: quotaChange.optional(),
})

export const newForward = z.object({ to: z.array(z.string()), keep: z.boolean() })

const afterLeaving = z
  .object({ to: z.array(z.string()), until: z.string().max(20).describe('the last day of that') })
  .describe('Where mail goes when the account has left.')

export const user = facts.extend({
  id: z.string(),
  address: z.string(),
  username: z.string(),
  domain: z.string(),
  name: z.string().optional(),
  admin: z.boolean().describe('The same as role: administrator.'),
  role: z.enum(ROLES).describe('What the account may do in the console.'),
  disabled: z.boolean(),
  scram: z
    .boolean()
    .optional()
    .describe('Whether the password has keys for SCRAM; absent where there is none'),
  passwordScheme: z
    .string()
    .optional()
    .describe(
      'How the password is checked: argon2id, the scheme of a hash that was brought in, or bind, by another directory.',
    ),
  sources: z
    .array(z.string())
    .optional()
    .describe('Other directories that say what it is, first to last; empty: none has it any more.'),
  addresses: z.array(z.string()).describe('Further addresses of the account.'),
  delegated: z.array(z.string()).describe('Addresses that it may also send under.'),
  formerAddresses: z
    .array(
      z.object({
        address: z.string(),
        keptUntil: z.string().describe('mail to it still arrives until then'),
        reservedUntil: z.string().describe('nobody else is given it until then'),
      }),
    )
    .optional()
    .describe('What its main address was before.'),
  deletedAt: z.string().optional().describe('When it was deleted, where it can be had back.'),
  state: z
    .enum(['notBegun', 'active', 'grace', 'left', 'suspended', 'deleted'])
    .describe('What it is now, by its days and the settings.'),
  afterLeaving: afterLeaving.optional(),
  forward: newForward.optional(),
  profile: z
    .record(z.string(), z.string())
    .optional()
    .describe('What an identity provider says of the person besides: department, title …'),
  quota: ownQuota.optional(),
  effectiveQuota: z
    .object({ bytes: limit, messages: limit, mailboxes: limit })
    .describe('in force, after its domain and the settings; 0: no limit'),
  used: z
    .object({ bytes: limit, messages: limit })
    .optional()
    .describe(
      'what it holds, where that was asked for; absent also where the store does not answer',
    ),
  version,
})
export type UserBody = z.infer<typeof user>

const userFields = z.object({
  name: z.string().optional(),
  admin: z.boolean().optional(),
  role: z.enum(ROLES).optional().describe('Only an administrator gives one.'),
  addresses: z.array(z.string()).optional(),
  delegated: z.array(z.string()).optional(),
})

export const newUser = userFields.extend({
  ...facts.shape,
  quota: ownQuota.optional(),
  address: z.string().describe('user@domain, or a user name of the default domain'),
  password: z.string().optional(),
  passwordBase64: z.base64().optional(),
  passwordHash: passwordHash.optional(),
})

export const userChange = userFields.extend({
  ...factsChange.shape,
  afterLeaving: afterLeaving.nullable().optional().describe('null: nowhere; absent: stays'),
  disabled: z.boolean().optional(),
  quota: quotaChange.optional(),
})

export const newAlias = z.object({ from: z.string(), to: z.array(z.string()) })
export const newAliasTo = newAlias.pick({ to: true })
export const alias = newAlias.extend({
  name: z.string().optional().describe('what people call the group that it is'),
  externalId: z.string().optional().describe('what another system calls it'),
  sources: z
    .array(z.string())
    .optional()
    .describe('directories whose group it is: it is changed there'),
  version,
})
export type AliasBody = z.infer<typeof alias>

export const userForward = newForward.extend({ user: z.string(), version })
export type ForwardBody = z.infer<typeof userForward>

export const route = z.object({
  match: z.string().describe('domain or user@domain'),
  nextHop: z.string().describe('smtp:HOST:PORT, lmtp:HOST:PORT, local or hold'),
  version,
})
export type RouteBody = z.infer<typeof route>

export const newRoute = z.object({ nextHop: z.string() })

export const writtenDomain = domain.extend({ pending })
export const writtenUser = user.extend({ pending })
export const writtenAlias = alias.extend({ pending })
export const writtenForward = userForward.extend({ pending })
export const writtenRoute = route.extend({ pending })

export const accessQuery = pageQuery.extend({
  search: z
    .string()
    .max(1_000)
    .optional()
    .describe('text within a network, or an address: the networks that hold it'),
})

/** Networks that may use the relay without a password. */
export const accessChange = z.object({
  add: z.array(z.string()).default([]),
  remove: z.array(z.string()).default([]),
})
export const accessWritten = z.object({
  rows: z.number().int(),
  added: z.number().int(),
  removed: z.number().int(),
  generation: z.number().int(),
  pending,
})

export const directoryHistoryQuery = pageQuery.extend({
  key: z.string().max(2_000).optional().describe('of one row: account:ID, alias:ADDRESS …'),
})

export const directoryChange = z.object({
  seq: z.number().int(),
  at: z.string(),
  who: z.string(),
  from: z.string(),
  key: z.string(),
  before: z.unknown(),
  after: z.unknown(),
})
