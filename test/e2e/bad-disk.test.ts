import assert from 'node:assert/strict'
import { describe } from 'node:test'

import { until } from './installation.ts'
import { countOf } from './mail.ts'
import { isReady, lmtp, readiness, smtp, storeHealth, testsOnStoreDisk } from './store-on-disk.ts'

const WAIT_MS = 60_000

describe('an installation whose store lies on a disk that fails', () => {
  const onDisk = testsOnStoreDisk()

  onDisk(
    'says so, answers 4xx, serves readers, loses and doubles nothing, and goes on by itself',
    async ({ house, disk, reader }) => {
      assert.match(await lmtp(house, 'はじめ'), /^250/)
      for (const [path, count, cause] of [
        ['store/seg/*', 2, /store\/seg.*EIO/],
        ['store/mailbox.db-wal', 4, /store: .*disk I\/O error/],
      ] as const) {
        await disk.fail({ error: 'EIO', ops: 'ws', path })
        assert.match(await lmtp(house, '一'), /^451 4\.3\.0/)
        // What comes in meanwhile is promised by the gateway, and waits in its queue.
        assert.match(await smtp(house, '二'), /^250/)
        await until('red', async () => (await readiness(house)).status === 503, WAIT_MS)
        const told = await storeHealth(house)
        assert.equal(told?.detail, 'stalled')
        assert.match(told.reason ?? '', cause)
        assert.equal(await countOf(reader, 'INBOX'), count - 1, 'reading goes on')
        await disk.clear()
        await until('ready again', () => isReady(house), WAIT_MS)
        await until(
          'the queue has delivered',
          async () => (await countOf(reader, 'INBOX')) === count,
          WAIT_MS,
        )
        assert.match(await lmtp(house, '三'), /^250/)
      }
      assert.equal(await countOf(reader, 'INBOX'), 5)
      for (const cause of ['EIO', 'disk I/O error'])
        assert.ok(new RegExp(`storage\\.probeFailed.*${cause}`).test(house.output()), cause)
      assert.equal((await storeHealth(house))?.reason, undefined, 'all is well')
    },
  )
})
