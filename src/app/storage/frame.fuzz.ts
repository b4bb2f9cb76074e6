import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '#base/outcome.ts'
import { FrameReader, FrameWriter } from './frame.ts'

const octets = fc.uint8Array({ maxLength: 5_000 })
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(undefined, null, true, -0, 1.5, 2n ** 63n, '渡り', '\ud800'),
    octets,
    fc.uint32Array({ maxLength: 900 }),
    fc.bigInt64Array({ maxLength: 400 }),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).any

/** Feeds all of it, cut at these places. */
function fed(reader: FrameReader, whole: Buffer, cuts: readonly number[]): unknown[] {
  const places = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length]
  const values: unknown[] = []
  let at = 0
  for (const place of places.toSorted((a, b) => a - b)) {
    values.push(...reader.feed(whole.subarray(at, place)))
    at = place
  }
  return values
}

test('what is written is read, in any number of frames and cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(value, { maxLength: 3 }), { maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (frames, cuts) => {
        const whole = Buffer.concat(
          frames.flatMap((values) => {
            const writer = new FrameWriter()
            for (const each of values) writer.add(each)
            return writer.end()
          }),
        )
        const plain = (all: unknown): unknown =>
          JSON.parse(
            JSON.stringify(all, function (this: Record<string, unknown>, key, given: unknown) {
              const found = this[key]
              if (ArrayBuffer.isView(found))
                return [...new Uint8Array(found.buffer, found.byteOffset, found.byteLength)]
              return typeof given === 'bigint' ? String(given) : given
            }),
          )
        assert.deepEqual(plain(fed(new FrameReader(), whole, cuts)), plain(frames.flat()))
      },
    ),
  )
})

test('any octets are values or a fault of the pipe', () => {
  const head = fc
    .tuple(fc.array(fc.nat({ max: 40 }), { maxLength: 4 }), fc.nat({ max: 2 }), octets)
    .map(([sizes, raws, rest]) => {
      const words = Uint32Array.from([sizes.length, raws, ...sizes])
      return Buffer.concat([new Uint8Array(words.buffer), rest])
    })
  fc.assert(
    fc.property(
      fc.oneof(
        octets.map((each) => Buffer.from(each)),
        head,
      ),
      fc.array(fc.nat(), { maxLength: 4 }),
      (whole, cuts) => {
        try {
          fed(new FrameReader(), whole, cuts)
        } catch (thrown) {
          assert.ok(isFault(thrown, 'protocol'), String(thrown))
        }
      },
    ),
    { numRuns: 1_000 },
  )
})
