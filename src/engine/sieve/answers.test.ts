import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ownAnswer } from '#test/fake/sieve-answer.ts'
import { sieveSample } from '#test/fake/sieve-samples.ts'

/** By seed; `UPDATE=1 npm run bench -- sieve-answers` writes them. */
const ANSWERS = JSON.parse(
  readFileSync(new URL('../../../test/golden/sieve-answers.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly string[]>>

test('scripts made at random do what Pigeonhole says that they do', () => {
  const all = Object.entries(ANSWERS)
  assert.ok(all.length >= 200)
  for (const [seed, actions] of all)
    assert.deepEqual(ownAnswer(sieveSample(Number(seed))), actions, `seed ${seed}`)
})
