import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1 } from '#base/octets.ts'
import { decodeCharset, knowsCharset } from './charset.ts'
import { foldText } from './fold-text.ts'
import { x0213Character } from './jis-x0213.ts'

/** 𠮟る and 𠀋 of the two planes, 俱 of 2000 and 2004, か゚ of two characters, ① and ⓪, and what X 0208 has. */
const TEXT = '𠮟る、𠀋𠂉。俱楽部と鷗外①か゚㈱ｱ日本語'

/** As Python encodes it; ISO-2022-JP-2004 with the half-width ｱ that mail has in it all the same. */
const OCTETS = {
  'iso-2022-jp-2004':
    '1b2428514f54 1b2442246b2122 1b2428512e22 1b2428502121 1b24422123 1b2428512e21 1b2442335a49742448' +
    '1b2428517e65 1b24423330 1b2428512d2124772d6a 1b2849 31 1b2442467c4b5c386c 1b2842',
  'euc-jis-2004':
    'cfd4 a4eb a1a2 aea2 8fa1a1 a1a3 aea1 b3da c9f4 a4c8 fee5 b3b0 ada1 a4f7 adea 8eb1 c6fc cbdc b8ec',
  'shift_jis-2004':
    '9873 82e9 8141 87a0 f040 8142 879f 8a79 9594 82c6 efe3 8a4f 8740 82f5 878a b1 93fa 967b 8cea',
} as const

const octetsOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

test('one text of JIS X 0213 in its three encodings', () => {
  for (const [label, hex] of Object.entries(OCTETS))
    assert.equal(decodeCharset(octetsOf(hex), label), TEXT, label)
  const names =
    'ISO-2022-JP-3 iso2022_jp_2004 EUC-JISX0213 EUC-JIS-2004 Shift_JISX0213 Shift_JIS-2004'
  for (const name of names.split(' ')) assert.ok(knowsCharset(name), name)
})

test('a search meets it as any other Japanese text', () => {
  const text = foldText(decodeCharset(octetsOf(OCTETS['shift_jis-2004']), 'shift_jis-2004'))
  for (const term of ['𠮟ル', '俱楽部', '鷗外1', '(株)ア', 'ｶﾟ', '𠂉'])
    assert.ok(text.includes(foldText(term)), term)
})

test('backslash and tilde of Shift_JIS-2004 stay what paths and addresses need', () => {
  assert.equal(
    decodeCharset(fromLatin1('C:\\~hanako \x88\x9f'), 'shift_jis-2004'),
    'C:\\~hanako 亜',
  )
})

test('vendors’ rows under a label of JIS X 0213, and rows of JIS X 0212 beside plane 2', () => {
  assert.equal(decodeCharset(Buffer.from([0x8f, 0xb0, 0xa1]), 'euc-jis-2004'), '丂')
  assert.equal(decodeCharset(Buffer.from([0x81, 0xe0]), 'shift_jis-2004'), '≒')
  assert.equal(decodeCharset(Buffer.from([0x87, 0x90]), 'shift_jis-2004'), '≒')
})

/** Of each cell of both planes what Python reads, a line each; where it has nothing, vendors’ rows may have something. */
const ASK = `
import sys
for plane in (1, 2):
    for row in range(1, 95):
        for cell in range(1, 95):
            esc = b'\\x1b$(Q' if plane == 1 else b'\\x1b$(P'
            octets = (esc + bytes([row + 0x20, cell + 0x20]) + b'\\x1b(B')
            try: octets.decode('iso2022_jp_2004')
            except UnicodeDecodeError: continue
            euc = (b'\\x8f' if plane == 2 else b'') + bytes([row + 0xa0, cell + 0xa0])
            text = euc.decode('euc_jis_2004')
            # Two signs that Python reads and does not write.
            sj = {'\\uff3c': '815f', '\\uff5e': '81b0'}.get(text) or text.encode('shift_jis_2004').hex()
            print(plane, row, cell, '.'.join('%x' % ord(c) for c in text), euc.hex(), sj)
`

test('every cell of both planes reads as Python reads it', (t) => {
  const asked = spawnSync('python3', ['-c', ASK], { encoding: 'utf8', maxBuffer: 2 ** 24 })
  if (asked.error !== undefined) return t.skip('needs python3')
  assert.equal(asked.status, 0, asked.stderr)
  const lines = asked.stdout.trimEnd().split('\n')
  for (const line of lines) {
    const [plane, row, cell, points, euc, shifted] = line.split(' ') as [
      ...[string, string, string, string, string, string],
    ]
    const text = String.fromCodePoint(...points.split('.').map((hex) => Number.parseInt(hex, 16)))
    assert.equal(x0213Character(plane === '1' ? 1 : 2, Number(row), Number(cell)), text, line)
    assert.equal(decodeCharset(Buffer.from(euc, 'hex'), 'euc-jis-2004'), text, line)
    assert.equal(decodeCharset(Buffer.from(shifted, 'hex'), 'shift_jis-2004'), text, line)
  }
  assert.equal(lines.length, 11_233)
})

test('any octets under any label of JIS X 0213 give text, whatever they are cut into', () => {
  const label = fc.constantFrom('iso-2022-jp-3', 'euc-jis-2004', 'shift_jis-2004')
  const escape = fc.constantFrom(...'\x1b$(O \x1b$(P \x1b$(Q \x1b(B'.split(' ')).map(fromLatin1)
  const piece = fc.oneof(fc.uint8Array({ maxLength: 20 }), escape)
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), label, (pieces, name) => {
      assert.equal(typeof decodeCharset(Buffer.concat(pieces), name), 'string')
    }),
    { numRuns: 2_000 },
  )
})
