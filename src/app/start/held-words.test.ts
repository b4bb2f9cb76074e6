import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { FakeClock } from '#base/time.ts'

import { HeldWords } from './held-words.ts'

describe('words held during a start', () => {
  const held = (): { clock: FakeClock; written: string[]; words: HeldWords } => {
    const clock = new FakeClock()
    const written: string[] = []
    return { clock, written, words: new HeldWords({ clock, write: (text) => written.push(text) }) }
  }

  test('come in their order once it is ready, and later ones at once', () => {
    const { written, words } = held()
    words.say('一\n')
    words.say('二\n')
    assert.deepEqual(written, [])
    words.release()
    words.say('三\n')
    assert.deepEqual(written, ['一\n二\n', '三\n'])
  })

  test('are dropped where it fails', () => {
    const { clock, written, words } = held()
    words.say('一\n')
    words.drop()
    words.say('二\n')
    clock.advance(60_000)
    assert.deepEqual(written, [])
  })

  test('are told while it takes long, or has much to tell', () => {
    const slow = held()
    slow.words.say('一\n')
    slow.clock.advance(10_000)
    assert.deepEqual(slow.written, ['一\n'])
    const loud = held()
    for (let i = 0; i < 70; i++) loud.words.say('x'.repeat(1_024))
    assert.ok(loud.written.length > 0)
  })
})
