import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import { assertSound, give, openBench, picture, WORKS } from '#store/mailbox/contract/works.ts'
import { faultyDisk, GROWING, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'
import type { DiskFault, FaultyDisk } from '#test/fake/faulty-disk.ts'

/*
 * The disk gives way at the first, the second, the third … write of one piece of work, until that
 * passes untouched. Whatever fails is as if nobody had asked; whatever is answered stands.
 */

const TRIES_MAX = 400
/** Written and synced on its own time: a fault that it met would be counted for somebody else's write. */
const JOURNAL = '*/journal/*'
const FAULTS = [
  ['ENOSPC', 'full', { error: 'ENOSPC', ops: GROWING }],
  ['EIO', 'io', { error: 'EIO', ops: `${GROWING}sdtn`, count: 1 }],
] as const satisfies readonly (readonly [string, string, DiskFault])[]

describe('a disk that gives way at each single write', () => {
  let disk: FaultyDisk | undefined
  before(async () => {
    disk = await faultyDisk()
  })
  after(() => disk?.remove())

  const onDisk = (title: string, work: (disk: FaultyDisk, t: TestContext) => Promise<void>): void =>
    void it(title, (t) => (disk === undefined ? t.skip(NO_FAULTY_DISK) : work(disk, t)))

  for (const [error, code, fault] of FAULTS)
    for (const { title, prepare, run } of WORKS)
      onDisk(`${error} at ${title}: ${code}, and nothing of it is there`, async (volume, t) => {
        const opened = await openBench(mkdtempSync(join(volume.dir, 'v-')))
        await give(opened)
        let refused = 0
        for (let skip = 0; ; skip++) {
          assert.ok(skip < TRIES_MAX)
          opened.clock.advance(2 * SECOND_MS) // a full disk is believed for a second
          await prepare?.(opened)
          const earlier = await picture(opened)
          await volume.fail({ ...fault, path: `!(${JOURNAL})`, skip })
          const thrown = await run(opened).then(
            () => undefined,
            (cause: unknown) => cause,
          )
          const fired = await volume.fired()
          if (fired > 0) await picture(opened) // reading goes on meanwhile
          await volume.clear()
          if (thrown === undefined) {
            assert.notDeepEqual(await picture(opened), earlier)
            if (fired === 0) break
            continue
          }
          assert.ok(isFault(thrown, code), inspect(thrown))
          refused++
          assert.deepEqual(await picture(opened), earlier)
        }
        t.diagnostic(`${refused} writes refused`)
        assert.ok(refused > 2)
        const last = await picture(opened)
        await opened.store.close()
        assertSound(opened.dir)
        const again = await openBench(opened.dir, opened.clock)
        assert.deepEqual(await picture(again), last)
        await again.store.close()
      })

  for (const [error, , fault] of FAULTS)
    onDisk(`${error} at any write of the journal stops no work`, async (volume) => {
      const opened = await openBench(mkdtempSync(join(volume.dir, 'v-')))
      await give(opened)
      for (const { prepare, run } of WORKS) {
        await prepare?.(opened)
        const earlier = await picture(opened)
        await volume.fail({ ...fault, path: JOURNAL })
        await run(opened)
        assert.notDeepEqual(await picture(opened), earlier)
        // Until the journal is tried again.
        opened.clock.advance(11 * SECOND_MS)
        await volume.clear()
      }
      const last = await picture(opened)
      await opened.store.close()
      assertSound(opened.dir)
      const again = await openBench(opened.dir, opened.clock)
      assert.deepEqual(await picture(again), last)
      await again.store.close()
    })
})
