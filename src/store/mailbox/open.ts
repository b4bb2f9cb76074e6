import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Clock } from '#base/time.ts'
import { openBlobs } from '#store/blob/open.ts'
import { standingVersion } from '#store/db/check.ts'
import { openDatabase } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'
import { LookOver } from '#store/db/look-over.ts'
import { Journal } from '#store/journal/journal.ts'
import { redoCommits } from '#store/journal/redo.ts'

import type { MetaParser } from '#store/mailbox/rows/content.ts'
import { KeptViews } from '#store/mailbox/view/kept-views.ts'
import type { StoreChanged } from './mailbox-view.ts'
import type { MailboxStore } from './mailbox-store.ts'
import { namedFiles, namedSegments } from '#store/mailbox/rows/named.ts'
import { MIGRATIONS, REDO_VERSION, UNTOLD_TABLES } from '#store/mailbox/rows/schema.ts'
import { Sql } from '#store/mailbox/rows/sql.ts'
import { requireDatabase, withRemedy } from './standing.ts'
import { SqliteMailboxes } from './sqlite-mailboxes.ts'

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
  /** One line for whoever runs the store: of what does not stop it. */
  readonly onTrouble?: (line: string) => void
}

/** A mail store that can be closed, once no call runs any more. */
export type OpenMailboxes = MailboxStore &
  Pick<SqliteMailboxes, 'trial' | 'ailments' | 'told' | 'idle' | 'close' | 'segment'>

const CACHE_BYTES = 16 * 1024 * 1024

/**
 * Opens the mailboxes of one volume; for a storage process. Throws Fault `version`, `io`, and `corrupt`,
 * also where the database is missing while messages are there: it never begins anew in silence.
 */
export async function openMailboxes(options: MailboxesOptions): Promise<OpenMailboxes> {
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
    requireDatabase(options.dir)
  } catch (thrown) {
    throw ioFault(thrown, options.dir)
  }
  try {
    return await open(options)
  } catch (thrown) {
    throw withRemedy(thrown)
  }
}

async function open(options: MailboxesOptions): Promise<OpenMailboxes> {
  const path = join(options.dir, 'mailbox.db')
  const identity = { path, kind: 'mailbox' }
  redoEarlier(options.dir, identity)
  const db = openDatabase({
    ...identity,
    migrations: MIGRATIONS,
    walAhead: true,
    cacheBytes: CACHE_BYTES,
    durable: 'checkpoint',
  })
  try {
    redoCommits(db, options.dir)
    const sql = new Sql(db)
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
    const journal = new Journal({
      dir: join(options.dir, 'journal'),
      db,
      version: MIGRATIONS.length,
      except: UNTOLD_TABLES,
      clock: options.clock,
      position: () => blobs.position(),
      appendRedo: (parts) => blobs.appendRedo(parts),
      onTrouble: options.onTrouble ?? (() => undefined),
    })
    const lookOver = new LookOver({ db, path })
    const mailboxes = new SqliteMailboxes({ ...options, db, sql, blobs, kept, journal, lookOver })
    await mailboxes.recover()
    return mailboxes
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** Rows are told in the form of their time: those of an earlier program go in before the database gets a new one. */
function redoEarlier(
  dir: string,
  identity: { readonly path: string; readonly kind: string },
): void {
  try {
    const at = standingVersion({ ...identity, migrations: MIGRATIONS })
    if (at === undefined || at < REDO_VERSION || at === MIGRATIONS.length) return
    const db = openDatabase({ ...identity, migrations: MIGRATIONS.slice(0, at) })
    try {
      redoCommits(db, dir)
    } finally {
      db.close()
    }
  } catch (thrown) {
    throw ioFault(thrown, identity.path)
  }
}
