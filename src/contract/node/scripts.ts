import { z } from 'zod'
import { scriptsImport } from '#contract/admin/scripts.ts'

const accountId = z.string().min(1).max(200)
const name = z.string().max(1_000)
/** Who changes something, for the event that tells of it. */
const by = z.string().max(200)

const id = z.string().min(1).max(200)

/** What becomes of one script where scripts have their home; a text that is absent stays as it is. */
const scriptWrite = z.union([
  z.object({ id, name, active: z.boolean(), text: z.string().exactOptional() }),
  z.object({ id, gone: z.literal(true) }),
])
export type ScriptWrite = z.infer<typeof scriptWrite>

/** A change that a store asks control for, where scripts have their home elsewhere. */
export const scriptWrites = z.object({ accountId, writes: z.array(scriptWrite).min(1).max(100) })
export type ScriptWritesBody = z.infer<typeof scriptWrites>
/** here: scripts have no home but the store. */
export const scriptWritten = z.object({ end: z.enum(['written', 'here']) })

/** What others have changed in that home, for the store to have it too. */
const taken = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put'), id, name, text: z.string() }),
  z.object({ kind: z.literal('rename'), id, name }),
  z.object({ kind: z.literal('activate'), id: id.nullable() }),
  z.object({ kind: z.literal('remove'), id }),
])
export type TakenChange = z.infer<typeof taken>

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

/** Those that keep the store and another home of scripts alike. */
export const SCRIPT_HOME_CALLS = {
  /** Scripts have another home from now on, by control's name for it, or none. */
  'sieve.home': z.object({ home: z.string().min(1).max(100).nullable() }),
  /** An account's scripts when no change of them is under way. */
  'sieve.stand': z.object({ accountId }),
  /** Of all accounts, a page at a time. */
  'sieve.stands': z.object({
    after: z.string().max(200),
    limit: z.number().int().min(1).max(1_000),
  }),
  /** Done only where the scripts are as they were when `state` was told. */
  'sieve.take': z.object({ accountId, state: z.string().max(100), change: taken, by }),
} as const
