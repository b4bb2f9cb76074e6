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
      'copying: rows are on their way, and the home is still here; replica: nothing can be changed; held: so many rows were removed there that somebody has to say that it is meant',
    ),
  copied: z.number().int().optional(),
  follows: z.string().optional().describe('whom news come from'),
  error: z.string().optional(),
  notes: z
    .array(z.object({ key: z.string(), text: z.string() }))
    .optional()
    .describe('what others have made there and is not taken, and why'),
})
export type HomeBody = z.infer<typeof home>

export const writtenHome = home.extend({ pending })
