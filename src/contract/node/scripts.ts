import { z } from 'zod'
import { scriptsImport } from '#contract/admin/scripts.ts'

const accountId = z.string().min(1).max(200)
const name = z.string().max(1_000)
/** Who changes something, for the event that tells of it. */
const by = z.string().max(200)

/** Arguments of the calls that control makes to the store that holds an account, by name. */
export const SCRIPT_CALLS = {
  'sieve.list': z.object({ accountId }),
  'sieve.get': z.object({ accountId, name }),
  'sieve.put': z.object({ accountId, name, text: z.string(), activate: z.boolean(), by }),
  'sieve.activate': z.object({ accountId, name: name.nullable(), by }),
  'sieve.remove': z.object({ accountId, name, by }),
  'sieve.import': scriptsImport.extend({ accountId, by }),
  'sieve.rename': z.object({ accountId, name, to: name, by }),
} as const
