import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Verdict } from '#model/verdict.ts'
import { disposition } from './disposition.ts'

const SETTINGS = {
  'policy.spam': 'accept',
  'policy.suspected': 'accept',
  'policy.infected': 'reject',
  'policy.unscannable': 'accept',
  'policy.unavailable': 'defer',
} as const

const verdict = (part: Partial<Verdict>): Verdict => ({
  class: 'clean',
  score: 0,
  hits: [],
  virus: { kind: 'clean' },
  auth: [],
  caseId: 'C1',
  degraded: [],
  ...part,
})

test('spam and suspected are accepted with their class, or what the settings say', () => {
  assert.deepEqual(disposition(verdict({}), SETTINGS), { kind: 'accept', class: 'clean' })
  const spam = verdict({ class: 'spam' })
  assert.deepEqual(disposition(spam, SETTINGS), { kind: 'accept', class: 'spam' })
  for (const action of ['reject', 'hold', 'discard', 'defer'] as const) {
    const made = disposition(spam, { ...SETTINGS, 'policy.spam': action })
    assert.equal(made.kind, action)
    assert.match('reason' in made ? made.reason : '', /case C1/)
  }
})

test('infected is refused with its name and case', () => {
  assert.deepEqual(
    disposition(verdict({ virus: { kind: 'infected', name: 'Eicar-試験' } }), SETTINGS),
    { kind: 'reject', reason: 'contains Eicar-試験 (case C1)' },
  )
})

test('unscannable is never clean, unavailable is deferred', () => {
  const unscannable = verdict({ virus: { kind: 'unscannable', reason: 'timeout' } })
  assert.deepEqual(disposition(unscannable, SETTINGS), { kind: 'accept', class: 'suspected' })
  const unavailable = verdict({ virus: { kind: 'unavailable', reason: 'no judge' } })
  assert.equal(disposition(unavailable, SETTINGS).kind, 'defer')
})
