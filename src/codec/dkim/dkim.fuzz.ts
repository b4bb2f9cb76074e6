import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatOctets, fromLatin1, toLatin1 } from '#base/octets.ts'
import { parseKeyRecord, renderKeyRecord, zoneStrings } from './key-record.ts'
import { RelaxedBody } from './relaxed-body.ts'
import { relaxedField, signatureField, signedField } from './signature.ts'

const SEED = 20_261_128

/** The body as RFC 6376 §3.4.4 words it, of a whole text. */
function relaxed(body: string): string {
  const lines = body.split('\r\n')
  const ended = lines.map((line, at) =>
    // What stands before a CR alone is no end of a line.
    line.replaceAll(/[ \t]+/g, ' ').replace(/ $/, at < 0 ? ' ' : ''),
  )
  while (ended.at(-1) === '') ended.pop()
  return ended.map((line) => `${line}\r\n`).join('')
}

function fed(pieces: readonly string[]): string {
  const given: Buffer[] = []
  const body = new RelaxedBody((octets) => given.push(Buffer.from(octets)))
  for (const piece of pieces) body.feed(fromLatin1(piece))
  body.finish()
  return toLatin1(concatOctets(given))
}

const piece = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', 'a', '\u00e3', '.', '\r\n'.repeat(40)), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''))

test('a body is relaxed as the RFC words it, however it is cut (RFC 6376 §3.4.4)', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      assert.equal(fed(pieces), relaxed(pieces.join('')))
    }),
    { numRuns: 20_000, seed: SEED },
  )
  const lines = '\r\n'.repeat(5_000)
  assert.equal(fed(['a', lines, lines, 'b', lines]), `a${lines}${lines}b\r\n`)
  // Its examples: RFC 6376 §3.4.5.
  assert.equal(fed([' C \r\n', 'D \t E\r\n\r\n\r\n']), ' C\r\nD E\r\n')
  assert.equal(fed(['\r\n \t\r\n']), '')
})

test('any octets are a field or none, and a relaxed one stays what it is (RFC 6376 §3.4.2)', () => {
  assert.equal(relaxedField('B \t: Y\t\r\n\tZ  '), 'b:Y Z')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (raw) => {
      const line = relaxedField(raw)
      if (line !== undefined) assert.equal(relaxedField(line), line)
    }),
    { numRuns: 3_000, seed: SEED },
  )
  relaxedField(`a:${' '.repeat(1_000_000)}x`)
})

test('any text is a key record or none; what we publish is read as it was (RFC 6376 §3.6.1)', () => {
  const words = fc.array(
    fc.constantFrom(
      'v=DKIM1',
      ';',
      '=',
      'p=',
      'k=ed25519',
      'h=sha256:sha1',
      't=y',
      ' ',
      'あ',
      'p=AA==',
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        words.map((all) => all.join('')),
      ),
      (text) => {
        parseKeyRecord(text)
      },
    ),
    { numRuns: 3_000, seed: SEED },
  )
  const publicKey = 'MIIB'.repeat(98)
  const record = renderKeyRecord({ keyType: 'rsa', publicKey })
  assert.deepEqual(parseKeyRecord(record), { keyType: 'rsa', publicKey, flags: [] })
  const strings = [...zoneStrings(record).matchAll(/"([^"]*)"/g)].map(([, text]) => text!)
  assert.equal(strings.join(''), record)
  assert.ok(strings.length === 2 && strings.every((text) => text.length <= 255))
})

test('lines of a signature are short, and nothing of it is lost by folding', () => {
  const field = signatureField({
    algorithm: 'rsa-sha256',
    domain: 'campus.example',
    selector: 's1',
    signedAtS: 1_795_000_000,
    expiresAtS: 1_795_864_000,
    fields: Array.from({ length: 60 }, (_, at) => `list-field-${at}`),
    bodyHash: 'A'.repeat(44),
  })
  const whole = signedField(field, 'B'.repeat(344))
  for (const line of whole.split('\r\n')) assert.ok(line.length <= 100, line)
  const tags = new Map(
    whole
      .slice(whole.indexOf(':') + 1)
      .split(';')
      .map((tag) => {
        const [name = '', value = ''] = tag.replaceAll(/\s+/g, '').split('=')
        return [name, value] as const
      }),
  )
  assert.equal(tags.get('h')?.split(':').length, 60)
  assert.equal(tags.get('b'), 'B'.repeat(344))
  assert.equal(tags.get('x'), '1795864000')
})
