import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { EMPTY_MAIL, filedBy, holds, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'
import { VALUE_CHARACTERS_MAX, VARIABLES_MAX } from '#engine/sieve/variables.ts'

const told = (before: string, text: string): string | undefined =>
  filedBy(`${before} fileinto "<${text}>";`)

describe('variables (RFC 5229)', () => {
  it('are put into strings; what is no reference stays, and one never set is empty (§3)', () => {
    const set = 'set "名" "x"; set "b" "渡り";'
    assert.match(wrongIn(set)!, /"名" is no name of a variable/)
    const before = 'set "B" "渡り"; set "company" "ACME";'
    assert.equal(told(before, '${b}'), '<渡り>')
    assert.equal(told(before, '&%${}!'), '<&%${}!>')
    assert.equal(told(before, '${doh!}'), '<${doh!}>')
    assert.equal(told(before, '${President, ${Company} Inc.}'), '<${President, ACME Inc.}>')
    assert.equal(told(before, '${unset}$${b}${'), '<$渡り${>')
    assert.equal(told(before, '${1}'), '<>')
  })

  it('come after encoded characters (§3)', () => {
    assert.equal(told('set "a" "x";', '$${hex:7b}a}'), '<x>')
    assert.equal(told('set "a" "x";', '${hex:24}{a}'), '<x>')
  })

  it('refuse unknown namespaces, large match numbers and long names when the script is checked', () => {
    assert.match(wrongIn('keep :flags "${foo.bar}";')!, /^2: there is no namespace/)
    assert.match(wrongIn('redirect "${99}";')!, /^2: a match has no more than/)
    assert.match(wrongIn(`set "${'a'.repeat(65)}" "x";`)!, /longer than 64/)
    assert.match(wrongIn('set "0" "x";')!, /no name of a variable/)
    assert.match(wrongIn('set "${a}" "x";')!, /cannot hold a variable/)
  })

  it('are changed by modifiers in the order of their ranks (§4.1)', () => {
    const changed = (modifiers: string, value: string): string | undefined =>
      told(`set "a" "juMBlEd lETteRS"; set ${modifiers} "b" "${value}";`, '${b}')
    assert.equal(changed(':length', '${a}'), '<15>')
    assert.equal(changed(':lower', '${a}'), '<jumbled letters>')
    assert.equal(changed(':upperfirst', '${a}'), '<JuMBlEd lETteRS>')
    assert.equal(changed(':upperfirst :lower', '${a}'), '<Jumbled letters>')
    assert.equal(changed(':quotewildcard', 'Rock*?'), '<Rock\\*\\?>')
    assert.equal(changed(':quotewildcard :length', '*渡'), '<3>')
    assert.equal(changed(':length', '𠮷野'), '<2>')
    assert.equal(changed(':quoteregex', 'a.b(c)'), '<a\\.b\\(c\\)>')
    assert.match(wrongIn('set :lower :upper "a" "b";')!, /exclude one another/)
  })

  it('take what wildcards stood for, the least for each star (§3.2)', () => {
    const mail = sieveMail(
      'Subject: [acme-users] [fwd] version 1.0 is out\nList-Id: <dev@lists.example>\n\n',
    )
    const after = (test: string, text: string) =>
      filedBy(`if ${test} { fileinto "${text}"; }`, mail)
    assert.equal(
      after('header :matches "Subject" "[*] *"', '${1}|${2}'),
      'acme-users|[fwd] version 1.0 is out',
    )
    assert.equal(after('header :matches "List-ID" "<*@*"', '${0}|${1}'), '<dev@lists.example>|dev')
    const glob = (value: string, pattern: string, text: string) =>
      filedBy(`if string :matches "${value}" "${pattern}" { fileinto "${text}"; }`)
    assert.equal(glob('foo bar', 'f?o *', '${1}${2}'), 'obar')
    assert.equal(glob('aXbXc', '*X*', '${1}|${2}'), 'a|bXc')
    assert.equal(glob('会議の資料', '??の*', '${1}|${2}|${3}'), '会|議|資料')
    assert.equal(glob('𠮷野家', '?*家', '${1}|${2}'), '𠮷|野')
    assert.equal(glob('abcabc', '*abc', '${1}'), 'abc')
    assert.equal(glob('a*b', 'a\\\\*b', '${0}'), 'a*b')
    assert.equal(glob('abc', 'a*c*c', 'x'), undefined)
  })

  it('keep what the last match that was met has set', () => {
    const script = `if string :matches "ab" "?b" {}
      if string :matches "cd" "x*" {}
      if string :matches ["no", "yes", "yeah"] "y*" {} fileinto "\${0}\${1}";`
    assert.equal(filedBy(script), 'yeses')
    assert.equal(filedBy('if string :is "a" "a" {} fileinto "<${0}>";'), '<>')
  })

  it('count strings that are not empty (§5), and are read at each run', () => {
    assert.ok(holds('string :count "eq" ["a", "", "${unset}", "b"] "2"'))
    assert.ok(holds('header :is "subject" "${s}"', EMPTY_MAIL, 'set "s" "会議";'))
    assert.match(wrongIn('set "a" "x y"; redirect "${a}";')!, /^run 2: "x y" is not an address/)
    assert.match(
      wrongIn('set "a" "";\nfileinto "${a}";')!,
      /^run 3: the name of a mailbox is empty/,
    )
  })

  it('have limits: values are cut at a character, their number and growth end the run (§6)', () => {
    const doubled = 'set "a" "渡𠮷渡𠮷渡𠮷渡𠮷"; '
    const script = doubled + 'set "a" "${a}${a}";'.repeat(12) + 'set :length "n" "${a}";'
    const length = Number(filedBy(`${script} fileinto "\${n}";`))
    assert.equal(length, Math.ceil((VALUE_CHARACTERS_MAX * 2) / 3))
    const many = Array.from({ length: VARIABLES_MAX + 1 }, (_, i) => `set "v${i}" "x";`)
    assert.match(wrongIn(many.join('\n'))!, /^258: there are more than 256 variables/)
    const shared = many.map((set) => set.replace('"v', '"global.v'))
    assert.match(wrongIn(shared.join('\n'))!, /^run 258: there are more than 256 variables/)
    assert.equal(wrongIn(many.slice(1).join('\n')), undefined)
    const stars = `set "a" "*"; ${'set "a" "${a}${a}"; '.repeat(13)} set "a" "0\${a}";`
    const quoted = filedBy(`${stars} set :quotewildcard "a" "\${a}"; fileinto "\${a}";`)!
    assert.equal(quoted.length, VALUE_CHARACTERS_MAX - 1)
    assert.ok(quoted.endsWith('\\*')) // no quote of nothing
    const grows = `${script} fileinto "${'${a}'.repeat(100)}";`
    assert.match(wrongIn(grows)!, /^run 2: a string grows beyond/)
  })
})
