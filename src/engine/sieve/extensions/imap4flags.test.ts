import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'
import { doneBy, filedBy, holds } from '#test/fake/sieve-mail.ts'

describe('imap4flags with variables (RFC 5232 §2)', () => {
  it('keeps flags in a variable, each once, apart from the internal one', () => {
    const script = 'setflag "v" ["a b", "A"]; addflag "v" "c"; removeflag "v" "b"; addflag "x";'
    assert.equal(filedBy(`${script} fileinto "\${v}";`), 'a c')
    assert.deepEqual(doneBy(script).flags, ['x'])
    assert.ok(holds('hasflag ["v", "w"] "c"', undefined, script))
    assert.ok(holds('hasflag :count "eq" ["v", "w"] "2"', undefined, script))
    assert.ok(!holds('hasflag "v" "x"', undefined, script))
    assert.deepEqual(doneBy(`${script} keep :flags "\${v}";`).actions, [
      { kind: 'keep', flags: ['a', 'c'] },
    ])
  })

  it('needs variables for that', () => {
    const compiled = compileSieve('require "imap4flags"; setflag "v" "a";')
    assert.ok(!compiled.ok && compiled.error[0]!.message === 'setflag needs: require "variables"')
  })
})
