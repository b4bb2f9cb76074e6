import { z } from 'zod'
import { page, pending } from './common.ts'

const text = z.string().min(1).max(10_000)

const fields = z.object({
  order: z
    .number()
    .int()
    .describe('lower is asked first; what is in our own directory comes before all'),
  urls: z.array(z.string().max(500)).min(1).max(16),
  ca: z.string().max(200_000).optional().describe('certificates in PEM that alone are trusted'),
  base: text,
  filter: text.optional().describe('as RFC 4515 has it; absent: people'),
  map: z.string().max(100).optional().describe('absent: entries are read by their classes'),
  key: z.string().max(200).describe('attribute by which somebody is known under every name'),
  bindDn: text.optional(),
  bindCertificate: z
    .string()
    .max(200_000)
    .optional()
    .describe('shown to its servers, in PEM; without bindDn it says who reads (SASL EXTERNAL)'),
  auth: z.enum(['bind', 'hash']).describe('who says whether a password is right'),
  adoptPasswords: z
    .boolean()
    .optional()
    .describe('a password that was right by bind is kept here for good'),
  plain: z.boolean().optional().describe('without TLS, also to another machine'),
  groups: z
    .boolean()
    .optional()
    .describe('its groups are addresses that lead to their members; set anew, absent: as it is'),
})

/** A source as it is set; the order, the key and how passwords are checked may be left to us. */
export const newSource = fields.partial({ order: true, key: true, auth: true }).extend({
  bindPasswordBase64: z
    .base64()
    .max(2_000)
    .optional()
    .describe('absent: as it is, where bindDn, places and ca are as they were'),
  bindKey: z
    .string()
    .max(100_000)
    .optional()
    .describe('key of bindCertificate, in PEM, without a password; absent: as it is'),
})
export type NewSourceBody = z.input<typeof newSource>

/** How it would be read before it is set; absent: as it is set. */
export const testSource = z.object({ as: newSource.optional() }).nullish()

const note = z.object({ source: z.string(), text: z.string() })

const state = z.object({
  state: z
    .enum(['unread', 'well', 'away', 'held'])
    .describe('held: it has lost so many people at once that somebody has to say that it is meant'),
  mode: z
    .enum(['persist', 'polling'])
    .optional()
    .describe('persist: it tells what changes at once; polling: it is read again and again'),
  readAt: z.string().optional(),
  newsAt: z.string().optional().describe('when it has told anything last'),
  people: z.number().int().optional(),
  groupCount: z.number().int().optional().describe('how many groups it has, where they are taken'),
  adopted: z.number().int().optional().describe('whose passwords have become ours'),
  toAdopt: z.number().int().optional().describe('who has not logged in since: the source is asked'),
  error: z.string().optional(),
  hosts: z.array(
    z.object({
      url: z.string(),
      state: z.enum(['unknown', 'well', 'away']),
      error: z.string().optional(),
      followed: z.literal(true).optional().describe('its news are taken just now'),
      lagSeconds: z
        .number()
        .optional()
        .describe('how far it is behind the newest of them (contextCSN)'),
    }),
  ),
  notes: z.array(note).describe('what of it is not taken, and why'),
})

export const source = fields.extend({ name: z.string(), ...state.shape })
export type SourceBody = z.infer<typeof source>

export const sources = z.object({
  items: z.array(source),
  maps: z.array(z.string()).describe('the known ways to read entries'),
})
export type SourcesBody = z.infer<typeof sources>
export const writtenSource = source.extend({ pending })

/** What is there before a source is added: nothing of it is taken. */
export const sourceTrial = z.object({
  people: z.number().int(),
  groupCount: z.number().int().optional(),
  sample: z.array(z.object({ dn: z.string(), address: z.string(), name: z.string().optional() })),
  exceptions: z.array(note),
  hosts: state.shape.hosts,
})
export type SourceTrialBody = z.infer<typeof sourceTrial>

export const removeSource = z.object({
  keepPeople: z.literal('true').optional().describe('who came from it alone stays, as one of ours'),
})

/** Who says what of an address, and who is believed. */
export const explained = z.object({
  address: z.string(),
  id: z.string().optional(),
  account: z.string().optional().describe('absent: it is nobody’s'),
  isOwn: z.boolean().describe('it was made here'),
  disabled: z.boolean(),
  password: z.string().describe('who says whether a password is right'),
  origins: z.array(
    z.object({
      source: z.string(),
      dn: z.string(),
      name: z.string().optional(),
      addresses: z.array(z.string()),
      disabled: z.boolean().optional(),
    }),
  ),
  rows: z.array(
    z.object({
      what: z.string(),
      value: z.string(),
      by: z.string().describe('who said it; `here`: our own directory'),
    }),
  ),
})
export type ExplainedBody = z.infer<typeof explained>

/** Who is in several directories at once, and in what they differ. */
export const overlaps = page(
  z.object({
    address: z.string(),
    id: z.string(),
    sources: z.array(z.string()).describe('first to last; `here`: our own directory'),
    rows: z.array(
      z.object({
        what: z.string(),
        value: z.string(),
        by: z.string().describe('who is believed'),
        losers: z.array(z.object({ source: z.string(), value: z.string() })),
      }),
    ),
  }),
)
