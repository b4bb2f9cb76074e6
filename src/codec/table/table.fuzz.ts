import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { readTable, writeTable } from './table.ts'

const cell = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\r', '')),
  fc.constantFrom(
    '=1+1',
    '@cmd',
    '+81',
    '-x',
    "'=1+1",
    "''-x",
    "'",
    '"',
    'a,b',
    'a;b',
    'a\tb',
    '山田 花子',
    ' x ',
    'a\nb',
  ),
)

test('a table that was written is read as it was, and no cell of it is a formula', () => {
  const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(rows, (body) => {
      const table = [['user', 'name', 'address', 'more'], ...body]
      const file = writeTable(table)
      assert.doesNotMatch(Buffer.from(file).toString(), /(?:^|[,\n])"?[=+@-]/m)
      const kept = table.filter((row) => row.some((text) => text !== ''))
      assert.deepEqual(
        readTable(file).rows.map(({ cells }) => cells),
        kept,
      )
    }),
  )
})

test('any octets are some table', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      for (const { cells } of readTable(octets).rows) assert.ok(cells.length > 0)
    }),
  )
})

test('files of spreadsheets: marks, UTF-16, CP932, tabs, semicolons, lines within cells', () => {
  const expected = [
    ['ユーザー名', '氏名'],
    ['hanako', '髙田\n花子'],
    ['taro', '山﨑 "太郎"'],
  ]
  const text = 'ユーザー名,氏名\r\nhanako,"髙田\n花子"\r\n\r\ntaro,"山﨑 ""太郎"""\r\n'
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le')
  for (const [file, encoding] of [
    [fromUtf8(text), 'UTF-8'],
    [fromUtf8(`\ufeff${text}`), 'UTF-8'],
    [utf16, 'UTF-16'],
    [Buffer.from(utf16).swap16(), 'UTF-16'],
    [fromUtf8(text.replaceAll(',', '\t')), 'UTF-8'],
    [fromUtf8(text.replaceAll(',', ';')), 'UTF-8'],
  ] as const) {
    const table = readTable(file)
    assert.equal(table.encoding, encoding)
    assert.deepEqual(
      table.rows.map(({ cells }) => cells),
      expected,
    )
    assert.deepEqual(
      table.rows.map(({ line }) => line),
      [1, 2, 5],
    )
  }
  const sjis = Buffer.from([0x8e, 0x81, 0x96, 0xbc, 0x0a, 0xfb, 0xfc, 0x93, 0x63, 0x0a]) // 氏名, 髙田
  assert.deepEqual(readTable(sjis), {
    encoding: 'CP932',
    rows: [
      { line: 1, cells: ['氏名'] },
      { line: 2, cells: ['髙田'] },
    ],
  })
})
