import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, fromUtf8, toUtf8 } from '#base/octets.ts'
import { readLdif, writeLdif } from './ldif.ts'

const text = fc.string({ unit: 'binary', maxLength: 120 })
const type = fc.constantFrom('cn', 'mail', 'cn;lang-ja', 'jpegPhoto', 'uid')

test('entries that were written are read as they were, octet for octet (RFC 2849)', () => {
  const attributes = fc.uniqueArray(
    fc.record({
      type,
      values: fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 3 }),
    }),
    { selector: ({ type: name }) => name, maxLength: 4 },
  )
  fc.assert(
    fc.property(
      fc.array(fc.record({ dn: text.map((dn) => dn.toWellFormed()), attributes }), {
        maxLength: 4,
      }),
      (entries) => {
        const file = fromLatin1(`version: 1\n\n${entries.map(writeLdif).join('')}`)
        const read = [...readLdif(file)]
        assert.deepEqual(
          read.map((record) => ('entry' in record ? plain(record.entry) : record)),
          entries.map(plain),
        )
      },
    ),
  )
})

test('whatever a file holds, each record is an entry or says what is wrong with it', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        'dn: x\n',
        'dn:: 5rihw6g=\n',
        ' more\n',
        '\n',
        '# remark\n',
        'cn:< file:///etc/passwd\n',
        'changetype: delete\n',
        '\r\n',
        ':\n',
        'version: 1\n',
      ),
      text,
    ),
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      for (const record of readLdif(fromUtf8(parts.join(''))))
        assert.ok('entry' in record || record.error.length > 0)
    }),
  )
})

test('folds, remarks, a mark at the beginning, base64 and what is refused', () => {
  const file = `\ufeffversion: 1
dn: uid=hanako,
 ou=people
# a remark
 of two lines
cn:: 5bGx55Sw6Iqx5a2Q\r
mail: hanako@campus.example
Mail: h@campus.example

dn: uid=gone
changetype: delete

dn: uid=odd
jpegPhoto:< file:///etc/shadow

dn: uid=broken
nothing here
`
  const told = [...readLdif(fromUtf8(file))].map((record) =>
    'entry' in record
      ? [
          record.line,
          record.entry.dn,
          record.entry.attributes.map(({ type: name, values }) => [name, ...values.map(toUtf8)]),
        ]
      : [record.line, record.error],
  )
  assert.deepEqual(told, [
    [
      1,
      'uid=hanako,ou=people',
      [
        ['cn', '山田花子'],
        ['mail', 'hanako@campus.example', 'h@campus.example'],
      ],
    ],
    [10, 'a change (delete) is no entry'],
    [13, 'jpegPhoto lies at an address, which is not looked up'],
    [16, "'nothing here' is no attribute"],
  ])
})

function plain({
  dn,
  attributes,
}: {
  dn: string
  attributes: readonly { type: string; values: readonly Uint8Array[] }[]
}) {
  return {
    dn,
    attributes: attributes.map(({ type: name, values }) => ({
      type: name,
      values: values.map((value) => [...value]),
    })),
  }
}
