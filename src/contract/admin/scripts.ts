import { z } from 'zod'

/** A user's Sieve script as a list shows it. */
export const script = z.object({
  name: z.string(),
  active: z.boolean().describe('it filters each mail that comes; at most one does'),
  sizeBytes: z.number().int(),
})

export const scripts = z.object({ items: z.array(script) })

export const scriptText = script.extend({ script: z.string() })

export const scriptPut = z.object({
  script: z.string().describe('the whole script (RFC 5228); refused where it has errors'),
  activate: z
    .boolean()
    .default(false)
    .describe('true: it filters from now on; false: it stays active if it was'),
})

export const scriptActive = z.object({
  name: z.string().nullable().describe('null: no script of the user filters'),
})

export const scriptRemoved = z.object({ removed: z.string() })

export const scriptName = z.object({
  name: z.string().describe('the new name; an active script stays active'),
})
