import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1 } from '#base/octets.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import { ADDRESSES_MAX, parseAddressList } from './address-list.ts'
import { parseContentType } from './content-type.ts'
import { DEPTH_MAX, MimeIndexer, PARTS_MAX } from './indexer.ts'

/*
 * Each is so large that its square would be hours: that a test ends is what it shows.
 */
const PARTS = 1_000_000
const DEPTH = 10_000

function index(pieces: Iterable<string>): MessageMeta {
  const indexer = new MimeIndexer()
  for (const piece of pieces) indexer.feed(fromLatin1(piece))
  return indexer.finish()
}

/** Parts at all depths, and how deep they lie. */
function measure(root: MimePart): { readonly parts: number; readonly depth: number } {
  let [parts, depth] = [0, 0]
  const waiting: [MimePart, number][] = [[root, 1]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [part, at] = next
    parts++
    depth = Math.max(depth, at)
    for (const child of part.parts) waiting.push([child, at + 1])
    if (part.message !== undefined) waiting.push([part.message.root, at + 1])
  }
  return { parts, depth }
}

test(`${DEPTH} multiparts within one another are ${DEPTH_MAX} deep, and the rest opaque`, () => {
  const head = (n: number): string =>
    `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`
  const open = Array.from({ length: DEPTH }, (_, n) => head(n))
  const close = Array.from({ length: DEPTH }, (_, n) => `\r\n--b${DEPTH - 1 - n}--\r\n`)
  const meta = index([...open, 'Subject: x\r\n\r\nwatari', ...close])
  assert.equal(meta.truncated, true)
  assert.ok(measure(meta.root).depth <= DEPTH_MAX)
})

test(`${DEPTH} messages within one another, each in a multipart of the same boundary`, () => {
  const layer =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
  const meta = index([
    ...Array.from({ length: DEPTH }, () => layer),
    'x',
    '\r\n--b--'.repeat(DEPTH),
  ])
  assert.equal(meta.truncated, true)
  assert.ok(measure(meta.root).depth <= DEPTH_MAX)
})

test(`${PARTS} parts are ${PARTS_MAX}, and the last has the rest`, () => {
  const thousand = '--b\r\n\r\nx\r\n'.repeat(1_000)
  function* pieces(): Generator<string> {
    yield 'Content-Type: multipart/mixed; boundary=b\r\n\r\n'
    for (let n = 0; n < PARTS / 1_000; n++) yield thousand
    yield '--b--\r\n'
  }
  const meta = index(pieces())
  assert.equal(meta.truncated, true)
  assert.ok(measure(meta.root).parts <= PARTS_MAX)
  assert.equal(
    meta.sizeBytes,
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n'.length + thousand.length * 1_000 + 7,
  )
})

test('floods of parameters: continuations, charsets, one name again and again (RFC 2231)', () => {
  const many = 100_000
  const floods = [
    (n: number) => `; filename*${n}="x"`,
    (n: number) => `; filename*${many - n}*=utf-8''%e6%b8%a1`,
    () => `; name="="`,
    () => `; name*0*=`,
    (n: number) => `; p${n}=${n}`,
    () => `;;;;`,
    () => `; (((a)))`,
  ]
  for (const flood of floods) {
    const value = `text/plain${Array.from({ length: many }, (_, n) => flood(n)).join('')}`
    const parsed = parseContentType(value)
    assert.ok(parsed === undefined || parsed.params.length <= 1_000)
    const meta = index([`Content-Type: ${value.slice(0, 900_000)}\r\n\r\nx`])
    assert.equal(meta.root.body.length, 1)
  }
})

test('500,000 addresses in a field: as many as the limit, or none of what is beyond', () => {
  const many = 500_000
  const address = (n: number): string => `"u ${n}" <u${n}@campus.example>`
  for (const text of [
    Array.from({ length: many }, (_, n) => address(n)).join(', '),
    `team: ${Array.from({ length: many }, (_, n) => `a${n}@b`).join(',')};`,
    'g:'.repeat(many),
    ','.repeat(many),
    '<'.repeat(many),
    '('.repeat(many),
    '"'.repeat(many + 1),
    'a@'.repeat(many),
  ])
    assert.ok(parseAddressList(text).length <= ADDRESSES_MAX + 2)
})

test('a thousand header fields of one name, and a header that never ends', () => {
  const meta = index([
    'Subject: x\r\n'.repeat(200_000),
    ...Array.from({ length: 200 }, () => `To: ${'a@b, '.repeat(1_000)}\r\n`),
  ])
  assert.equal(meta.truncated, true)
})
