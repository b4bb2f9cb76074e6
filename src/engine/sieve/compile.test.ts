import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { compileSieve } from './compile.ts'
import { sieveContent } from './content.ts'
import { runSieve } from './run.ts'

function faults(script: string): string[] {
  const result = compileSieve(script)
  return result.ok ? [] : result.error.map(({ line, message }) => `${line}: ${message}`)
}

function actions(script: string) {
  const program = compileSieve(script)
  assert.ok(program.ok, JSON.stringify(program))
  const result = runSieve(program.value, {
    ...sieveContent(new Uint8Array(0), 0, undefined),
    envelopeFrom: null,
    envelopeTo: { localpart: 'hanako', domain: 'campus.example' },
    mailboxExists: () => true,
  })
  assert.ok(result.ok, JSON.stringify(result))
  return result.value.actions
}

describe('checking a Sieve script', () => {
  it('accepts the examples of RFC 5228 that need no other extension', () => {
    assert.deepEqual(
      faults(`require ["fileinto"];
        # comment
        if header :is "Sender" "owner-ietf-mta-filters@imc.org"
           { fileinto "filter"; }
        elsif anyof (not address :all :contains ["To", "Cc", "Bcc"] "me@example.com",
                     header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"])
           { fileinto "spam"; }
        else { fileinto "personal"; } /* end */`),
      [],
    )
  })

  it('reads multi-line texts with their doubled dots (RFC 5228 §2.4.2.1)', () => {
    assert.deepEqual(
      actions('require "reject";\nreject text: # 理由\n..一行\nこれは不要\n.\n;\n'),
      [{ kind: 'reject', reason: '.一行\r\nこれは不要\r\n' }],
    )
  })

  it('decodes encoded characters where they are required (RFC 5228 §2.4.2.4)', () => {
    const script = (name: string) =>
      `require ["fileinto"${name}]; fileinto "\${unicode: 4f1a 8b70}";`
    const filed = (mailbox: string) => [{ kind: 'fileinto', mailbox, create: false, flags: [] }]
    assert.deepEqual(actions(script(', "encoded-character"')), filed('会議'))
    assert.deepEqual(actions(script('')), filed('${unicode: 4f1a 8b70}'))
  })

  it('names the line and what is missing, and reports all faults', () => {
    assert.deepEqual(
      faults('keep;\nfileinto "x";\nrequire "copy";\nredirect "no address";\nbogus;'),
      [
        '2: fileinto needs: require "fileinto"',
        '3: require must stand before all other commands',
        '4: "no address" is not an address',
        '5: there is no command "bogus"',
      ],
    )
    assert.deepEqual(faults('require "vnd.none";'), [
      '1: the extension "vnd.none" is not supported',
    ])
    assert.deepEqual(faults('if true { keep;'), ['1: the block of if never ends'])
    assert.deepEqual(faults('else { keep; }'), ['1: else must follow if or elsif'])
    assert.deepEqual(faults('if header :is :contains "a" "b" { stop; }'), [
      '1: :is and :contains exclude one another',
    ])
    assert.deepEqual(faults('keep "x";'), ['1: keep has an argument too many'])
  })

  it('refuses NUL with its line (RFC 5228 §8.1), and stops at 100 faults', () => {
    assert.deepEqual(faults('keep;\n# 無\n\0'), ['3: there is a NUL in the script'])
    assert.equal(faults('if true { '.repeat(20) + 'x;'.repeat(10_000) + '}'.repeat(20)).length, 100)
  })

  it('bounds nesting', () => {
    assert.equal(faults(`${'if true {'.repeat(33)}${'}'.repeat(33)}`).length, 1)
    assert.deepEqual(faults(`${'if true {'.repeat(32)}${'}'.repeat(32)}`), [])
    assert.equal(faults(`if ${'not '.repeat(60)}true { stop; }`).length, 1)
    assert.equal(faults(`if ${'not ('.repeat(100_000)}`).length, 1)
  })

  it('is total: any text gives a program or errors', () => {
    const word = fc.constantFrom(
      'if',
      'elsif',
      'else',
      'keep',
      ';',
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      ',',
      ':is',
      ':count',
      '"a"',
      'text:\n',
      '.\n',
      '10K',
      'header',
      'not',
      'anyof',
      'require',
      '"fileinto"',
      '会議',
      '\\',
      '"',
      '#',
      '/*',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 40 }), (words) => {
        compileSieve(words.join(' '))
      }),
      { numRuns: 500, seed: 7 },
    )
  })
})
