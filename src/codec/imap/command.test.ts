import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { parseAppendHead } from './append-head.ts'
import { parseCommand } from './command.ts'
import type { Command } from './command.ts'
import { STAR } from './sequence-set.ts'

const octets = (text: string): string => toLatin1(fromUtf8(text))

function command(text: string): Command {
  const parsed = parseCommand(octets(text))
  assert.ok(parsed.ok, `${text}: ${parsed.ok ? '' : parsed.error.text}`)
  return parsed.value.command
}

const refused = (text: string): string => {
  const parsed = parseCommand(octets(text))
  assert.ok(!parsed.ok, text)
  return parsed.error.text
}

test('LOGIN takes atoms, quoted strings and literals, 8-bit included (RFC 9051 §6.2.3)', () => {
  assert.deepEqual(command('a LOGIN hanako pa&s]s'), {
    name: 'LOGIN',
    login: 'hanako',
    password: 'pa&s]s',
  })
  assert.deepEqual(command(String.raw`a login "hanako" "a\"b\\ かな"`), {
    name: 'LOGIN',
    login: 'hanako',
    password: octets('a"b\\ かな'),
  })
  assert.deepEqual(command('a LOGIN {6}\r\nhanako {11+}\r\n 渡り " ('), {
    name: 'LOGIN',
    login: 'hanako',
    password: octets(' 渡り " ('),
  })
  assert.deepEqual(command('a LOGIN ~x ""'), { name: 'LOGIN', login: '~x', password: '' })
  assert.match(refused('a LOGIN hanako'), /space/)
  assert.match(refused('a LOGIN hanako "open'), /string/)
  assert.match(refused('a LOGIN {9}\r\nshort'), /cut short/)
})

test('a fault names the tag that it answers', () => {
  const parsed = parseCommand('a1 NONSENSE x')
  assert.ok(!parsed.ok)
  assert.deepEqual(parsed.error, { tag: 'a1', text: 'Unknown command' })
  const nameless = parseCommand('+ NOOP')
  assert.ok(!nameless.ok && nameless.error.tag === undefined)
})

test('FETCH reads macros, sections and partials (RFC 9051 §6.4.5)', () => {
  const fetch = command(
    'a UID FETCH 1:3,5:* (FLAGS body.peek[1.2.header.fields ("To" X-渡り)]<0.100> BODY[] RFC822.TEXT BODY[3.MIME])',
  )
  assert.ok(fetch.name === 'FETCH' && fetch.uid)
  assert.deepEqual(fetch.set, [
    [1, 3],
    [5, STAR],
  ])
  assert.deepEqual(
    fetch.items.map((item) => (item.kind === 'section' ? [item.label, item.peek] : item.kind)),
    [
      'flags',
      [
        `BODY[1.2.HEADER.FIELDS (To {${Buffer.byteLength('X-渡り')}}\r\n${octets('X-渡り')})]<0>`,
        true,
      ],
      ['BODY[]', false],
      ['RFC822.TEXT', false],
      ['BODY[3.MIME]', false],
    ],
  )
  const full = command('a FETCH * FULL')
  assert.ok(full.name === 'FETCH')
  assert.deepEqual(
    full.items.map((item) => item.kind),
    ['flags', 'internalDate', 'size', 'envelope', 'body'],
  )
  const since = command('a FETCH 1 (FLAGS) (CHANGEDSINCE 1099511627777)')
  assert.ok(since.name === 'FETCH' && since.changedSince === 1_099_511_627_777n)
  for (const bad of [
    '0 FLAGS',
    '1 BODY[MIME]',
    '1 BODY[0]',
    '1 ()',
    '1 BODY[]<0.0>',
    '1 X',
    '$,1 FLAGS',
  ])
    refused(`a FETCH ${bad}`)
})

test('STORE reads its mode, flags and UNCHANGEDSINCE (RFC 7162 §3.1.3)', () => {
  assert.deepEqual(command('a STORE 1 (UNCHANGEDSINCE 7) -FLAGS.SILENT (\\seen $Junk \\Recent)'), {
    name: 'STORE',
    uid: false,
    set: [[1, 1]],
    mode: 'remove',
    silent: true,
    flags: { bits: 1, keywords: ['$Junk'] },
    unchangedSince: 7n,
  })
  const bare = command('a STORE 1 FLAGS \\Deleted \\Flagged')
  assert.ok(bare.name === 'STORE' && bare.flags.bits === 12)
  refused('a STORE 1 FLAGS (\\Nonsense)')
})

test('SEARCH reads keys, nesting and return options (RFC 9051 §6.4.4)', () => {
  assert.deepEqual(
    command(
      'a SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (FROM 花子 UNSEEN) NOT 1:2 SINCE 1-Feb-2026',
    ),
    {
      name: 'SEARCH',
      uid: false,
      results: ['min', 'count'],
      charset: 'UTF-8',
      key: {
        kind: 'and',
        keys: [
          {
            kind: 'or',
            keys: [
              {
                kind: 'and',
                keys: [
                  { kind: 'address', field: 'from', text: octets('花子') },
                  { kind: 'flag', bit: 1, on: false },
                ],
              },
              { kind: 'not', key: { kind: 'sequence', set: [[1, 2]] } },
            ],
          },
          { kind: 'internalDay', relation: 'since', dayMs: Date.UTC(2026, 1, 1) },
        ],
      },
    },
  )
  assert.match(refused(`a SEARCH ${'('.repeat(60)}ALL${')'.repeat(60)}`), /too deep/)
  assert.match(refused(`a SEARCH ${'NOT '.repeat(60)}ALL`), /too deep/)
  refused('a SEARCH ()')
  refused('a SEARCH CHARSET')
})

test('LIST reads selection and return options (RFC 5258 §6, RFC 5819 §4)', () => {
  const list = command(
    'a LIST (SPECIAL-USE) "" ("%" 受信*) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))',
  )
  assert.ok(list.name === 'LIST')
  assert.deepEqual(list.patterns, ['%', octets('受信*')])
  assert.deepEqual(list.returns.status, ['MESSAGES', 'UNSEEN'])
  assert.ok(list.select.specialUse && list.returns.children && list.extended)
  refused('a LIST (RECURSIVEMATCH) "" *')
  const plain = command('a LIST "" Junk/%')
  assert.ok(plain.name === 'LIST' && !plain.extended)
  const created = command('a CREATE Old (USE (\\archive))')
  assert.ok(created.name === 'CREATE' && created.use === 'archive')
  const other = command('a CREATE Old (USE (\\Flagged))')
  assert.ok(other.name === 'CREATE' && other.use === 'other')
})

test("APPEND's message is told from the literal of its mailbox name", () => {
  assert.equal(parseAppendHead('a APPEND {5}'), undefined)
  assert.equal(parseAppendHead('a LOGIN x {5}'), undefined)
  const head = parseAppendHead('a APPEND {5}\r\nINBOX (\\Seen) " 1-Nov-2026 08:00:00 +0900" {100+}')
  assert.ok(head?.ok)
  assert.deepEqual(head.value.command, {
    mailbox: 'INBOX',
    flags: { bits: 1, keywords: [] },
    internalDateMs: Date.UTC(2026, 9, 31, 23),
  })
  const bad = parseAppendHead('a APPEND INBOX nonsense {5}')
  assert.ok(bad !== undefined && !bad.ok)
})
