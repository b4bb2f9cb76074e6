import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { filedBy, holds, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'

const meets = (value: string, pattern: string): boolean =>
  holds(`string :regex "${value}" "${pattern.replaceAll('\\', '\\\\')}"`)

describe(':regex (draft-ietf-sieve-regex)', () => {
  it('reads extended regular expressions of POSIX', () => {
    for (const [value, pattern] of [
      ['abc', 'b'],
      ['abc', '^abc$'],
      ['ABC', 'abc'],
      ['aaa', '^a{3}$'],
      ['ab12', '^[[:alpha:]]+[0-9]{1,2}$'],
      ['a]b', '[]]b'],
      ['a-b', 'a[x-]b'],
      ['会議室', '^会(議|社).$'],
      ['𠮷', '^.$'],
      ['x{', 'x{'],
      ['', '^$'],
      ['a.b', 'a\\.b'],
      ['foo bar', '\\w+\\s\\w+'],
      ['xaby', 'x(a|ab)(c|by)'],
    ] as const)
      assert.ok(meets(value, pattern), `${value} ${pattern}`)
    for (const [value, pattern] of [
      ['abc', '^b'],
      ['aa', '^a{3}'],
      ['会社', '会議'],
      ['axb', 'a\\.b'],
      ['b', '[^a-c]'],
    ] as const)
      assert.ok(!meets(value, pattern), `${value} ${pattern}`)
    assert.ok(!holds('string :regex :comparator "i;octet" "ABC" "abc"'))
    assert.ok(holds('string :regex :comparator "i;unicode-casemap" "ÀÉ" "^àé$"'))
  })

  it('sets what groups stood for: leftmost and longest', () => {
    const mail = sieveMail('Subject: Re: Re: [dev 12] 渡り鳥\n\n')
    const after = (pattern: string, text: string) =>
      filedBy(`if header :regex "subject" "${pattern}" { fileinto "${text}"; }`, mail)
    assert.equal(after('\\\\[([a-z]+) ([0-9]+)\\\\] (.*)$', '${1}-${2}-${3}'), 'dev-12-渡り鳥')
    assert.equal(after('(Re: |x)*', '${0}'), 'Re: Re: ')
    assert.equal(after('R|Re|Re:', '${0}'), 'Re:')
    assert.equal(after('(z)?dev', '<${1}>'), '<>')
  })

  it('tells what is wrong with a pattern: at once, or at the run where a variable makes it', () => {
    for (const [pattern, wrong] of [
      ['(', /a \( has no \)/],
      ['a)', /a \) has no \(/],
      ['[a', /a \[ has no \]/],
      ['*a', /a \* repeats nothing/],
      ['a{2,1}', /count/],
      ['(a)\\\\1', /references back/],
      ['[z-a]', /range/],
      ['[[:nosuch:]]', /class/],
    ] as const)
      assert.match(wrongIn(`if string :regex "a" "${pattern}" {}`)!, wrong)
    assert.match(wrongIn('set "p" "(";\nif string :regex "a" "${p}" {}')!, /^run 3: the regular/)
  })

  it('takes a time that text and pattern bound, whatever is nested or counted', () => {
    const long = sieveMail(`Subject: ${'a'.repeat(5_000)}!\n\n`)
    for (const pattern of ['(a*)*$', '(a|a)*b', '(a|aa)+$', '((a+)+)+b', '(.*)(.*)(.*)(.*)b'])
      wrongIn(`if header :regex "subject" "${pattern}" {}`, long)
    for (const bomb of [
      '((a{255}){255}){255}',
      'a{0}{255}{255}{255}',
      'a{1}'.repeat(3_000),
      '('.repeat(5_000),
      'a{0}{255}'.repeat(500),
    ])
      wrongIn(`if string :regex "a" "${bomb}" {}`)
    assert.match(
      wrongIn('if header :regex "subject" "((a|b)*(c|a)*)*z" {}\n'.repeat(2_000), long)!,
      /too many steps/,
    )
  })
})
