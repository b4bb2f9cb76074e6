import { fromUtf8 } from '#base/octets.ts'
import { trySieve } from '#app/judging/sieve-bench.ts'

import type { SieveSample } from './sieve-samples.ts'

export const SAMPLE_FROM = 'taro@campus.example'
export const SAMPLE_TO = 'hanako@campus.example'

/** What our own interpreter makes of a sample, in the words that `test/peers/pigeonhole.ts` has. */
export function ownAnswer({ script, mail }: SieveSample): readonly string[] {
  const { errors, actions } = trySieve({
    script,
    message: fromUtf8(mail),
    envelope: { from: SAMPLE_FROM, to: SAMPLE_TO },
  })
  if (errors.length > 0) return ['failed']
  return actions.map(({ kind, mailbox, address, flags = [] }) =>
    asTold(
      mailbox !== undefined
        ? `store ${mailbox}${flags.length > 0 ? ` [${flags.join(' ')}]` : ''}`
        : `${kind}${address === undefined ? '' : ` ${address}`}`,
    ),
  )
}

/** `sieve-test` cuts longer names. */
const TOLD_MAX = 100

/** The same words for the same deed: flags and addresses have no case, flags no order, and a terminal shows no controls. */
export const asTold = (action: string): string =>
  action
    .replace(/[\u0000-\u001f\u007f]/g, '?')
    .replace(/ \[([^\]]*)\]$/, (_, flags: string) => ` [${flagsOf(flags)}]`)
    .replace(/^redirect .*$/, (text) => text.toLowerCase())
    .slice(0, TOLD_MAX)
    .trimEnd()

const flagsOf = (flags: string): string =>
  [...new Set(flags.toLowerCase().split(' '))].sort().join(' ')
