import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HopLanes } from './hop-lanes.ts'
import type { Load, Turn } from './hop-lanes.ts'

/** A load of which nothing but its name and class is looked at. */
const load = (name: string, isBulk?: true): Load =>
  ({ message: { queueId: name, ...(isBulk && { isBulk }) }, hop: { kind: 'local' } }) as never
const nameOf = (turn: Turn | undefined): string | undefined => turn?.load.message.queueId

describe('places of next hops', () => {
  it('are for single people first: bulk takes half of them, and waits for what comes meanwhile', () => {
    const lanes = new HopLanes({ perHop: 4, inAll: 100 })
    for (let i = 0; i < 10; i++) lanes.add('local', load(`一斉${i}`, true))
    const bulk = [lanes.take(), lanes.take()]
    assert.deepEqual(bulk.map(nameOf), ['一斉0', '一斉1'])
    assert.equal(lanes.take(), undefined, 'half of four')
    for (const name of ['花子', '太郎', '次郎']) lanes.add('local', load(name))
    assert.deepEqual([lanes.take(), lanes.take()].map(nameOf), ['花子', '太郎'])
    assert.equal(lanes.take(), undefined, 'all of four')
    lanes.release(bulk[0]!)
    assert.equal(nameOf(lanes.take()), '次郎', 'before more bulk')
    lanes.release(bulk[1]!)
    assert.equal(nameOf(lanes.take()), '一斉2')
  })

  it('over all next hops keep half for single people, too', () => {
    const lanes = new HopLanes({ perHop: 4, inAll: 4 })
    for (const hop of ['a', 'b', 'c']) lanes.add(hop, load(hop, true))
    assert.deepEqual([lanes.take(), lanes.take(), lanes.take()].map(nameOf), ['a', 'b', undefined])
    lanes.add('d', load('花子'))
    assert.equal(nameOf(lanes.take()), '花子')
    assert.equal(lanes.drain().length, 1)
  })
})
