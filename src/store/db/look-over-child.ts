import { statSync, writeSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { messageOf } from '#base/outcome.ts'
import type { LookedAt } from './look-over.ts'

/*
 * look-over-child.ts PATH WHOLE
 *
 * Has SQLite look over a database file that stands still, but for the tables in WHOLE (a list as JSON):
 * one line of JSON for each. Started by look-over.ts.
 */

const tell = (looked: LookedAt): void => void writeSync(1, `${JSON.stringify(looked)}\n`)
/** Smaller ones are looked over whole: also what belongs to no table. */
const PARTED_BYTES = 64 * 1024 * 1024
const EVERYTHING = '*'

function look(path: string, whole: ReadonlySet<string>): void {
  const url = pathToFileURL(path)
  // The file as it is, without its WAL and without a lock: its owner holds both.
  url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true })
  db.exec('PRAGMA mmap_size = 0')
  const isParted = statSync(path).size > PARTED_BYTES
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all()
  const parts = isParted ? tables.map(({ name }) => String(name)) : [EVERYTHING]
  for (const part of parts) {
    if (whole.has(part)) continue
    const of = part === EVERYTHING ? '1' : `'${part.replaceAll("'", "''")}'`
    const text = String(db.prepare(`PRAGMA quick_check(${of})`).get()?.['quick_check'])
    tell(text === 'ok' ? { kind: 'whole', part } : { kind: 'damaged', text })
    if (text !== 'ok') return
  }
}

const [path = '', whole = '[]'] = process.argv.slice(2)
setPriority(constants.priority.PRIORITY_LOW)
try {
  look(path, new Set(JSON.parse(whole) as string[]))
} catch (thrown) {
  // A sector that cannot be read is damage too.
  tell({ kind: 'damaged', text: messageOf(thrown) })
}
