import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { takeMatch } from '#engine/sieve/match.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'

/** RFC 5235 §3.2; `:percent` and a count of 0 for what was not tested are of spamtestplus. */
const spamtest: SieveTestRule = {
  compile(args) {
    if (!args.has('spamtestplus')) args.needs('spamtest')
    const isPercent = args.flag('percent', 'spamtestplus')
    const match = takeMatch(args)
    const key = args.text('a value')
    return (run) => {
      const { spamValue } = run.message
      const value = isPercent ? percentOf(run.message) : spamValue
      const isUntested = spamValue === 0 && match.kind === 'count'
      return match(run, isUntested ? [] : [String(value)], [key.of(run)])
    }
  },
}

const percentOf = ({ spamValue, spamPercent }: SieveMessage): number =>
  spamPercent ?? (spamValue <= 1 ? 0 : Math.round(((spamValue - 1) / 9) * 100))

const virustest: SieveTestRule = {
  needs: 'virustest',
  compile(args) {
    const match = takeMatch(args)
    const key = args.text('a value')
    return (run) => match(run, [String(run.message.virusValue ?? 0)], [key.of(run)])
  },
}

export const spamtestExtension: SieveExtension = {
  names: {
    spamtest: 'RFC 5235 §3.2',
    spamtestplus: 'RFC 5235 §3.2',
    virustest: 'RFC 5235 §3.3',
  },
  tests: { spamtest, virustest },
}
