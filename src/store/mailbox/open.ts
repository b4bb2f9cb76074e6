import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Clock } from '#base/time.ts'
import { openBlobs } from '#store/blob/open.ts'
import { openDatabase } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'

import type { MetaParser } from '#store/mailbox/rows/content.ts'
import { KeptViews } from '#store/mailbox/view/kept-views.ts'
import type { StoreChanged } from './mailbox-view.ts'
import type { MailboxStore } from './mailbox-store.ts'
import { namedFiles, namedSegments } from '#store/mailbox/rows/named.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { Sql } from '#store/mailbox/rows/sql.ts'
import { DUPLICATES_MS, SqliteMailboxes } from './sqlite-mailboxes.ts'

export interface MailboxesOptions {
  /** Holds `mailbox.db`, `seg/`, `large/` and `view/`; made where it is missing. Its lock must be held. */
  readonly dir: string
  readonly clock: Clock
  /** Makes a parser for one message. */
  readonly parser: () => MetaParser
  /** Told after COMMIT. */
  readonly onChange: (change: StoreChanged) => void
  /** Free space under which appends answer Fault `full`. */
  readonly reserveBytes?: number
}

/** A mail store that can be closed, once no call runs any more. */
export type OpenMailboxes = MailboxStore & Pick<SqliteMailboxes, 'trial' | 'close'>

const CACHE_BYTES = 16 * 1024 * 1024

/** Opens the mailboxes of one volume; for a storage process. Throws Fault `version`, `io`, `corrupt`. */
export async function openMailboxes(options: MailboxesOptions): Promise<OpenMailboxes> {
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw ioFault(thrown, options.dir)
  }
  const db = openDatabase({
    path: join(options.dir, 'mailbox.db'),
    kind: 'mailbox',
    migrations: MIGRATIONS,
    walAhead: true,
    cacheBytes: CACHE_BYTES,
  })
  try {
    const sql = new Sql(db)
    sql.run('DELETE FROM dup WHERE at < ?', options.clock.nowMs() - DUPLICATES_MS)
    const large = namedFiles(sql)
    const blobs = await openBlobs({
      dir: options.dir,
      clock: options.clock,
      name: 'mailbox',
      knownLarge: (file) => large.has(file),
      ...(options.reserveBytes !== undefined && { reserveBytes: options.reserveBytes }),
    })
    // What a crash left between the sync of octets and the COMMIT of their rows.
    await blobs.collect(namedSegments(sql))
    const kept = new KeptViews(sql, join(options.dir, 'view'))
    return new SqliteMailboxes({ ...options, db, sql, blobs, kept })
  } catch (thrown) {
    db.close()
    throw thrown
  }
}
