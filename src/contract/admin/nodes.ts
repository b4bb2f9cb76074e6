import { z } from 'zod'
import { nodeName } from '#contract/node/join.ts'
import { JOINING_ROLES } from '#model/node.ts'

export const newToken = z.object({ name: nodeName, role: z.enum(JOINING_ROLES) })

/** Shown once: what a new machine joins with. */
export const tokenBody = z.object({
  name: nodeName,
  role: z.enum(JOINING_ROLES),
  token: z.string(),
  expires: z.string(),
})

export const drainBody = z.object({ draining: z.boolean() })
