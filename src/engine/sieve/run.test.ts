import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileSieve } from '#engine/sieve/compile.ts'

import type { SieveMessage } from './message.ts'
import { runSieve, SIEVE_REDIRECTS_MAX } from './run.ts'

const mail: SieveMessage = {
  sizeBytes: 2_000,
  header: (name) => ({ subject: ['会議のお知らせ [急]'], 'x-two': ['a', 'b'] })[name] ?? [],
  addresses: (name) =>
    name === 'from' ? [{ localpart: 'taro+ml', domain: 'campus.example' }] : [],
  envelopeFrom: { localpart: 'taro', domain: 'campus.example' },
  envelopeTo: { localpart: 'hanako+list', domain: 'campus.example' },
  mailboxExists: (name) => name === '会議',
  spamValue: 6,
}

function run(script: string, message = mail) {
  const program = compileSieve(script)
  assert.ok(program.ok, JSON.stringify(program))
  return runSieve(program.value, message)
}

function actions(script: string, message = mail) {
  const result = run(script, message)
  assert.ok(result.ok, JSON.stringify(result))
  return result.value
}

describe('a Sieve script', () => {
  it('keeps implicitly when it does nothing (RFC 5228 §2.10.2)', () => {
    assert.deepEqual(actions('if false { discard; }'), {
      actions: [],
      implicitKeep: true,
      flags: [],
    })
  })

  it('files by a decoded Japanese subject, and takes the first branch only', () => {
    const result = actions(`require ["fileinto", "mailbox"];
      if header :contains "subject" "会議" { fileinto :create "会議"; }
      elsif true { discard; } else { stop; }`)
    assert.deepEqual(result.actions, [
      { kind: 'fileinto', mailbox: '会議', create: true, flags: [] },
    ])
    assert.equal(result.implicitKeep, false)
  })

  it('matches with * and ?, where ? is one character and a backslash quotes (RFC 5228 §2.7.1)', () => {
    const holds = (pattern: string): boolean =>
      actions(`if header :matches "Subject" "${pattern}" { discard; }`).actions.length === 1
    assert.equal(holds('会議*[急]'), true)
    assert.equal(holds('??のお知らせ*'), true)
    assert.equal(holds('?のお知らせ*'), false)
    assert.equal(holds('*\\\\*'), false)
    assert.equal(holds('*'), true)
  })

  it('compares parts of addresses and of the envelope (RFC 5228 §5.1, §5.4, RFC 5233)', () => {
    const holds = (test: string): boolean =>
      actions(`require ["envelope", "subaddress"]; if ${test} { discard; }`).actions.length === 1
    assert.equal(holds('address :domain "From" "CAMPUS.example"'), true)
    assert.equal(holds('address :localpart "From" "taro"'), false)
    assert.equal(holds('address :user "From" "taro"'), true)
    assert.equal(holds('envelope :detail "to" "list"'), true)
    assert.equal(holds('envelope :comparator "i;octet" :domain "to" "Campus.example"'), false)
    const bounce = { ...mail, envelopeFrom: null }
    const script = 'require "envelope"; if envelope "from" "" { discard; }'
    assert.equal(actions(script, bounce).actions.length, 1)
  })

  it('counts and orders values (RFC 5231), and knows the spam value (RFC 5235)', () => {
    const holds = (test: string): boolean =>
      actions(`require ["relational", "comparator-i;ascii-numeric", "spamtest"];
        if ${test} { discard; }`).actions.length === 1
    assert.equal(holds('header :count "eq" "X-Two" "2"'), true)
    assert.equal(holds('spamtest :value "ge" :comparator "i;ascii-numeric" "5"'), true)
    assert.equal(holds('spamtest :value "ge" :comparator "i;ascii-numeric" "10"'), false)
  })

  it('is neither over nor under its exact size (RFC 5228 §5.9)', () => {
    assert.equal(actions('if size :over 2000 { discard; }').implicitKeep, true)
    assert.equal(actions('if size :under 2000 { discard; }').implicitKeep, true)
    assert.equal(actions('if size :over 1K { discard; }').implicitKeep, false)
  })

  it('keeps beside a copy (RFC 3894 §3) and sets flags (RFC 5232)', () => {
    const result = actions(
      `require ["copy", "imap4flags"];
      addflag "\\\\Flagged"; redirect :copy "a@b.example"; addflag "\\\\flagged 仕事";`.replace(
        '仕事',
        'work',
      ),
    )
    assert.deepEqual(result, {
      actions: [{ kind: 'redirect', address: { localpart: 'a', domain: 'b.example' } }],
      implicitKeep: true,
      flags: ['\\Flagged', 'work'],
    })
  })

  it('refuses reject beside another action (RFC 5429 §2.4)', () => {
    const result = run('require "reject"; keep; reject "いりません";')
    assert.equal(result.ok, false)
  })

  it('stops at its limit of redirects', () => {
    const lines = Array.from(
      { length: SIEVE_REDIRECTS_MAX + 1 },
      (_, i) => `redirect "a${i}@b.example";`,
    )
    assert.equal(run(lines.join('\n')).ok, false)
    assert.equal(run(lines.slice(1).join('\n')).ok, true)
  })

  it('needs a time that grows with text and pattern only', () => {
    const message = { ...mail, header: () => ['a'.repeat(20_000)] }
    const pattern = `${'*a'.repeat(200)}b`
    assert.equal(
      actions(`if header :matches "x" "${pattern}" { discard; }`, message).implicitKeep,
      true,
    )
  })
})
