import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compileSieve } from './compile.ts'
import { fromZimbra } from './from-zimbra.ts'
import { runSieve } from './run.ts'
import type { SieveMessage } from './message.ts'

const message = (subject: string): SieveMessage => ({
  sizeBytes: 100,
  spamValue: 1,
  header: (name) => (name === 'subject' ? [subject] : []),
  addresses: () => [],
  envelopeFrom: { localpart: 'taro', domain: 'b.example' },
  envelopeTo: { localpart: 'hanako', domain: 'campus.example' },
  mailboxExists: () => true,
  nowMs: Date.parse('2026-11-28T00:00:00Z'),
})

function filed(text: string, subject: string): readonly string[] {
  const program = compileSieve(text)
  assert.ok(program.ok, `${JSON.stringify(program)}\n${text}`)
  const run = runSieve(program.value, message(subject))
  assert.ok(run.ok)
  const { actions, implicitKeep, flags } = run.value
  return [
    ...actions.map((each) =>
      each.kind === 'fileinto' ? [each.mailbox, ...each.flags].join(' ') : each.kind,
    ),
    ...(implicitKeep ? [['INBOX', ...flags].join(' ')] : []),
  ]
}

const FILTERS = `require ["fileinto", "reject", "tag", "flag", "log"];

# 会議
if anyof (header :contains ["subject"] "会議") {
    fileinto "/仕事/会議";
    tag "meeting";
    flag "flagged";
    stop;
}

# 古い規則
disabled_if anyof (header :contains ["subject"] "旧") {
    fileinto "old";
}

# 重要
if anyof (header :contains ["subject"] "至急", header :is :comparator "i;octet" ["subject"] "Now") {
    tag "至急";
    flag "read";
}
`

describe('a script of Zimbra', () => {
  it('files, marks and stays off as it did', () => {
    const { text, mayFilter, notes } = fromZimbra(FILTERS)
    assert.ok(mayFilter)
    assert.deepEqual(filed(text, '会議のお知らせ'), ['/仕事/会議 meeting \\Flagged'])
    assert.deepEqual(filed(text, '旧い話'), ['INBOX'])
    assert.deepEqual(filed(text, '至急'), ['INBOX \\Seen'])
    assert.deepEqual(filed(text, 'Now'), ['INBOX \\Seen'])
    assert.deepEqual(notes, [
      "the rule '重要' marks with 至急, which no mail can be marked with here",
    ])
    assert.match(text, /^require \["fileinto", "reject", "imap4flags"\];\n# 会議\n/)
    assert.match(text, /^# 古い規則$/m)
  })

  it('keeps a rule that only Zimbra can run as a comment, and the others go on', () => {
    const script = `require ["fileinto"];
# 知人
if addressbook :in "from" "contacts" {
  fileinto "知人";
  stop;
}
# 課
if header :contains "subject" "課" { fileinto "課"; }
`
    const { text, mayFilter, notes } = fromZimbra(script)
    assert.ok(mayFilter)
    assert.deepEqual(filed(text, '課の予定'), ['課'])
    assert.match(text, /^# Left out: .*addressbook.*\n# if addressbook :in "from" "contacts" \{$/m)
    assert.match(
      notes.join(),
      /^the rule '知人' is left out, and stays as a comment: .*addressbook/,
    )
  })

  it('filters nothing where mail could be lost that a rule which is left out kept', () => {
    const script = `# 知人
if addressbook :in "from" "contacts" { keep; stop; }
if header :contains "subject" "課" { discard; }
`
    const { text, mayFilter, notes } = fromZimbra(script)
    assert.equal(mayFilter, false)
    assert.ok(compileSieve(text).ok)
    assert.match(notes[1]!, /kept switched off.*1 rule that is left out/)
    // Before it nothing can be lost that was not lost before.
    const other = fromZimbra(script.split('\n').toSpliced(1, 1).join('\n'))
    assert.equal(other.mayFilter, true)
  })

  it('asks for what it says without asking, and never makes variables of text', () => {
    const { text } = fromZimbra(`if header :is "subject" "\${x}" { fileinto :copy "a"; }`)
    assert.match(text, /^require \["fileinto", "copy"\];\n/)
    assert.deepEqual(filed(text, '${x}'), ['a', 'INBOX'])
  })

  it('leaves what is no Sieve as it is, and never fails', () => {
    for (const text of ['', 'if', 'fileinto "x', '"a"', '}{', '/* x'])
      assert.deepEqual(fromZimbra(text), { text, mayFilter: true, notes: [] })
    const words = 'if disabled_if tag flag "x" "会" { } ( ) [ ] ; , keep discard # \n true'.split(
      ' ',
    )
    const some = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((all) => all.join(' '))
    fc.assert(
      fc.property(some, (script) => {
        const { text, notes } = fromZimbra(script)
        // What compiled before goes on, and what is translated compiles.
        if (compileSieve(script).ok || notes.length > 0) assert.ok(compileSieve(text).ok, text)
      }),
    )
  })
})
