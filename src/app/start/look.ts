import { accessSync, constants } from 'node:fs'
import { dirname, join } from 'node:path'

import { Fault, messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { checkDatabase } from '#store/db/check.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import { SOURCES_DATABASE } from '#store/directory/source-shelf.ts'
import { TOKENS_DATABASE } from '#store/directory/api-token-shelf.ts'
import { USES_DATABASE } from '#store/directory/app-password-uses.ts'
import { UPKEEP_DATABASE } from '#store/directory/upkeep-notes.ts'
import { BINDS_DATABASE } from '#store/directory/bind-shelf.ts'
import { DIRECTORY_DATABASE } from '#store/directory/directory-log.ts'
import { REPLICA_DATABASE } from '#store/directory/replica.ts'
import { SESSIONS_DATABASE } from '#store/directory/session-shelf.ts'
import { INDEX_DATABASE } from '#store/events/event-index.ts'
import { EVENTS_DATABASE } from '#store/events/event-log.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { requireDatabase, withRemedy } from '#store/mailbox/standing.ts'
import { NODES_DATABASE } from '#store/nodes/node-registry.ts'
import { SETTINGS_DATABASE } from '#store/settings/generations.ts'
import { settingsOfCopy } from '#store/settings/resolve.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import { SPOOL_MIGRATIONS } from '#store/spool/rows.ts'

import { naming } from './naming.ts'

/*
 * look.ts DIR
 *
 * Looks at a data folder before any role starts and changes nothing: ends with 65 and one line on
 * standard error where a file is damaged or newer than this program. Run by look-first.ts.
 */

const DATABASES: Readonly<Record<string, DatabaseKind>> = {
  'control/binds.db': BINDS_DATABASE,
  'control/directory.db': DIRECTORY_DATABASE,
  'control/settings.db': SETTINGS_DATABASE,
  'control/index.db': INDEX_DATABASE,
  'control/nodes.db': NODES_DATABASE,
  'control/sessions.db': SESSIONS_DATABASE,
  'control/sources.db': SOURCES_DATABASE,
  'control/tokens.db': TOKENS_DATABASE,
  'control/upkeep.db': UPKEEP_DATABASE,
  'control/uses.db': USES_DATABASE,
  'gateway/binds.db': BINDS_DATABASE,
  'gateway/spool.db': { kind: 'spool', migrations: SPOOL_MIGRATIONS },
  'gateway/directory.db': REPLICA_DATABASE,
  'gateway/events.db': EVENTS_DATABASE,
  'store/binds.db': BINDS_DATABASE,
  'store/sessions.db': SESSIONS_DATABASE,
  'store/mailbox.db': { kind: 'mailbox', migrations: MIGRATIONS },
  'store/directory.db': REPLICA_DATABASE,
  'store/events.db': EVENTS_DATABASE,
  'deliver/binds.db': BINDS_DATABASE,
  'deliver/spool.db': { kind: 'spool', migrations: SPOOL_MIGRATIONS },
  'deliver/directory.db': REPLICA_DATABASE,
  'deliver/events.db': EVENTS_DATABASE,
}
const COPIES = ['gateway/settings.json', 'store/settings.json', 'deliver/settings.json']

/** sysexits EX_DATAERR: told apart from a look that itself went wrong. */
const REFUSED = 65

/** Throws Fault `config` where we may not work with a file or folder that is there. */
function checkRights(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT')
      throw new Fault('config', `${path}: cannot be written (${code}); mend its owner and rights`)
  }
}

/** What is thrown of the mailboxes' own database names the way out. */
function check(file: string, look: () => void): void {
  try {
    look()
  } catch (thrown) {
    throw file === 'store/mailbox.db' ? withRemedy(thrown) : thrown
  }
}

const dir = process.argv[2] ?? ''
try {
  const files = Object.keys(DATABASES)
  for (const path of new Set([...files.map(dirname), ...files, ...COPIES]))
    checkRights(join(dir, path))
  requireDatabase(join(dir, 'store'))
  for (const [file, kind] of Object.entries(DATABASES))
    check(file, () => checkDatabase({ path: join(dir, file), ...kind }))
  for (const file of COPIES) {
    const path = join(dir, file)
    await naming(path, new FileSettingsCopy(path).load().then(settingsOfCopy))
  }
} catch (thrown) {
  process.stderr.write(`${oneLine(messageOf(thrown))}\n`)
  process.exitCode = REFUSED
}
