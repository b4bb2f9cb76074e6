import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { Ledger } from './ledger.ts'
import { loopDisk } from './loop-disk.ts'
import type { LoopDisk } from './loop-disk.ts'
import { descendants } from './processes.ts'

const CUTS = Number(process.env['WATARI_POWER_CUTS'] ?? 5)
const PROMISED_A_CUT = 50
const WAIT_MS = 90_000

/** kill -9 of all at once, as when the machine's power goes. */
async function killAll(watari: Installation): Promise<void> {
  const processes = descendants(watari.pid())
  for (const { pid } of processes)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  await watari.stop()
}

describe('the data disk', () => {
  let disk: LoopDisk | undefined
  let watari: Installation | undefined
  /** What each start is given on top of this process's environment. */
  const env: Record<string, string> = {}

  before(async () => {
    disk = await loopDisk()
    if (disk === undefined) return
    watari = await install({ dir: disk.dir, bind: ['127.0.0.1'], env })
    for (const setting of [
      ['judge.enabled', 'false'],
      ['queue.retryMs', '1s'],
    ]) {
      const set = await watari.watari(['settings', 'set', ...setting])
      assert.equal(set.status, 0, set.stderr)
    }
  })
  after(async () => {
    await disk?.thaw().catch(() => undefined)
    if (watari !== undefined) await killAll(watari)
    await disk?.remove()
  })

  const onDisk = (
    title: string,
    work: (watari: Installation, disk: LoopDisk, t: TestContext) => Promise<void>,
  ): void =>
    void it(title, (t) => {
      if (disk === undefined || watari === undefined)
        return t.skip('needs root, loop mounts, mkfs.ext4 and python3')
      return work(watari, disk, t)
    })

  onDisk(
    `loses nothing that was answered 250 when its power goes, ${CUTS} times under load`,
    async (house, volume, t) => {
      const ledger = new Ledger()
      ledger.start(house, 4)
      try {
        for (let cut = 0; cut < CUTS; cut++) {
          const earlier = ledger.promised.size
          await until('mail flows', () => ledger.promised.size > earlier + PROMISED_A_CUT, WAIT_MS)
          await volume.cutPower()
          await killAll(house)
          await volume.remount()
          await house.start()
        }
      } finally {
        await ledger.stop()
      }
      const { promised, lost } = await ledger.audit(house)
      t.diagnostic(`${promised} messages promised, ${lost.length} lost`)
      const queue = await house.watari(['queue', 'ls', '--json'])
      assert.deepEqual(lost, [], `in the queue: ${queue.stdout}`)
      assert.ok(promised > CUTS * PROMISED_A_CUT)
    },
  )
})
