import assert from 'node:assert/strict'
import { test } from 'node:test'
import iconv from 'iconv-lite'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { BodySearch } from './search-body.ts'
import { foldText } from '#codec/mime/fold-text.ts'

/** Each run of Japanese between its escapes (RFC 1468). */
const jis = (text: string): Buffer =>
  Buffer.concat(
    (text.match(/[\u0000-\u007f]+|[^\u0000-\u007f]+/g) ?? []).map((run) =>
      /^[\u0000-\u007f]/.test(run)
        ? Buffer.from(run)
        : Buffer.concat([
            Buffer.from('\x1b$B'),
            iconv.encode(run, 'euc-jp').map((octet) => octet & 0x7f),
            Buffer.from('\x1b(B'),
          ]),
    ),
  )

const CHARSETS: Readonly<Record<string, (text: string) => Buffer>> = {
  'utf-8': (text) => Buffer.from(text),
  'iso-2022-jp': jis,
  shift_jis: (text) => iconv.encode(text, 'shift_jis'),
  'euc-jp': (text) => iconv.encode(text, 'euc-jp'),
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
}

const ENCODINGS: Readonly<Record<string, (octets: Buffer) => Buffer>> = {
  '8bit': (octets) => octets,
  base64: (octets) => Buffer.from(octets.toString('base64').replace(/.{76}/g, '$&\r\n')),
}

interface Body {
  readonly charset: string
  readonly encoding: string
  readonly subtype?: string
  readonly octets: Octets
}

/** Those of the texts that are found, the octets coming in pieces. */
function found({ charset, encoding, subtype = 'plain', octets }: Body, texts: string[]): string[] {
  const hits = new Set<string>()
  const params = [['charset', charset]] as const
  const search = new BodySearch({ subtype, params, encoding }, texts.map(foldText), hits)
  for (let at = 0; at < octets.length && !search.isDone; at += 512)
    search.push(octets.subarray(at, at + 512))
  search.end()
  return texts.filter((text) => hits.has(foldText(text)))
}

const WORD = '観察記録ＡＢＣ'

test('a word is found wherever windows end, in every charset and encoding', () => {
  for (const [charset, encode] of Object.entries(CHARSETS))
    for (const [encoding, transfer] of Object.entries(ENCODINGS))
      for (const filler of ['渡り鳥が海を渡る。\r\n', 'ワタリ<br>ドリ'])
        for (let shift = 0; shift < 40; shift++) {
          // The word crosses the end of the first window, or lies near it: pieces of 512 octets fill it.
          const count = Math.floor(65_800 / encode(filler).length) - 20 + shift
          const text = filler.repeat(count) + WORD + filler.repeat(400)
          const octets = transfer(encode(text))
          assert.deepEqual(
            found({ charset, encoding, octets }, [WORD, '無い言葉']),
            [WORD],
            `${charset} ${encoding} ${filler} ${shift}`,
          )
        }
})

test('a word is found across line ends and tags where windows end', () => {
  const filler = '<p>渡り鳥が海を渡る。</p>\r\n'
  for (let shift = -5; shift < 20; shift++) {
    const count = Math.floor(65_536 / Buffer.byteLength(filler)) + shift
    const html = `${filler.repeat(count)}会<b>議\r\n</b>資&#x6599;${filler.repeat(3_000)}`
    const body = { charset: 'utf-8', encoding: '8bit', subtype: 'html', octets: fromUtf8(html) }
    assert.deepEqual(found(body, ['会議資料', '海を渡る。', '<b>議']), [
      '会議資料',
      '海を渡る。',
      '<b>議',
    ])
  }
})

test('a long text is found as a whole', () => {
  const long = Array.from({ length: 9_000 }, (_, i) => `${i}渡り`).join('')
  const octets = fromUtf8(`${'x'.repeat(60_000)}${long}\r\n${'日記\r\n'.repeat(30_000)}`)
  assert.deepEqual(found({ charset: 'utf-8', encoding: '8bit', octets }, [long]), [long])
})
