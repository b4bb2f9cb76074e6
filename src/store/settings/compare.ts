import type { SettingChange } from './generations.ts'
import { tableRows } from './resolve.ts'
import type { SettingsContent, TableSource } from './resolve.ts'

const ROWS_SHOWN_MAX = 100

/** What differs between two contents, by key. */
export async function compareContents(
  before: SettingsContent,
  after: SettingsContent,
  tableOf: TableSource,
): Promise<readonly SettingChange[]> {
  const changes: SettingChange[] = []
  const keys = (side: 'values' | 'tables'): string[] =>
    [...new Set([...Object.keys(before[side]), ...Object.keys(after[side])])].sort()
  for (const key of keys('values')) {
    const [old, now] = [before.values[key] ?? null, after.values[key] ?? null]
    if (JSON.stringify(old) !== JSON.stringify(now)) changes.push({ key, before: old, after: now })
  }
  for (const key of keys('tables')) {
    const [old, now] = [before.tables[key], after.tables[key]]
    if (old === now) continue
    const rowsOf = async (hash: string | undefined): Promise<Set<string>> =>
      new Set(hash === undefined ? [] : tableRows((await tableOf(hash)) ?? ''))
    const [oldRows, nowRows] = [await rowsOf(old), await rowsOf(now)]
    changes.push({
      key,
      rowsBefore: oldRows.size,
      rowsAfter: nowRows.size,
      added: [...nowRows.difference(oldRows)].slice(0, ROWS_SHOWN_MAX),
      removed: [...oldRows.difference(nowRows)].slice(0, ROWS_SHOWN_MAX),
    })
  }
  return changes
}
