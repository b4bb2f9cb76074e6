import { statSync, unlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Fault } from '#base/outcome.ts'
import { ioFault } from './fault.ts'

/** What makes a file one of our databases. */
export interface DatabaseKind {
  /** What the database is, so that one is never taken for another: `spool`, `mailbox` … */
  readonly kind: string
  /** Each only adds; the version is how many were applied. Never change one that was released. */
  readonly migrations: readonly string[]
}

type Identity = DatabaseKind & { readonly path: string }

/** What a database says of itself. */
interface Standing {
  readonly kind: string
  readonly version: number
}

/**
 * Throws what `openDatabase` would of a file that is not ours or newer than we know, and changes
 * nothing, not even beside it. One with a WAL is passed over, since the truth then stands in both.
 */
export function checkDatabase(options: Identity): void {
  const { path } = options
  const size = (name: string): number => statSync(name, { throwIfNoEntry: false })?.size ?? 0
  try {
    if (size(path) === 0 || size(`${path}-wal`) > 0) return
    const url = pathToFileURL(path)
    url.searchParams.set('immutable', '1')
    const db = new DatabaseSync(url, { readOnly: true })
    try {
      versionIn(db, options)
    } finally {
      db.close()
    }
  } catch (thrown) {
    throw ioFault(thrown, path)
  }
}

/**
 * The version of a database that is about to be opened, undefined where it is new or empty. Throws as
 * `openDatabase` does and changes nothing: a connection that could write would write the WAL which a
 * later program's crash has left into the file, and change a foreign one's journal mode.
 */
export function standingVersion(options: Identity): number | undefined {
  const { path } = options
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined
  return reading(path, (db) => versionIn(db, options))
}

/** Leaves nothing behind beside the database. */
function reading<T>(path: string, work: (db: DatabaseSync) => T): T {
  const has = (name: string): boolean => statSync(name, { throwIfNoEntry: false }) !== undefined
  const absent = ['-shm', '-wal'].map((suffix) => `${path}${suffix}`).filter((name) => !has(name))
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    return work(db)
  } finally {
    db.close()
    // What reading a WAL needs beside it; a reader that may not write does not clear it away.
    for (const name of absent) if (has(name)) unlinkSync(name)
  }
}

/** Undefined for a database without a table. */
function versionIn(db: DatabaseSync, options: Identity): number | undefined {
  const named = db.prepare(`SELECT name FROM sqlite_schema`).all()
  if (named.length === 0) return undefined
  const at = named.some(({ name }) => name === 'version')
    ? (db.prepare('SELECT kind, version FROM version').get() as Standing | undefined)
    : undefined
  requireVersion(options, at)
  return at.version
}

/** Throws Fault `version` for what a database says of itself that we do not know. */
function requireVersion(
  { path, kind, migrations }: Identity,
  at: Standing | undefined,
): asserts at is Standing {
  if (at === undefined) throw new Fault('version', `${path}: is no database of ours`)
  if (at.kind !== kind)
    throw new Fault('version', `${path}: is a database of ${at.kind}, not of ${kind}`)
  if (at.version > migrations.length)
    throw new Fault(
      'version',
      `${path}: has version ${at.version} of ${kind}, this program knows up to ${migrations.length}`,
    )
}

/** True for a database of that kind in which SQLite finds no damage; it is left as it is. */
export function isWholeDatabase(options: Identity): boolean {
  const { path } = options
  try {
    if (standingVersion(options) === undefined) return false
    return reading(path, (db) => {
      const [row] = db.prepare('PRAGMA quick_check(1)').all()
      return row?.['quick_check'] === 'ok'
    })
  } catch (thrown) {
    const fault = ioFault(thrown, path)
    if (fault.code === 'corrupt') return false
    throw fault
  }
}
