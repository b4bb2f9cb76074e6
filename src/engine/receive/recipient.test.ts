import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRcpt } from '#codec/smtp/mail-command.ts'
import { formatAddress } from '#model/address.ts'
import type { Door } from '#model/envelope.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { resolveRecipient } from './recipient.ts'

const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example' } },
  { kind: 'domain', domain: { name: 'lab.campus.example', convertTo: 'campus.example' } },
  { kind: 'account', account: fakeAccount('hanako@campus.example') },
  {
    kind: 'alias',
    alias: { from: addr('partner@campus.example'), to: [addr('x@far.example')] },
  },
]

/** What becomes of `RCPT TO:` and this path: destinations, or the refusal. */
function resolved(path: string, door: Door): string {
  const operands = parseRcpt(`TO:${path}`)
  if (!operands.ok) return `syntax: ${operands.error.kind}`
  const { address } = operands.value
  if (address === 'postmaster') return 'postmaster'
  const result = resolveRecipient({ address }, door, fakeDirectory(ROWS))
  if (!result.ok) return `${result.error.code} ${result.error.status}`
  return result.value.map((target) => formatAddress(target.address)).join(' ')
}

test('the MX relays for nobody, however the address is dressed up', () => {
  for (const path of [
    '<someone@far.example>',
    '<@campus.example:someone@far.example>', // a source route is skipped (RFC 5321 appendix C)
    '<@campus.example,@lab.campus.example:someone@far.example>',
    '<someone@[192.0.2.1]>',
    '<someone@[IPv6:2001:db8::1]>',
    '<hanako@sub.campus.example>',
    '<hanako@campus.example.far.example>',
    '<hanako@xcampus.example>',
    '<"hanako@campus.example"@far.example>',
    'someone@far.example',
  ])
    assert.equal(resolved(path, 'mx'), '550 5.7.1', path)
  for (const path of [
    '<someone%far.example@campus.example>', // the percent hack of old
    '<someone%far.example%lab.campus.example@campus.example>',
    '<far.example!someone@campus.example>', // and the bang path
    '<"someone@far.example"@campus.example>',
    '<"someone%far.example"@lab.campus.example>',
    '<@far.example:nobody@campus.example>',
    '<"hanako@"@campus.example>',
  ])
    assert.equal(resolved(path, 'mx'), '550 5.1.1', path)
  for (const path of [
    '<someone@far.example@campus.example>',
    '<hanako@campus.example,someone@far.example>',
    '<hanako@campus.example someone@far.example>',
    '<hanako@campus.example\\>',
    '<someone@>',
  ])
    assert.match(resolved(path, 'mx'), /^(?:syntax: path|550 5\.(?:1\.1|7\.1))$/, path)
})

test('the same forms find whom they mean, where that is somebody here', () => {
  for (const [path, target] of [
    ['<hanako@campus.example>', 'hanako@campus.example'],
    ['<@far.example:hanako@campus.example>', 'hanako@campus.example'],
    ['<"hanako"@campus.example>', '"hanako"@campus.example'],
    ['<"hanako+a"@campus.example>', '"hanako+a"@campus.example'],
    ['<HANAKO@Lab.Campus.Example>', 'HANAKO@campus.example'],
    ['hanako@campus.example', 'hanako@campus.example'],
  ] as const)
    for (const door of ['mx', 'relay', 'submission'] as const)
      assert.equal(resolved(path, door), target, path)
  assert.equal(resolved('<partner@campus.example>', 'mx'), 'x@far.example', 'an alias of ours may')
})

test('relay and submission send elsewhere, but not to nobody here', () => {
  for (const door of ['relay', 'submission'] as const) {
    assert.equal(resolved('<someone@far.example>', door), 'someone@far.example')
    assert.equal(resolved('<a..b@docomo.example>', door), 'a..b@docomo.example')
    assert.equal(resolved('<"someone@far.example"@campus.example>', door), '550 5.1.1')
    assert.equal(resolved('<someone%far.example@campus.example>', door), '550 5.1.1')
  }
})
