import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '#base/outcome.ts'
import { carried, carry } from './carried.ts'
import { joinAnswer, joinRequest, nodePlace, parseToken, renderToken } from './join.ts'
import { KEEPING_CALLS } from './keeping.ts'
import { MAILBOX_ANSWERS, MAILBOX_CALLS } from './mailboxes.ts'
import { SCRIPT_CALLS } from './scripts.ts'
import { SEARCH_CALLS } from './search.ts'
import { ack, eventBatch, heartbeat, newCredential, outboxHead, streamLine } from './wire.ts'

const octets = fc.uint8Array({ maxLength: 300 })
const WORDS =
  'kind row seq key values tables generation hash accountId mailboxId uids changes commits contents octets id head'
const word = fc.oneof(
  fc.constantFrom(...WORDS.split(' '), '渡り', '__proto__', '$octets'),
  fc.string(),
)
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, 0, -1, 2 ** 53, 1.5),
    word,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(word, tie('any'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).any

test('octets in a value are carried as they are', () => {
  const value = fc.dictionary(
    fc.constantFrom('a', '渡り', 'octets'),
    fc.oneof(octets, fc.array(octets, { maxLength: 3 }), fc.string()),
    { noNullPrototype: true },
  )
  const plain = (all: unknown): unknown =>
    JSON.parse(
      JSON.stringify(all, function (this: Record<string, unknown>, key, given: unknown) {
        const found = this[key]
        return found instanceof Uint8Array ? [...found] : given
      }),
    )
  fc.assert(
    fc.property(value, (given) =>
      assert.deepEqual(plain(carried(Buffer.from(carry(given)))), plain(given)),
    ),
  )
})

test('any body is a value or a fault of the protocol; places of octets lie within it', () => {
  const place = fc.tuple(fc.oneof(fc.integer(), fc.double()), fc.oneof(fc.integer(), fc.string()))
  const head = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    place.map((at) => JSON.stringify({ a: { $octets: at } })),
    fc.string(),
  )
  const body = fc
    .tuple(head, octets)
    .map(([text, rest]) => Buffer.concat([Buffer.from(`${text}\n`), rest]))
  fc.assert(
    fc.property(
      fc.oneof(
        body,
        octets.map((each) => Buffer.from(each)),
      ),
      (whole) => {
        try {
          carried(whole)
        } catch (thrown) {
          assert.ok(isFault(thrown, 'protocol'), String(thrown))
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a token is read as it was made, any other text is none', () => {
  const hex = fc.array(fc.constantFrom(...'0123456789abcdef'.split('')), {
    minLength: 64,
    maxLength: 64,
  })
  fc.assert(
    fc.property(hex, fc.string({ minLength: 16, maxLength: 100 }), (pin, secret) => {
      const token = { v: 1, name: 'mx-1', role: 'gateway', pin: pin.join(''), secret } as const
      assert.deepEqual(parseToken(renderToken(token)), token)
    }),
  )
  const text = fc.oneof(
    fc.string(),
    json.map((value) => `watari-join-${Buffer.from(JSON.stringify(value)).toString('base64url')}`),
  )
  fc.assert(fc.property(text, (each) => assert.equal(parseToken(each), undefined)))
})

const SHAPES = {
  ack,
  eventBatch,
  heartbeat,
  joinAnswer,
  joinRequest,
  newCredential,
  nodePlace,
  outboxHead,
  streamLine,
  ...KEEPING_CALLS,
  ...MAILBOX_ANSWERS,
  ...MAILBOX_CALLS,
  ...SCRIPT_CALLS,
  ...SEARCH_CALLS,
}

test('any value is of a shape or is not: none throws', () => {
  for (const [name, shape] of Object.entries(SHAPES))
    fc.assert(
      fc.property(json, (value) => {
        const parsed = shape.safeParse(value)
        if (!parsed.success) assert.ok(parsed.error.issues.length > 0, name)
      }),
    )
})
