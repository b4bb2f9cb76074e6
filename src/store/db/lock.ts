import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '#base/outcome.ts'
import { diskFault, ioFault } from './fault.ts'

/** Holds a volume for this process. */
export interface VolumeLock {
  /** Only for a process that has closed everything on the volume and lives on. */
  release(): void
}

/**
 * Takes the volume's folder for this process alone, until it has really ended: a process that was
 * killed while it waits for a frozen disk keeps the lock until the kernel lets it go, so it can
 * never write beside its successor. Throws Fault `locked` where another holds it, `io`.
 *
 * Node has no flock; SQLite's exclusive transaction is a POSIX record lock, which writes nothing.
 * Such a lock falls when this process closes any descriptor of the file: open lock.db nowhere else.
 */
export function lockVolume(dir: string): VolumeLock {
  const path = join(dir, 'lock.db')
  let db: DatabaseSync
  try {
    db = new DatabaseSync(path, { timeout: 0 })
  } catch (thrown) {
    throw ioFault(thrown, path)
  }
  try {
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (thrown) {
    db.close()
    if (diskFault(thrown, path)?.code === 'locked')
      throw new Fault('locked', `${dir}: another process holds this folder`, { cause: thrown })
    throw ioFault(thrown, path)
  }
  held.add(db)
  return {
    release: () => {
      held.delete(db)
      db.close()
    },
  }
}

/** A database that nobody refers to is collected as garbage, closed, and its lock falls. */
const held = new Set<DatabaseSync>()
