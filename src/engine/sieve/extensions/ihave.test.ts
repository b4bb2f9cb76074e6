import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'
import { runSieve } from '#engine/sieve/run.ts'
import { EMPTY_MAIL } from '#test/fake/sieve-mail.ts'

function outcome(script: string) {
  const program = compileSieve(script)
  if (!program.ok) return program.error
  const run = runSieve(program.value, EMPTY_MAIL)
  return run.ok ? run.value.actions.map(({ kind }) => kind) : run.error
}

describe('ihave and error (RFC 5463)', () => {
  it('makes what is not known a matter of the run', () => {
    const script = 'require "ihave";\nif ihave "vnd.none" { none :tag "x"; } else { keep; }'
    assert.deepEqual(outcome(script), ['keep'])
    assert.deepEqual(outcome('require "ihave";\nnone;'), {
      line: 2,
      message: 'there is no command "none"',
    })
    assert.deepEqual(outcome('require "ihave";\nif none {}\n'), {
      line: 2,
      message: 'there is no test "none"',
    })
    assert.deepEqual(outcome('none;'), [{ line: 1, message: 'there is no command "none"' }])
    assert.deepEqual(outcome('require "ihave"; if ihave "vnd.none" { none "x" } keep;'), [
      { line: 1, message: 'none must end with ; or a block' },
    ])
  })

  it('gives what is there as if it were required', () => {
    const script = 'require "ihave"; if ihave ["fileinto", "copy"] { fileinto :copy "複写"; }'
    assert.deepEqual(outcome(script), ['fileinto'])
    assert.deepEqual(
      outcome(
        'require "ihave"; if allof (ihave "envelope", envelope "to" "hanako@campus.example") { discard; }',
      ),
      ['discard'],
    )
  })

  it('does not give what changes how a script is read, and asks for constants only (§4)', () => {
    for (const name of ['variables', 'encoded-character', 'vnd.none'])
      assert.deepEqual(outcome(`require "ihave"; if ihave ["${name}", "copy"] { discard; }`), [])
    const script = 'require ["ihave", "variables"]; set "a" "copy"; if ihave "${a}" { discard; }'
    assert.deepEqual(outcome(script), [
      { line: 1, message: 'names of extensions cannot hold a variable' },
    ])
  })

  it('ends a run with a message of the script’s', () => {
    assert.deepEqual(outcome('require "ihave";\nkeep;\nerror "だめ";'), {
      line: 3,
      message: 'だめ',
    })
  })
})
