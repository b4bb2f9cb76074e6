import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { readAliases, readIncluded } from './aliases.ts'
import { readPasswd } from './passwd.ts'

test('any text is lines that are accounts and aliases, or are not', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(':', ',', '"', '|', '/', ':include:', '#', '\n', ' ', '\\', 'x', '0', '渡り'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const file = fromUtf8(parts.join(''))
      for (const row of [...readPasswd(file), ...readAliases(file)])
        assert.ok(row.line > 0 && ('text' in row || row.name !== ''))
      readIncluded(file)
    }),
  )
})

test('aliases as they are written: continued, quoted, included, programs and files', () => {
  const file = `# a remark
postmaster: root
staff: hanako, taro,
  "花子 山田"@campus.example
"a list": :include:/etc/mail/list
dump:"|/usr/bin/vacation taro"
log: /var/mail/log, \\taro
what is this
`
  assert.deepEqual(readAliases(fromUtf8(file)), [
    { line: 2, name: 'postmaster', to: [{ kind: 'address', address: 'root' }] },
    {
      line: 3,
      name: 'staff',
      to: ['hanako', 'taro', '"花子 山田"@campus.example'].map((address) => ({
        kind: 'address',
        address,
      })),
    },
    { line: 5, name: 'a list', to: [{ kind: 'include', path: '/etc/mail/list' }] },
    { line: 6, name: 'dump', to: [{ kind: 'program', path: '/usr/bin/vacation taro' }] },
    {
      line: 7,
      name: 'log',
      to: [
        { kind: 'file', path: '/var/mail/log' },
        { kind: 'address', address: 'taro' },
      ],
    },
    { line: 8, text: 'what is this' },
  ])
})

test('accounts as passwd has them', () => {
  const file = `root:x:0:0:root:/root:/bin/bash
hanako:$6$salt$hash:1001:1001:山田 花子,室 3,0123:/home/hanako:/bin/sh
taro:*:1002:1002:& Yamada:/home/taro:/bin/sh
broken:x
`
  assert.deepEqual(readPasswd(fromUtf8(file)), [
    { line: 1, name: 'root', password: 'x', uid: 0, fullName: 'root' },
    { line: 2, name: 'hanako', password: '$6$salt$hash', uid: 1001, fullName: '山田 花子' },
    { line: 3, name: 'taro', password: '*', uid: 1002, fullName: 'Taro Yamada' },
    { line: 4, text: 'broken:x' },
  ])
})
