import assert from 'node:assert/strict'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { assertSound, give, openBench, picture } from '#store/mailbox/contract/works.ts'
import { testsOnFaultyDisk } from '#test/fake/faulty-disk.ts'
import type { DiskFault } from '#test/fake/faulty-disk.ts'
import { rebuildMailboxes } from './rebuild.ts'
import type { RebuildReport } from './rebuild.ts'

/*
 * What is promised of a commit lies in the segments and in mailbox.db. The journal is a copy: mail goes
 * on without it, somebody is told, and once it can be written a snapshot tells all again.
 */

const RETRY_MS = 5 * SECOND_MS
const path = '*/journal/*'
const FAULTS: readonly (readonly [string, DiskFault])[] = [
  ['writes that fail', { error: 'EIO', ops: 'w', path }],
  ['syncs that fail', { error: 'EIO', ops: 's', path }],
  ['a full disk', { error: 'ENOSPC', ops: 'wc', path }],
  ['a folder that has become read-only', { error: 'EROFS', ops: 'wsc', path }],
]
const UNWRITABLE = /journal cannot be written .*journal.*lost mailbox\.db does not come back whole/

const lose = (dir: string): void => {
  for (const name of readdirSync(dir)) if (name.startsWith('mailbox.db')) rmSync(join(dir, name))
}

const rebuilt = (dir: string): RebuildReport =>
  rebuildMailboxes({ dir, clock: new FakeClock(), dryRun: false, onProgress: () => undefined })

const descriptors = (): number => readdirSync('/proc/self/fd').length

describe('a journal that cannot be written', () => {
  const onDisk = testsOnFaultyDisk()

  for (const [what, fault] of FAULTS)
    onDisk(
      `stops no mail, is told, and tells all again by itself: ${what}`,
      async (volume, dir) => {
        const said: string[] = []
        const opened = await openBench(dir, new FakeClock(), (line) => said.push(line))
        const { store, clock } = opened
        await give(opened)
        assert.deepEqual(store.ailments(), [])
        await volume.fail(fault)
        await give(opened)
        clock.advance(SECOND_MS) // the journal's own sync
        while (store.ailments().length === 0) await new Promise((resolve) => setImmediate(resolve))
        await give(opened)
        await store.trial() // the store itself takes mail
        assert.match(store.ailments()[0]!, UNWRITABLE)
        for (let n = 0; n < 3; n++) {
          clock.advance(RETRY_MS)
          await store.trial()
        }
        assert.equal(said.length, 1, 'told once, however often it is tried')

        // The machine loses mailbox.db now: every mail is in the segments, and comes back from there.
        const left = `${dir}-left`
        await volume.clear()
        cpSync(dir, left, { recursive: true })
        lose(left)
        assert.equal(rebuilt(left).proves, 'part')
        const part = await openBench(left)
        assert.equal((await part.bench.row(['INBOX'])).messages, 3)
        await part.store.close()

        clock.advance(RETRY_MS)
        await store.trial() // nobody commits anything
        await store.idle()
        assert.deepEqual(store.ailments(), [])
        assert.match(said[1]!, /tells all that mailbox\.db holds again/)
        await give(opened)
        const shown = await picture(opened)
        await store.close()
        lose(dir)
        assert.equal(rebuilt(dir).proves, 'whole')
        const again = await openBench(dir)
        assert.deepEqual(await picture(again), shown)
        await again.store.close()
        assertSound(dir)
      },
    )

  for (const [what, fault] of [
    ...FAULTS,
    ['one that cannot be read', { error: 'EIO', ops: 'r', path }],
  ] as const)
    onDisk(`keeps no store from starting: ${what}`, async (volume, dir) => {
      const before = await openBench(dir)
      await give(before)
      await before.store.close()
      await volume.fail(fault)
      const opened = await openBench(dir)
      const { store, clock } = opened
      assert.match(store.ailments()[0]!, UNWRITABLE)
      await give(opened)
      const files = readdirSync(join(dir, 'journal')).length
      const open = descriptors()
      for (let n = 0; n < 20; n++) {
        clock.advance(RETRY_MS)
        await store.trial()
      }
      assert.equal(descriptors(), open, 'no descriptor a try')
      assert.ok(readdirSync(join(dir, 'journal')).length <= files + 1, 'no file a try')
      await volume.clear()
      clock.advance(RETRY_MS)
      await store.trial()
      await store.idle()
      assert.deepEqual(store.ailments(), [])
      await give(opened)
      const shown = await picture(opened)
      await store.close()
      lose(dir)
      assert.equal(rebuilt(dir).proves, 'whole')
      const again = await openBench(dir)
      assert.deepEqual(await picture(again), shown)
      await again.store.close()
    })
})
