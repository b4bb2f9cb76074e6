import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { GROWING } from '#test/fake/faulty-disk.ts'

import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf } from './mail.ts'
import { lmtp, readiness, smtp, storeHealth, testsOnStoreDisk } from './store-on-disk.ts'

const WAIT_MS = 60_000

describe('an installation whose store is served without a part of it', () => {
  const onDisk = testsOnStoreDisk(async ({ house, reader }) => {
    // So many that the index is asked.
    for (let n = 0; n < 5; n++) assert.match(await lmtp(house, `会議 ${n}`), /^250/)
    assert.equal(await found(reader, '会議'), 5)
  })

  /** How many messages have the word in their subject or text. */
  async function found(reader: ImapFlow, word: string): Promise<number> {
    const lock = await reader.getMailboxLock('INBOX')
    try {
      await reader.noop()
      const uids = await reader.search({ text: word }, { uid: true })
      return Array.isArray(uids) ? uids.length : 0
    } finally {
      lock.release()
    }
  }

  /** What the store says once it says that it is degraded. */
  async function degraded(house: Installation): Promise<string> {
    const isDegraded = async () => (await storeHealth(house))?.detail === 'degraded'
    await until('degraded', isDegraded, WAIT_MS)
    assert.equal((await readiness(house)).status, 200, 'mail and readers are served')
    const reason = (await storeHealth(house))?.reason ?? ''
    await until('watari status says it too', async () =>
      (await house.watari(['status'])).stdout.includes(reason.slice(0, 60)),
    )
    return reason
  }

  onDisk(
    'takes mail while its journal cannot be written, tells it, and makes it whole by itself',
    async ({ house, disk, reader }) => {
      const earlier = await countOf(reader, 'INBOX')
      await disk.fail({ error: 'EROFS', ops: 'wsc', path: 'store/journal/*' })
      assert.match(await lmtp(house, '日誌'), /^250/)
      assert.match(await degraded(house), /journal cannot be written .*EROFS/)
      assert.match(house.output(), /storage\.said.*journal cannot be written/)
      assert.match(await smtp(house, '日誌二'), /^250/)
      await until('both are there', async () => (await countOf(reader, 'INBOX')) === earlier + 2)
      await disk.clear()
      const isWell = async () => (await storeHealth(house))?.detail === 'ready'
      await until('well again, though nobody commits', isWell, WAIT_MS)
    },
  )

  onDisk(
    'notices nothing while its search index and its kept views are deleted',
    async ({ house, disk, reader }) => {
      const earlier = await found(reader, '会議')
      const isIndexed = async () =>
        /to index: +nothing/.test((await house.watari(['search', 'status'])).stdout)
      await until('all is indexed', isIndexed, WAIT_MS)
      for (const copy of ['fts', 'view'])
        rmSync(join(disk.dir, 'store', copy), { recursive: true, force: true })
      assert.equal(await found(reader, '会議'), earlier)
      assert.match(await lmtp(house, '会議、再び'), /^250/)
      assert.equal(await found(reader, '会議'), earlier + 1)
      await until('all is indexed again', isIndexed, WAIT_MS)
      const segments = () =>
        readdirSync(join(disk.dir, 'store/fts'), { recursive: true }).filter((name) =>
          String(name).endsWith('.fts'),
        )
      await until('it lies on the disk', () => segments().length > 0, WAIT_MS)
      assert.equal((await storeHealth(house))?.detail, 'ready')
    },
  )

  for (const [error, ops, cause] of [
    ['ENOSPC', GROWING, /store\/fts.*ENOSPC/],
    ['EIO', 'rws', /store\/fts.*EIO/],
  ] as const)
    onDisk(
      `takes mail and finds it while its search index meets ${error}, tells it, and indexes it afterwards`,
      async ({ house, disk, reader }) => {
        const word = error === 'EIO' ? '入力失敗' : '満杯'
        await disk.fail({ error, ops, path: 'store/fts/*' })
        assert.match(await lmtp(house, `${word}の件`), /^250/)
        assert.equal(await found(reader, word), 1, 'by reading')
        assert.match(await degraded(house), cause)
        assert.match((await house.watari(['search', 'status'])).stdout, cause)
        assert.match(await lmtp(house, `${word}の件、再び`), /^250/)
        assert.equal(await found(reader, word), 2)
        await disk.clear()
        await until('the index goes on', async () => {
          assert.equal(await found(reader, word), 2)
          return (await storeHealth(house))?.detail === 'ready'
        })
        const isIndexed = async () =>
          /to index: +nothing/.test((await house.watari(['search', 'status'])).stdout)
        await until('all is indexed', isIndexed, WAIT_MS)
        assert.equal(await found(reader, word), 2)
      },
    )
})
