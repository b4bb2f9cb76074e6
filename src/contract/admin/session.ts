import { z } from 'zod'
import { PERMISSIONS, ROLES } from '#model/role.ts'

/** The login of somebody with a role from a page; programs use tokens. */
export const newSession = z.object({
  username: z.string(),
  password: z.string(),
  for: z
    .enum(['console', 'lists'])
    .default('console')
    .describe('lists: for everybody with an account, who may do there what a list gives them'),
})

export const sessionQuery = z.object({ for: newSession.shape.for })

/** Who is logged in. The cookie itself stands in Set-Cookie, out of reach of scripts. */
export const session = z.object({
  username: z.string(),
  address: z.string(),
  name: z.string().optional(),
  role: z.enum(ROLES),
  permissions: z.array(z.enum(PERMISSIONS)).describe('what the role may do'),
  csrfToken: z
    .string()
    .describe('to be sent in x-csrf-token with every request that changes something'),
  expires: z.string().describe('however busy; 30 minutes without a request end it too'),
})
export type SessionBody = z.infer<typeof session>

export const sessionEnded = z.object({})
