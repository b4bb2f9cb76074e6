import { z } from 'zod'

/** Every refusal and failure of `/api/v1`: one line that says what happened, one that says what to do. */
export const errorBody = z.object({
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }),
})
export type ErrorBody = z.infer<typeof errorBody>

/** A page; `next` is given back as `after` for the one that follows, absent at the end. */
export const page = <T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodOptional<z.ZodString> }> =>
  z.object({ items: z.array(item), next: z.string().optional() })

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
  after: z.string().max(2_000).optional(),
})

/** A page, or a window anywhere in a list: `from` gives rows by their place, and the answer tells the total. */
export const windowQuery = pageQuery.extend({
  from: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('in place of after: so many rows stand before the first that is asked for'),
})

/** Nodes that have not taken a write within 5 s, with the reason. Empty: it is in force everywhere. */
export const pending = z.array(z.object({ node: z.string(), reason: z.string() }))

export const done = z.object({ pending })

/** A hash of another system, with its scheme: `{SSHA}…`, `{CRYPT}$6$…`. */
export const passwordHash = z.string().min(1).max(2_000)

/** Octets in a body of JSON: UTF-8 text, or any octets in base64. */
export const passwordBody = z.union([
  z.object({ password: z.string() }),
  z.object({ passwordBase64: z.base64() }),
  z.object({ passwordHash }),
])
