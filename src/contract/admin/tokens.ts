import { z } from 'zod'
import { TOKEN_DAYS, TOKEN_DAYS_MAX, TOKEN_NAME, TOKEN_ROLES } from '#model/api-token.ts'

export const newApiToken = z.object({
  name: z.string().regex(TOKEN_NAME).describe('what its acts are recorded under: a-z, 0-9, -'),
  role: z.enum(TOKEN_ROLES),
  days: z.int().min(1).max(TOKEN_DAYS_MAX).default(TOKEN_DAYS).describe('so long it opens the API'),
})

const told = {
  name: z.string(),
  role: z.enum(TOKEN_ROLES),
  createdAt: z.string(),
  expiresAt: z.string(),
}

const apiToken = z.object({
  ...told,
  isExpired: z.boolean(),
  lastUse: z
    .object({ at: z.string(), from: z.string() })
    .optional()
    .describe('to the hour; absent: never'),
})

export const apiTokens = z.object({ items: z.array(apiToken) })

export const madeApiToken = z.object({ ...told, token: z.string().describe('shown this once') })

export const removedApiToken = z.object({ removed: z.string() })

const row = z.object(told)

export const apiTokenChange = z.object({
  seq: z.int(),
  at: z.string(),
  who: z.string(),
  from: z.string(),
  name: z.string(),
  before: row.nullable(),
  after: row.nullable(),
})
