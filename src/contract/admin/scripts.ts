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

export const scriptsImport = z.object({
  scripts: z
    .array(
      z.object({
        name: z.string().max(1_000),
        text: z.string(),
        active: z.boolean().describe('it filtered there'),
      }),
    )
    .max(200)
    .describe("all of the person's: how names were written is found out from all of them"),
  separator: z
    .string()
    .length(1)
    .optional()
    .describe('what parted the names of mailboxes there; absent: it is found out'),
  prefix: z
    .string()
    .max(100)
    .optional()
    .describe('what stood in front of all but INBOX there, as INBOX.; absent: it is found out'),
  replace: z
    .boolean()
    .default(false)
    .describe('scripts of the same name give way, and the one that filters here'),
  dryRun: z.boolean().default(false),
})

const faultAt = z.object({ line: z.number().int(), message: z.string() })

export const importedScript = z.object({
  name: z.string(),
  outcome: z
    .enum(['stored', 'kept', 'unchanged', 'exists', 'refused'])
    .describe('kept: it does not compile here, and is kept inactive'),
  active: z.boolean(),
  reason: z.string().optional(),
  names: z
    .array(z.object({ line: z.number().int(), before: z.string(), after: z.string() }))
    .describe('mailboxes that are named otherwise now'),
  unknownExtensions: z.array(z.string()),
  errors: z.array(faultAt).describe('what does not compile'),
  warnings: z
    .array(faultAt)
    .describe('mailboxes that are not there, and what else is hardly meant'),
})
export type ImportedScriptBody = z.infer<typeof importedScript>

export const scriptsImported = z.object({
  naming: z
    .object({ separator: z.string(), prefix: z.string() })
    .optional()
    .describe('how names were read; absent: they have dots, and nothing says what those mean'),
  scripts: z.array(importedScript),
})
