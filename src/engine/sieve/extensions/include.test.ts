import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'
import type { SieveInclusion } from '#engine/sieve/language.ts'
import { doneBy, EMPTY_MAIL, filedBy, wrongIn } from '#test/fake/sieve-mail.ts'

const SCRIPTS: Readonly<Record<string, string>> = {
  'personal 共通': 'require "fileinto"; fileinto "共通";',
  'global 共通': 'require "fileinto"; fileinto "全員"; ',
  'personal ends': 'stop;',
  'personal returns': 'require ["include", "fileinto"]; return; fileinto "never";',
  'personal loop': 'require "include"; include "loop2";',
  'personal loop2': 'require "include"; include "loop";',
  'personal sets':
    'require ["include", "variables"]; global ["a"]; set "a" "${a}+"; set "own" "x"; set "global.b" "渡り";',
  'personal bad': 'bogus;',
  ...Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [
      `personal deep${i}`,
      `require "include"; include :optional "deep${i + 1}";`,
    ]),
  ),
}

const mail = {
  ...EMPTY_MAIL,
  scripts: ({ location, name }: SieveInclusion) => {
    const text = SCRIPTS[`${location} ${name}`]
    const compiled = text === undefined ? undefined : compileSieve(text)
    return compiled?.ok === true ? compiled.value : undefined
  },
}
const filed = (script: string) =>
  doneBy(script, mail).actions.flatMap((action) =>
    action.kind === 'fileinto' ? [action.mailbox] : [],
  )

describe('include (RFC 6609)', () => {
  it('runs personal and global scripts in place, once where that is asked', () => {
    assert.deepEqual(filed('include "共通"; fileinto "次";'), ['共通', '次'])
    assert.deepEqual(filed('include :global "共通";'), ['全員'])
    const twice = 'global "a"; include :once "sets"; include :once "sets"; fileinto "<${a}>";'
    assert.deepEqual(filed(twice), ['<+>'])
  })

  it('ends all by stop and one script by return', () => {
    assert.deepEqual(filed('include "ends"; fileinto "x";'), [])
    assert.deepEqual(filed('include "returns"; fileinto "x";'), ['x'])
    assert.deepEqual(filed('fileinto "x"; return; fileinto "y";'), ['x'])
  })

  it('keeps variables apart but those that are global', () => {
    const script = 'global "a"; set "a" "1"; set "own" "mine"; include "sets"; include "sets";'
    assert.deepEqual(filed(`${script} fileinto "\${a} \${own} \${global.b}";`), ['1++ mine 渡り'])
    assert.match(wrongIn('set "a" "x"; global "a";')!, /was set before/)
  })

  it('refuses what is not there, loops, depth and many', () => {
    assert.match(
      wrongIn('include "none";', mail)!,
      /^run 2: the personal script "none" is not there/,
    )
    assert.match(wrongIn('include "bad";', mail)!, /has errors/)
    assert.equal(wrongIn('include :optional "none";', mail), undefined)
    assert.match(wrongIn('include "loop";', mail)!, /includes itself/)
    assert.match(wrongIn('include "deep0";', mail)!, /deeper than 10/)
    const many = Array.from({ length: 51 }, (_, i) => `include :optional "s${i}";`).join('\n')
    assert.match(wrongIn(many, mail)!, /^52: it includes more than 50/)
    // RFC 5804 §1.6
    for (const name of ['a/b', '', 'a\u0007', 'a\u0085', 'a\u2028'])
      assert.match(wrongIn(`include "${name}";`)!, /no name of a script/)
  })

  it('says what a script may include, so that it can be fetched', () => {
    const program = compileSieve(
      'require "include"; include :optional "a"; if false { include :global "b"; include "a"; }',
    )
    assert.ok(program.ok)
    assert.deepEqual(program.value.includes, [
      { location: 'personal', name: 'a', isOptional: false },
      { location: 'global', name: 'b', isOptional: false },
    ])
    assert.equal(filedBy('include :optional "x"; fileinto "y";'), 'y')
  })
})
