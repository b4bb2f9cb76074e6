import { createHash } from 'node:crypto'
import { err, Fault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { NetworkSet } from './network-set.ts'
import { optionOf, SETTING_KEYS } from './table.ts'
import type { SettingKey, Settings } from './table.ts'
import { readKey, readValue } from './validate.ts'
import type { SettingRefusal, SettingValue } from './validate.ts'

/** What a generation says: values that differ from the defaults, and large tables by their hash. */
export interface SettingsContent {
  readonly values: Readonly<Record<string, SettingValue>>
  readonly tables: Readonly<Record<string, string>>
}

/** A numbered generation as it travels to the nodes. */
export interface SettingsSnapshot extends SettingsContent {
  readonly generation: number
  readonly hash: string
}

/** Where the text of a large table is found: one row a line. */
export type TableSource = (hash: string) => Promise<string | undefined>

export const FIRST_CONTENT: SettingsContent = { values: {}, tables: {} }

/** Names the content: equal contents have equal hashes, whatever the order of their keys. */
export function contentHash(content: SettingsContent): string {
  const sorted = (record: Readonly<Record<string, unknown>>): unknown =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
  return sha256(JSON.stringify([sorted(content.values), sorted(content.tables)]))
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const tableText = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('')
export const tableRows = (text: string): readonly string[] => text.split('\n').slice(0, -1)

/**
 * Every setting with its value in force. Refuses keys and values that this program does not know.
 * Tables that `before` holds as well are taken over as they are: to build them costs a second.
 */
export async function resolveSettings(
  content: SettingsContent,
  tableOf: TableSource,
  before?: { readonly tables: SettingsContent['tables']; readonly settings: Settings },
): Promise<Outcome<Settings, SettingRefusal>> {
  const found: Record<string, unknown> = {}
  for (const key of SETTING_KEYS) found[key] = await defaultOf(key)
  for (const [name, value] of Object.entries(content.values)) {
    const key = readKey(name)
    if (!key.ok) return key
    const read = readValue(key.value, value)
    if (!read.ok) return read
    found[key.value] = read.value
  }
  for (const [name, hash] of Object.entries(content.tables)) {
    const key = readKey(name)
    if (!key.ok) return key
    if (before?.tables[key.value] === hash) {
      found[key.value] = before.settings[key.value]
      continue
    }
    const text = await tableOf(hash)
    if (text === undefined || sha256(text) !== hash)
      throw new Fault('corrupt', `${name}: the table ${hash.slice(0, 12)} is missing or damaged`)
    found[key.value] = await NetworkSet.build(tableRows(text))
  }
  const settings = found as Settings
  const refusal = checkTogether(settings)
  return refusal === undefined ? ok(settings) : err(refusal)
}

async function defaultOf(key: SettingKey): Promise<unknown> {
  const option = optionOf(key)
  return option.type === 'networks' ? NetworkSet.build(option.default) : option.default
}

/** What no option can say alone. */
function checkTogether(settings: Settings): SettingRefusal | undefined {
  if (settings['spam.spamScore'] < settings['spam.suspectedScore'])
    return {
      code: 'invalid',
      message: `spam.spamScore ${settings['spam.spamScore']} is below spam.suspectedScore ${settings['spam.suspectedScore']}`,
      remedy: 'Set spam.suspectedScore lower first.',
    }
  if (settings['queue.delayNoticeMs'] > settings['queue.lifetimeMs'])
    return {
      code: 'invalid',
      message: 'queue.delayNoticeMs is longer than queue.lifetimeMs',
      remedy: 'Set queue.delayNoticeMs lower, or queue.lifetimeMs higher first.',
    }
  return undefined
}

/** The settings of a node's own copy; the defaults where there is none. Throws Fault `config`. */
export async function settingsOfCopy(copy: {
  readonly snapshot?: SettingsSnapshot
  readonly tables: Readonly<Record<string, string>>
}): Promise<Settings> {
  const { snapshot = FIRST_CONTENT, tables } = copy
  const settings = await resolveSettings(snapshot, async (hash) => tables[hash])
  if (settings.ok) return settings.value
  const at = `generation ${copy.snapshot?.generation ?? 0}`
  throw new Fault(
    'config',
    `${at}: ${settings.error.message}; remove the file, and it is fetched anew`,
  )
}
