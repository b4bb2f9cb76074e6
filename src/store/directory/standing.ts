import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import type { Authenticator } from './authenticator.ts'

const EVERY_MS = 10 * SECOND_MS

/** Ends, again and again, the sessions whose account may be in no longer; the returned function stops that. */
export function endFallen<S>(
  sessions: Iterable<S>,
  parts: {
    readonly clock: Clock
    readonly authenticator: Pick<Authenticator, 'mayStay'>
    readonly accountOf: (session: S) => Account | undefined
    readonly end: (session: S) => void
  },
): () => void {
  const { clock, authenticator, accountOf, end } = parts
  const { mayStay } = authenticator
  if (mayStay === undefined) return () => undefined
  let cancel = (): void => undefined
  const look = (): void => {
    for (const session of sessions) {
      const account = accountOf(session)
      if (account !== undefined && !mayStay(account)) end(session)
    }
    cancel = clock.after(EVERY_MS, look)
  }
  cancel = clock.after(EVERY_MS, look)
  return () => cancel()
}
