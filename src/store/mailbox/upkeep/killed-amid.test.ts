import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import {
  assertSound,
  give,
  openBench,
  picture,
  PURGE,
  WORKS,
} from '#store/mailbox/contract/works.ts'
import type { Opened, Work } from '#store/mailbox/contract/works.ts'

/*
 * This file is also the process that dies: `killed-amid.test.ts child DIR NOW FAILPOINTS TITLE` does one
 * piece of work on the store in DIR.
 */

/** The scrubber makes a damaged meta anew. */
const SCRUB: Work = {
  title: 'a round of scrubbing',
  run: ({ store }) => store.scrub({ limitBytes: 1e9 }),
}
const COMPACT: Work = {
  title: 'a compaction to its end',
  run: async ({ store, clock }) => {
    await store.compact()
    clock.advance(2 * MINUTE_MS)
    await store.compact()
  },
}
const ALL = [...WORKS, PURGE, SCRUB, COMPACT]

const root = mkdtempSync(join(tmpdir(), 'watari-amid-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))

async function child(dir: string, nowMs: number, failpoints: string, title: string): Promise<void> {
  const opened = await openBench(dir, new FakeClock(nowMs))
  armFailpoints(failpoints)
  await ALL.find((work) => work.title === title)!.run(opened)
}

async function dies(
  of: Readonly<{ dir: string; nowMs: number; failpoints: string; title: string }>,
) {
  const { dir, nowMs, failpoints, title } = of
  const args = [import.meta.filename, 'child', dir, String(nowMs), failpoints, title]
  const dying = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  assert.deepEqual(await once(dying, 'exit'), [null, 'SIGKILL'])
}

/** A copy of a store that is closed. */
function copyOf(dir: string): string {
  const copy = folder()
  cpSync(dir, copy, { recursive: true, preserveTimestamps: true })
  return copy
}

async function withStore<T>(
  dir: string,
  nowMs: number,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await openBench(dir, new FakeClock(nowMs))
  try {
    return await work(opened)
  } finally {
    await opened.store.close()
  }
}

/** A store with mail in a segment that is sealed and old, ready for the work; what time it is there. */
async function prepared(work: Work): Promise<{ readonly dir: string; readonly nowMs: number }> {
  const dir = folder()
  const opened = await openBench(dir)
  await give(opened)
  await work.prepare?.(opened)
  await opened.store.close()
  for (const name of readdirSync(join(dir, 'seg'))) utimesSync(join(dir, 'seg', name), 1, 1)
  return { dir, nowMs: opened.clock.nowMs() }
}

/** Flips an octet of a meta. */
function damageMeta(dir: string): void {
  const db = new DatabaseSync(join(dir, 'mailbox.db'), { readOnly: true })
  const place = db.prepare('SELECT meta_file, meta_offset FROM email LIMIT 1').get()!
  db.close()
  const name = `${String(place['meta_file']).padStart(8, '0')}.seg`
  const fd = openSync(join(dir, 'seg', name), 'r+')
  writeSync(fd, Buffer.of(0xff), 0, 1, Number(place['meta_offset']) + 40)
  closeSync(fd)
}

function main(): void {
  describe('a store that is killed amid', () => {
    for (const work of [...WORKS, PURGE])
      it(`${work.title}: all of it is there or nothing, and it can be done again`, async () => {
        const { dir, nowMs } = await prepared(work)
        const earlier = await withStore(copyOf(dir), nowMs, picture)
        const later = await withStore(copyOf(dir), nowMs, async (opened) => {
          await work.run(opened)
          return picture(opened)
        })
        assert.notDeepEqual(later, earlier)
        for (const [failpoints, expected] of [
          ['mailbox.applied=die', earlier],
          ['mailbox.committed=die', later],
          ...(work === PURGE ? ([['mailbox.purged=die', later]] as const) : []),
        ] as const) {
          const copy = copyOf(dir)
          await dies({ dir: copy, nowMs, failpoints, title: work.title })
          await withStore(copy, nowMs, async (opened) => {
            assert.deepEqual(await picture(opened), expected, failpoints)
            if (expected === earlier) {
              await work.run(opened)
              assert.deepEqual(await picture(opened), later, `${failpoints}, again`)
            }
            if (work === PURGE) assert.deepEqual(readdirSync(join(copy, 'large')), [])
          })
          assertSound(copy)
        }
      })

    it('a round of scrubbing: a damaged meta is made anew once, and no message is called damaged', async () => {
      const { dir, nowMs } = await prepared(SCRUB)
      const earlier = await withStore(copyOf(dir), nowMs, picture)
      damageMeta(dir)
      for (const failpoints of [
        'mailbox.applied=die@1',
        'mailbox.mended=die',
        'mailbox.applied=die@2',
      ]) {
        const copy = copyOf(dir)
        await dies({ dir: copy, nowMs, failpoints, title: SCRUB.title })
        await withStore(copy, nowMs, async (opened) => {
          await opened.store.scrub({ limitBytes: 1e9 })
          assert.deepEqual((await opened.store.damaged()).messages, [])
          assert.deepEqual(await picture(opened), earlier, failpoints)
        })
        const clean = await withStore(copy, nowMs + 40 * 86_400_000, ({ store }) =>
          store.scrub({ limitBytes: 1e9 }),
        )
        assert.deepEqual([clean.damaged, clean.mended], [[], 0])
        assertSound(copy)
      }
    })

    it('the deletion of a segment that was compacted: every octet is in the new one', async () => {
      const { dir, nowMs } = await prepared(COMPACT)
      const earlier = await withStore(copyOf(dir), nowMs, picture)
      await dies({ dir, nowMs, failpoints: 'mailbox.collected=die', title: COMPACT.title })
      assert.ok(!readdirSync(join(dir, 'seg')).includes('00000001.seg'))
      await withStore(dir, nowMs, async (opened) => {
        assert.deepEqual(await picture(opened), earlier)
      })
      assertSound(dir)
    })
  })
}

if (process.argv[2] === 'child')
  await child(process.argv[3]!, Number(process.argv[4]), process.argv[5]!, process.argv[6]!)
else main()
