import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'

import { carried, carry } from './carried.ts'

const bodyOf = (text: string): Buffer => Buffer.from(text)

describe('a value with octets in it, on the wire', () => {
  it('comes back as it was: Buffers, views, empty octets, text in Japanese', () => {
    const all = Uint8Array.from({ length: 256 }, (_, octet) => octet)
    const value = {
      名: '渡り鳥',
      pieces: [all, Buffer.from('二'), new Uint8Array(0), all.subarray(10, 20)],
      nested: { prefix: fromUtf8('Return-Path: <>\r\n'), none: null, count: 3 },
    }
    assert.deepEqual(plain(carried(Buffer.from(carry(value)))), plain(value))
  })

  for (const [what, body] of [
    ['has no line', '{"a":1}'],
    ['is no JSON', 'a\n'],
    ['names octets beyond the end', '{"$octets":[0,2]}\nx'],
    ['names octets before the start', '{"$octets":[-1,1]}\nx'],
    ['names no place', '{"$octets":"x"}\nx'],
    ['names half an octet', '{"$octets":[0.5,0.5]}\nx'],
    ['overflows', '{"$octets":[9007199254740991,9007199254740991]}\nx'],
  ] as const)
    it(`is refused where it ${what}`, () =>
      assert.throws(
        () => carried(bodyOf(body)),
        (thrown) => isFault(thrown, 'protocol'),
      ))
})

/** Octets as numbers: a Buffer and a view of the same octets are alike. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { octets: [...value] }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
}
