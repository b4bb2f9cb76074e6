import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { append } from '#store/mailbox/contract/contract-bench.ts'
import { StorageChild } from './child-process.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-damaged-'))
after(() => rmSync(root, { recursive: true, force: true }))

const REMEDY = /stop all roles and run `watari store rebuild`/

/** Says that the root of an index has more entries than any page has room for. */
function damage(path: string): void {
  const db = new DatabaseSync(path)
  const { page } = db
    .prepare(`SELECT rootpage AS page FROM sqlite_schema WHERE name = 'email_thread'`)
    .get() as { page: number }
  db.close()
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.of(0xff, 0xff), 0, 2, (page - 1) * 2_048 + 3)
  closeSync(fd)
}

test('a mailbox.db that is damaged while it is served is told with what to do: by each call that meets it, and by the state', async (t) => {
  const log = memoryLog()
  const open = async () => {
    const child = new StorageChild({ kind: 'mailbox', dir: root, clock: systemClock, log })
    t.after(() => child.stop())
    await child.start()
    return child
  }
  const deliver = (child: StorageChild<'mailbox'>) =>
    child.service('mailboxes').commit({
      contents: [{ octets: [fromUtf8('Subject: 会議\r\n\r\n')] }],
      commits: [{ accountId: '花子' as AccountId, changes: [append(['INBOX'])] }],
    })
  const before = await open()
  await deliver(before)
  await before.stop()
  damage(join(root, 'mailbox.db'))
  const child = await open()
  await assert.rejects(
    deliver(child),
    (thrown) => isFault(thrown, 'io') && REMEDY.test(thrown.message),
  )
  const until = async (what: RegExp, told: () => string): Promise<void> => {
    while (!what.test(told())) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  // The probe asks for it, and the look that the failed call has begun.
  await until(REMEDY, () => JSON.stringify(child.state()))
  await until(/mailbox\.db is damaged .*store rebuild/, () => JSON.stringify(child.state()))
  const logged = log.lines.map((line) => JSON.stringify(line))
  assert.deepEqual(
    logged.filter((line) => line.includes('malformed') && !REMEDY.test(line)),
    [],
    'no line of the log leaves it out',
  )
})
