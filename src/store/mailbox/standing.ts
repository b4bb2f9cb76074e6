import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, isFault } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { filesOfVolume } from '#store/blob/scan-segment.ts'
import { journalFiles } from '#store/journal/journal-file.ts'

const REMEDY =
  'look at the disk (`dmesg`), then stop all roles and run `watari store rebuild`, which makes it anew from seg/ and journal/'

/**
 * Throws Fault `corrupt` where a folder holds messages and no database that names them: to begin with an
 * empty one would give all of them up.
 */
export function requireDatabase(dir: string): void {
  const path = join(dir, 'mailbox.db')
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const { segments, large } = filesOfVolume(dir)
  if (segments.length + large.length + journalFiles(join(dir, 'journal')).length === 0) return
  throw new Fault(
    'corrupt',
    `${path}: is missing, while the messages that it names are there; ${REMEDY}`,
  )
}

/** What is told of a database in which SQLite has found damage while it is served. */
export const damagedDatabase = (text: string): string =>
  `mailbox.db is damaged (${oneLine(text)}); ${REMEDY}`

/** SQLite itself has met damage, not a record of a message. */
export const isDatabaseDamage = (thrown: unknown): thrown is Fault =>
  isFault(thrown, 'corrupt') &&
  typeof (thrown.cause as { errcode?: unknown } | undefined)?.errcode === 'number'

/**
 * The same of a database that is served: `io`, our trouble and for now, so that nobody is told that a
 * message is damaged. SQLite says the same of a page that is damaged and of a sector that cannot be read.
 */
export const asOurTrouble = (thrown: Fault): Fault =>
  new Fault('io', `${thrown.message}; ${REMEDY}`, { cause: thrown })

/** What was thrown of a database that is damaged says what to do. */
export const withRemedy = (thrown: unknown): unknown =>
  isFault(thrown, 'corrupt') && !thrown.message.includes(REMEDY)
    ? new Fault('corrupt', `${thrown.message}; ${REMEDY}`, { cause: thrown })
    : thrown
