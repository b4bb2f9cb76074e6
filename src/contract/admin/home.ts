import { z } from 'zod'
import { pending } from './common.ts'

const url = z.string().min(1).max(500)
const text = z.string().min(1).max(10_000)

/** Where rows shall have their home. */
export const newHome = z.object({
  provider: url.describe('ldaps://HOST[:PORT] or ldap://HOST[:PORT]; edits go there'),
  replicas: z.array(url).max(16).default([]).describe('news come from these while that is away'),
  base: text.describe('as directory provision has set it up'),
  bindDn: text.optional().describe('absent: cn=watari below the base'),
  bindPasswordBase64: z.base64().min(1).max(2_000),
  ca: z.string().max(200_000).optional().describe('certificates in PEM that alone are trusted'),
  plain: z.boolean().optional().describe('without TLS, also to another machine'),
  adopt: z.boolean().default(false).describe('entries there that are nobody here become rows'),
})

export const home = z.object({
  kind: z.enum(['embedded', 'ldap']),
  provider: url.optional(),
  replicas: z.array(url).optional(),
  base: z.string().optional(),
  bindDn: z.string().optional(),
  by: z.string().optional().describe('who has set it'),
  since: z.string().optional(),
  state: z
    .enum(['copying', 'starting', 'well', 'replica', 'away', 'held'])
    .optional()
    .describe(
      'copying: rows are on their way, and the home is still here; replica: nothing can be changed; held: so many rows were removed there, or the provider is so old, that somebody has to say that it is meant',
    ),
  copied: z.number().int().optional(),
  follows: z.string().optional().describe('whom news come from'),
  error: z.string().optional(),
  wroteAt: z.string().optional().describe('the last edit of ours since control has started'),
  newsAt: z.string().optional().describe('when a change that others made there was last looked at'),
  waiting: z.number().int().optional().describe('changes there that are not looked at yet'),
  notes: z
    .array(z.object({ key: z.string(), text: z.string() }))
    .optional()
    .describe('what others have made there and is not taken, and why'),
  scripts: z
    .object({
      state: z
        .enum(['starting', 'copying', 'well', 'away', 'held'])
        .describe('copying: those of the store and those there are compared; away: see error'),
      copied: z.number().int().optional().describe('accounts that are compared'),
      waiting: z.number().int().describe('accounts that are not looked at yet'),
      error: z.string().optional(),
    })
    .optional()
    .describe("users' Sieve scripts, which lie there as well"),
})
export type HomeBody = z.infer<typeof home>

export const homeServers = z.object({
  servers: z.array(
    z.object({
      url,
      part: z.enum(['provider', 'replica']),
      state: z.enum(['well', 'away']),
      followed: z.boolean().describe('news come from it'),
      error: z.string().optional(),
      contextCsn: z.string().optional().describe('how far its copy goes'),
      lagSeconds: z.number().optional().describe('behind the newest of them'),
    }),
  ),
})
export type HomeServersBody = z.infer<typeof homeServers>

export const writtenHome = home.extend({ pending })
