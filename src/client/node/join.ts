import type { Clock } from '#base/time.ts'
import { SECOND_MS } from '#base/time.ts'
import { JOIN_PATH, joinAnswer } from '#contract/node/join.ts'
import type { JoinAnswer, JoinRequest } from '#contract/node/join.ts'
import { askJson } from './request.ts'
import type { Dial } from './request.ts'

const JOIN_MS = 10 * SECOND_MS

/** Asks control to take this machine in. Throws the Fault that control names, or `unreachable`. */
export async function joinControl(ask: {
  readonly dial: Dial
  readonly clock: Clock
  readonly request: JoinRequest
}): Promise<JoinAnswer> {
  return joinAnswer.parse(
    await askJson({
      dial: ask.dial,
      clock: ask.clock,
      method: 'POST',
      path: JOIN_PATH,
      body: JSON.stringify(ask.request),
      timeoutMs: JOIN_MS,
    }),
  )
}
