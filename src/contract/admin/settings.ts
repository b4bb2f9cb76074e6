import { z } from 'zod'
import { pageQuery, pending } from './common.ts'

const settingValue = z.union([
  z.number(),
  z.boolean(),
  z.string(),
  z.array(z.union([z.string(), z.number()])),
])

export const setting = z.object({
  key: z.string(),
  type: z.string(),
  value: settingValue.describe('of networks: how many rows; /access shows them'),
  default: settingValue,
  isDefault: z.boolean(),
  doc: z.object({ en: z.string(), ja: z.string() }),
  min: z.number().optional().describe('of numbers, durations and sizes, in ms and octets'),
  max: z.number().optional(),
  oneOf: z.array(z.string()).optional().describe('of actions and choices'),
})
export type SettingBody = z.infer<typeof setting>

export const settingsPage = z.object({ items: z.array(setting), generation: z.number().int() })

/** Keys to set; null goes back to the default. Text is understood as people write it: `5d`, `50MiB`. */
export const settingEdits = z.object({ values: z.record(z.string(), settingValue.nullable()) })

export const settingPut = z.object({ value: settingValue.nullable() })

export const settingChange = z.union([
  z.object({ key: z.string(), before: settingValue.nullable(), after: settingValue.nullable() }),
  z.object({
    key: z.string(),
    rowsBefore: z.number().int(),
    rowsAfter: z.number().int(),
    added: z.array(z.string()),
    removed: z.array(z.string()),
  }),
])
export type SettingChangeBody = z.infer<typeof settingChange>

export const generation = z.object({
  generation: z.number().int(),
  hash: z.string(),
  at: z.string(),
  who: z.string(),
  from: z.string(),
  note: z.string(),
  changes: z.array(settingChange),
})
export type GenerationBody = z.infer<typeof generation>

export const writtenGeneration = generation.extend({ pending })

export const generationDetail = generation.extend({
  values: z.record(z.string(), settingValue),
  tables: z.record(z.string(), z.string()),
})
export type GenerationDetailBody = z.infer<typeof generationDetail>

export const draft = z.object({
  base: z.number().int(),
  who: z.string(),
  at: z.string(),
  changes: z.array(settingChange),
})

export const diffQuery = z.object({
  from: z.coerce.number().int().min(0).optional().describe('absent: the generation in force'),
  to: z.coerce.number().int().min(0).optional().describe('absent: what is staged'),
})
export const diff = z.object({ items: z.array(settingChange) })

export const historyQuery = pageQuery
export const rollback = z.object({ generation: z.number().int().min(0) })
