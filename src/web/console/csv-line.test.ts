import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { csvLine } from './csv-line.ts'
import { networksOf } from './networks-of.ts'

describe('files of a table', () => {
  test('are CSV as RFC 4180 §2 has it', () => {
    assert.equal(csvLine(['a', '', '渡り']), 'a,,渡り\r\n')
    assert.equal(
      csvLine(['a,b', 'say "渡り"', 'two\nlines']),
      '"a,b","say ""渡り""","two\nlines"\r\n',
    )
  })

  test('bring no formula of a stranger into a spreadsheet', () => {
    assert.equal(
      csvLine(['=1+1@evil.example', '+81', '-1', '@x', '\t=1']),
      "'=1+1@evil.example,'+81,'-1,'@x,'\t=1\r\n",
    )
    assert.equal(
      csvLine(['=HYPERLINK("http://evil.example","渡り")']),
      `"'=HYPERLINK(""http://evil.example"",""渡り"")"\r\n`,
    )
  })

  test('of networks are read as people write them', () => {
    assert.deepEqual(
      networksOf(
        '\uFEFFネットワーク,場所\r\n192.0.2.0/24\r\n"198.51.100.7"\n\n2001:db8::/32 # 東京\n',
      ),
      ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32'],
    )
    assert.deepEqual(networksOf('10.0.0.1, 10.0.0.2;10.0.0.3'), [
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
    ])
    // What is no network is sent all the same: control refuses it, and says which it is.
    assert.deepEqual(networksOf('10.0.0.1\n渡り\n'), ['10.0.0.1', '渡り'])
    assert.deepEqual(networksOf('# nothing\n'), [])
  })
})
