import { z } from 'zod'
import { APP_PASSWORD_NAME_MAX, APP_PROTOCOLS, isAppPasswordName } from '#model/app-password.ts'
import { pending } from './common.ts'

/** What is wanted of a new one: the password itself is ours to make. */
export const newAppPassword = z.object({
  name: z
    .string()
    .max(APP_PASSWORD_NAME_MAX)
    .refine(isAppPasswordName, 'is no name: one line that can be seen')
    .describe('what its owner calls the program or the machine'),
  protocols: z
    .array(z.enum(APP_PROTOCOLS))
    .min(1)
    .optional()
    .describe('where it lets in; absent: wherever programs log in'),
})

export const appPassword = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  protocols: z.array(z.enum(APP_PROTOCOLS)).optional(),
  lastUse: z
    .object({ at: z.string(), ip: z.string(), protocol: z.enum(APP_PROTOCOLS) })
    .optional()
    .describe('to the hour; absent: never, or not for two years'),
})
export type AppPasswordBody = z.infer<typeof appPassword>

export const appPasswords = z.object({ items: z.array(appPassword) })

export const madeAppPassword = appPassword.extend({
  password: z.string().describe('shown this once'),
  pending,
})
