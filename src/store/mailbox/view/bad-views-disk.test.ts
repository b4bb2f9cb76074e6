import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SEEN } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { append, hanako, uidsOf } from '#store/mailbox/contract/contract-bench.ts'
import { openBench } from '#store/mailbox/contract/works.ts'
import type { Opened } from '#store/mailbox/contract/works.ts'
import { faultyDisk, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'
import type { DiskFault, FaultyDisk } from '#test/fake/faulty-disk.ts'
import { KEPT_ROWS_MIN } from './kept-views.ts'

/* Kept views are a copy: whatever their disk does, readers see the rows, and commits go on. */

const path = '*/view/*'
const FAULTS: readonly (readonly [string, DiskFault])[] = [
  ['cannot be read', { error: 'EIO', ops: 'r', path }],
  ['cannot be written', { error: 'EIO', ops: 'wcnu', path }],
  ['have no room', { error: 'ENOSPC', ops: 'wc', path }],
]

describe('kept views on a bad disk', () => {
  let disk: FaultyDisk | undefined
  before(async () => {
    disk = await faultyDisk()
  })
  after(() => disk?.remove())

  const seen = async ({ store }: Opened, mailboxId: MailboxId) => {
    const view = await store.view({ accountId: hanako, mailboxId, emails: true })
    assert.ok(view !== undefined)
    return { uids: [...view.uids], flags: [...view.flags] }
  }
  const files = (dir: string): string[] => readdirSync(join(dir, 'view'))

  it('cost nobody a message while they cannot be read or written, or are deleted, and are made anew', async (t) => {
    const volume = disk
    if (volume === undefined) return t.skip(NO_FAULTY_DISK)
    const dir = mkdtempSync(join(volume.dir, 'v-'))
    let opened = await openBench(dir)
    const inbox = await opened.bench.fill(KEPT_ROWS_MIN + 10)
    let expected = await seen(opened, inbox)
    await opened.store.close()
    assert.equal(files(dir).length, 1)
    let uid = 1
    for (const [what, fault] of FAULTS) {
      opened = await openBench(dir)
      await volume.fail(fault)
      assert.deepEqual(await seen(opened, inbox), expected, what)
      const uids = uidsOf(uid++)
      const change = {
        kind: 'setFlags',
        mailboxId: inbox,
        uids,
        mode: 'add',
        flags: SEEN,
        keywords: [],
      } as const
      await opened.bench.done([change, append(['INBOX'])])
      expected = await seen(opened, inbox)
      assert.equal(expected.flags[uid - 2], SEEN)
      await volume.clear()
      await opened.store.close()
      opened = await openBench(dir)
      assert.deepEqual(await seen(opened, inbox), expected, `after: ${what}`)
      // Deleted while it is served: nobody notices, and the next start has it again.
      rmSync(join(dir, 'view'), { recursive: true })
      assert.deepEqual(await seen(opened, inbox), expected)
      await opened.store.close()
      opened = await openBench(dir)
      assert.deepEqual(await seen(opened, inbox), expected, 'from the rows')
      await opened.store.close()
      assert.equal(files(dir).length, 1, 'made anew')
    }
  })
})
