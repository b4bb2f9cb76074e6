import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { Ledger } from './ledger.ts'
import { descendants } from './processes.ts'

const KILLS = Number(process.env['WATARI_KILLS'] ?? 5)
const SEED = 20_261_126

/** A small seeded generator (mulberry32): a failure can be had again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('kill -9 of any process', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
  })
  after(() => watari.remove())

  it(`loses nothing that was answered 250, ${KILLS} times under load`, async (t) => {
    for (const setting of [
      ['judge.enabled', 'false'],
      ['queue.retryMs', '1s'],
    ]) {
      const set = await watari.watari(['settings', 'set', ...setting])
      assert.equal(set.status, 0, set.stderr)
    }
    const ledger = new Ledger()
    const next = random(SEED)
    ledger.start(watari, 4)
    for (let kill = 0; kill < KILLS; kill++) {
      const before = ledger.promised.size
      await until('mail flows', () => ledger.promised.size > before + 20, 120_000)
      const victims = descendants(watari.pid()).filter(({ command }) =>
        /\/(?:gateway|store|control)\.ts$|^watari storage /.test(command),
      )
      const victim = victims[Math.floor(next() * victims.length)]
      assert.ok(victim !== undefined, watari.output())
      t.diagnostic(`kill -9 ${victim.command.split('/').at(-1)}`)
      process.kill(victim.pid, 'SIGKILL')
    }
    const before = ledger.promised.size
    await until('mail flows again', () => ledger.promised.size > before + 20, 120_000)
    await ledger.stop()
    const { promised, lost } = await ledger.audit(watari)
    t.diagnostic(`${promised} messages promised, ${lost.length} lost`)
    const queue = await watari.watari(['queue', 'ls', '--json'])
    assert.deepEqual(lost, [], `in the queue: ${queue.stdout}`)
    assert.ok(promised > KILLS * 20)
  })
})
