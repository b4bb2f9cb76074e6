import { writeFileSync } from 'node:fs'
import { asTold, ownAnswer, SAMPLE_FROM, SAMPLE_TO } from '#test/fake/sieve-answer.ts'
import { sieveSample } from '#test/fake/sieve-samples.ts'
import { Pigeonhole, pigeonholeRoot } from '#test/peers/pigeonhole.ts'
import type { Part } from './setup.ts'

const GOLDEN = 'test/golden/sieve-answers.json'
const GOLDEN_COUNT = 200

/**
 * Scripts and mails made at random, answered by both. WATARI_SIEVE_SAMPLES says how many, WATARI_SIEVE_SEED where to
 * begin; with UPDATE=1 what both say alike of the first ones becomes what the tests hold us to.
 */
export const sieveAnswers: Part = {
  name: 'sieve-answers',
  what: 'random scripts and mails, answered by Pigeonhole too: how many it answers otherwise',
  run(say) {
    const count = Number(process.env['WATARI_SIEVE_SAMPLES'] ?? 500)
    const first = Number(process.env['WATARI_SIEVE_SEED'] ?? 0)
    const peer = new Pigeonhole(pigeonholeRoot(say), '/tmp/watari-answers')
    const agreed: Record<string, readonly string[]> = {}
    const others: number[] = []
    let crashed = 0
    for (let seed = first; seed < first + count; seed++) {
      const sample = sieveSample(seed)
      const own = ownAnswer(sample)
      const theirs = peer.answer(sample.script, sample.mail, SAMPLE_FROM, SAMPLE_TO)
      if (theirs.kind === 'crashed') crashed++
      else if (isSame(own, theirs.kind === 'done' ? theirs.actions.map(asTold) : [theirs.kind]))
        agreed[seed] = own
      else {
        others.push(seed)
        say(`seed ${seed}\n  here  ${JSON.stringify(own)}\n  there ${JSON.stringify(theirs)}`)
      }
    }
    peer.close()
    say(
      `${count} samples from ${first}: ${others.length} answered otherwise, at ${crashed} it crashed`,
    )
    if (process.env['UPDATE'] === '1' && first === 0)
      writeFileSync(
        GOLDEN,
        `${JSON.stringify(Object.fromEntries(Object.entries(agreed).slice(0, GOLDEN_COUNT)), undefined, 2)}\n`,
      )
    return Promise.resolve()
  },
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b)
