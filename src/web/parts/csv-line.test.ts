import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { csvLine } from './csv-line.ts'

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
})
