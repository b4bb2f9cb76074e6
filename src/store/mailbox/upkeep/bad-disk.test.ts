import assert from 'node:assert/strict'
import { cpSync, readFileSync, readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'
import { isFault, isLost } from '#base/outcome.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Uid } from '#model/mailbox.ts'
import { append, hanako, text } from '#store/mailbox/contract/contract-bench.ts'
import {
  assertSound,
  expungeLast,
  give,
  openBench,
  picture,
} from '#store/mailbox/contract/works.ts'
import type { Opened } from '#store/mailbox/contract/works.ts'
import { diskFault } from '#store/db/fault.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { GROWING, testsOnFaultyDisk } from '#test/fake/faulty-disk.ts'
import type { DiskFault } from '#test/fake/faulty-disk.ts'

const MAILS = 12
const isIo = (thrown: unknown): boolean => isFault(thrown, 'io')
const bodyOf = (n: number): string =>
  `Subject: 会議 ${n}\r\n\r\n${`資料 ${n} を送ります。\r\n`.repeat(30)}`

/** The next write that is tried: every one in a long run, ever fewer in a short one. */
const nextSkip = (skip: number): number =>
  process.env['WATARI_EACH_WRITE'] === 'all' ? skip + 1 : skip + 1 + Math.floor(skip / 2)

describe('a bad disk below the store', () => {
  const onDisk = testsOnFaultyDisk()

  const segments = (dir: string): string[] => readdirSync(join(dir, 'seg')).toSorted()

  async function fill(opened: Opened): Promise<void> {
    for (let n = 0; n < MAILS; n++)
      await opened.bench.done([append(['INBOX'])], { contents: [text(bodyOf(n))] })
  }

  /** A store whose mail lies in a segment that is sealed and old. */
  async function filled(dir: string): Promise<void> {
    const opened = await openBench(dir)
    await fill(opened)
    await opened.store.close()
    for (const name of segments(dir)) utimesSync(join(dir, 'seg', name), 1, 1)
  }

  onDisk(
    'never writes again into a segment whose sync has failed, and takes mail in the next',
    async (volume, dir) => {
      const opened = await openBench(dir)
      await give(opened)
      await volume.trace()
      await volume.fail({ error: 'EIO', ops: 's', path: '*/seg/*', count: 1 })
      await assert.rejects(give(opened), isIo)
      const after = (await volume.trace()).map((line) => line.split(' '))
      const failed = after.findIndex(([op, , errno]) => op === 's' && errno !== '0')
      const [, path] = after[failed]!
      await give(opened)
      await opened.store.close()
      const later = [
        ...after.slice(failed + 1),
        ...(await volume.trace()).map((line) => line.split(' ')),
      ]
      assert.deepEqual(
        later.filter(([, name]) => name === path),
        [],
        'no write, sync or cut after it',
      )
      assert.equal(segments(dir).length, 2)
      const again = await openBench(dir)
      assert.equal((await again.bench.row(['INBOX'])).messages, 2)
      await again.store.close()
    },
  )

  onDisk(
    'is not filled by what a disk refuses for long, and the store takes mail once that ends',
    async (volume, dir) => {
      const opened = await openBench(dir)
      await give(opened)
      await volume.fail({ error: 'EIO', ops: 's', path: '*/seg/*' })
      for (let n = 0; n < 20; n++) await assert.rejects(give(opened), isIo)
      assert.equal(segments(dir).length, 1, 'what was promised, and nothing of what was refused')
      await volume.clear()
      await give(opened)
      assert.equal((await opened.bench.row(['INBOX'])).messages, 2)
      await opened.store.close()
    },
  )

  for (const [where, path] of [
    ['its segment', '*/seg/*'],
    ['its database', '*/mailbox.db-wal'],
  ] as const)
    for (const [error, ops] of [
      ['EIO', 's'],
      ['EIO', 'w'],
      ['ENOSPC', 'w'],
    ] as const)
      onDisk(
        `is told by its own trial while ${where} takes nothing (${error} at ${ops}), and no longer`,
        async (volume, dir) => {
          const opened = await openBench(dir)
          const { store, clock } = opened
          await store.trial()
          await volume.fail({ error, ops, path })
          await store.trial() // nobody has written: nobody knows
          await assert.rejects(give(opened))
          // What is full is known for a second, and no trouble to those who read and make room.
          clock.advance(2 * SECOND_MS)
          await assert.rejects(store.trial(), (thrown) =>
            isFault(thrown, error === 'EIO' ? 'io' : 'full'),
          )
          await volume.clear()
          clock.advance(2 * SECOND_MS)
          await store.trial()
          await give(opened)
          assert.equal((await opened.bench.row(['INBOX'])).messages, 1)
          await store.close()
        },
      )

  for (const [what, path, ops] of [
    ['sync of octets and rows', '*/seg/*', 's'],
    ['COMMIT', '*/mailbox.db-wal', 'w'],
  ] as const)
    onDisk(
      `a failed ${what} is no mail, or one, for whoever starts on what it left`,
      async (volume, dir) => {
        const opened = await openBench(dir)
        await give(opened)
        await volume.fail({ error: 'EIO', ops, path, count: 1 })
        const deliver = ({ bench }: Opened) =>
          bench.commit([append(['INBOX'])], { contents: [text(bodyOf(1))], deliveryId: 'D1' })
        await assert.rejects(deliver(opened), isIo)
        // As if it were killed now, before anything is written behind it.
        const left = `${dir}-left`
        cpSync(dir, left, { recursive: true })
        const again = await openBench(left)
        const { messages } = await again.bench.row(['INBOX'])
        assert.ok(messages === 1 || messages === 2)
        const { kind } = await deliver(again)
        assert.equal(kind, messages === 1 ? 'committed' : 'duplicate')
        assert.equal((await again.bench.row(['INBOX'])).messages, 2)
        await again.store.close()
        assert.equal((await deliver(opened)).kind, 'committed')
        await opened.store.close()
        assertSound(dir)
      },
    )

  onDisk(
    'a bad sector costs its message for as long as it is there, and no other',
    async (volume, dir) => {
      await filled(dir)
      const opened = await openBench(dir)
      const { bench, store } = opened
      const inbox = await bench.idOf('INBOX')
      const uids = [...(await bench.view(inbox)).uids] as Uid[]
      const segment = readFileSync(join(dir, 'seg', '00000001.seg'))
      const at = segment.indexOf(bodyOf(2)) + 10
      await volume.fail({ error: 'EIO', ops: 'r', path: '*/seg/00000001.seg', at })
      const lost: number[] = []
      for (const uid of uids)
        await bench.read(inbox, uid).catch((thrown: unknown) => {
          assert.ok(isLost(thrown), String(thrown))
          lost.push(uid)
        })
      assert.equal(lost.length, 1)
      const metas = await Array.fromAsync(
        storedMetas(store, { accountId: hanako, mailboxId: inbox, uids }),
      )
      assert.deepEqual(
        metas.map((stored) => stored?.meta.sizeBytes),
        uids.map((uid) => Buffer.byteLength(bodyOf(uid - 1))),
      )
      const scrubbed = await store.scrub({ limitBytes: 1e9 })
      assert.deepEqual(
        scrubbed.damaged.map(({ uid }) => uid),
        lost,
      )
      // Compaction moves the others and keeps the file; purge leaves what nobody expunged.
      const { moved, damaged } = await store.compact()
      assert.equal(damaged, 1)
      assert.ok(moved >= 2 * MAILS - 2)
      opened.clock.advance(40 * DAY_MS)
      await store.purge({ beforeMs: opened.clock.nowMs() - 14 * DAY_MS })
      await store.compact()
      assert.ok(segments(dir).includes('00000001.seg'))
      await volume.clear()
      for (const uid of uids) assert.equal(await bench.read(inbox, uid), bodyOf(uid - 1))
      assert.deepEqual((await store.scrub({ limitBytes: 1e9 })).damaged, [])
      assert.deepEqual((await store.damaged()).messages, [], 'the next round has found it whole')
      await store.close()
    },
  )

  onDisk(
    'a database that cannot be read is io to whoever asks, and as it was once it can be',
    async (volume, dir) => {
      await filled(dir)
      const earlier = await openBench(dir)
      const before = await picture(earlier)
      await earlier.store.close()
      let refused = 0
      for (let skip = 0, fired = 1; fired > 0; skip = nextSkip(skip)) {
        const opened = await openBench(dir) // nothing of it is in memory
        await volume.fail({ error: 'EIO', ops: 'r', path: '*/mailbox.db', skip, count: 1 })
        // Each page that this reads fails once, and nobody is told what is not so.
        const seen = await picture(opened).catch((thrown: unknown) => {
          assert.ok(isFault(opened.store.told(diskFault(thrown, 'database')), 'io'), String(thrown))
          refused++
        })
        fired = await volume.fired()
        if (seen !== undefined) assert.deepEqual(seen, before)
        await volume.clear()
        assert.deepEqual(await picture(opened), before, 'the same process reads it again')
        await opened.store.close()
      }
      assert.ok(refused > 2, String(refused))
      assertSound(dir)
    },
  )

  onDisk(
    'a commit that cannot read what it needs is nothing, and the next one is made',
    async (volume, dir) => {
      await filled(dir)
      const opened = await openBench(dir)
      await volume.fail({ error: 'EIO', ops: 'r', path: '*/mailbox.db' })
      await assert.rejects(give(opened), (thrown) => isIo(opened.store.told(thrown)))
      await volume.clear()
      await opened.store.trial()
      assert.equal((await opened.bench.row(['INBOX'])).messages, MAILS)
      await give(opened)
      assert.equal((await opened.bench.row(['INBOX'])).messages, MAILS + 1)
      await opened.store.close()
      assertSound(dir)
    },
  )

  for (const fault of [
    { error: 'EIO', ops: `${GROWING}sdtnu`, count: 1 },
    { error: 'ENOSPC', ops: GROWING },
  ] as const satisfies readonly DiskFault[])
    onDisk(
      `compaction that ${fault.error} ends at any write leaves every octet where it can be read`,
      async (volume, dir) => {
        await filled(dir)
        let fired = 1
        let tries = 0
        for (let skip = 0; fired > 0; skip = nextSkip(skip), tries++) {
          const copy = `${dir}-${skip}`
          cpSync(dir, copy, { recursive: true, preserveTimestamps: true })
          const opened = await openBench(copy)
          const earlier = await picture(opened)
          await volume.fail({ ...fault, skip })
          await opened.store
            .compact()
            .catch((thrown: unknown) => assert.ok(isFault(thrown), String(thrown)))
          fired = await volume.fired()
          assert.deepEqual(await picture(opened), earlier, `${skip} writes passed`)
          await volume.clear()
          opened.clock.advance(2 * MINUTE_MS)
          await opened.store.compact()
          opened.clock.advance(2 * MINUTE_MS)
          await opened.store.compact()
          assert.deepEqual(await picture(opened), earlier)
          assert.ok(!segments(copy).includes('00000001.seg'), 'done in the end')
          await opened.store.close()
          const again = await openBench(copy)
          assert.deepEqual(await picture(again), earlier)
          await again.store.close()
          assertSound(copy)
        }
        assert.ok(tries > 4)
      },
    )

  for (const fault of [
    { error: 'EIO', ops: `${GROWING}sdtnu`, count: 1 },
    { error: 'ENOSPC', ops: GROWING },
  ] as const satisfies readonly DiskFault[])
    onDisk(
      `a purge that ${fault.error} ends at any write deletes nothing that anybody has`,
      async (volume, dir) => {
        const opened = await openBench(dir)
        const { store, clock } = opened
        await fill(opened)
        for (let skip = 0, fired = 1; fired > 0; skip++) {
          await give(opened)
          await expungeLast(opened)
          clock.advance(15 * DAY_MS)
          const [shown] = await picture(opened)
          await volume.fail({ ...fault, skip })
          await store
            .purge({ beforeMs: clock.nowMs() - DAY_MS })
            .catch((thrown: unknown) => assert.ok(isFault(thrown), String(thrown)))
          fired = await volume.fired()
          await volume.clear()
          assert.deepEqual((await picture(opened))[0], shown)
          await store.purge({ beforeMs: clock.nowMs() - DAY_MS })
          const [, expunged] = await picture(opened)
          assert.deepEqual(expunged, [])
        }
        const last = await picture(opened)
        await store.close()
        assertSound(dir)
        const again = await openBench(dir)
        assert.deepEqual(await picture(again), last)
        await again.store.close()
      },
    )
})
