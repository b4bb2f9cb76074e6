import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Fault } from '#base/outcome.ts'
import type { DatabaseKind } from './database.ts'
import { ioFault } from './fault.ts'

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
      const named = db.prepare(`SELECT name FROM sqlite_schema`).all()
      if (named.length === 0) return
      const at = named.some(({ name }) => name === 'version')
        ? db.prepare('SELECT kind, version FROM version').get()
        : undefined
      requireVersion(options, at as Standing | undefined)
    } finally {
      db.close()
    }
  } catch (thrown) {
    throw ioFault(thrown, path)
  }
}

/** Throws Fault `version` for what a database says of itself that we do not know. */
export function requireVersion(
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
