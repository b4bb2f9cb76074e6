import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountsListener, Authenticator } from './authenticator.ts'
import type { Entrant } from './entrant.ts'

/** What time alone does: accounts end at midnight. */
const EVERY_MS = 10 * SECOND_MS

/** Ends the sessions that may go on no longer, as soon as a row says so; the returned function stops that. */
export function endFallen<S>(
  sessions: Iterable<S>,
  parts: {
    readonly clock: Clock
    readonly authenticator: Pick<Authenticator, 'mayStay' | 'onChange'>
    readonly accountOf: (session: S) => Entrant | undefined
    readonly end: (session: S) => void
  },
): () => void {
  const { clock, authenticator, accountOf, end } = parts
  if (authenticator.mayStay === undefined) return () => undefined
  const look: AccountsListener = (accounts) => {
    for (const session of sessions) {
      const entrant = accountOf(session)
      if (entrant === undefined || (accounts !== 'all' && !accounts.has(entrant.id))) continue
      if (authenticator.mayStay?.(entrant) === false) end(session)
    }
  }
  const deafen = authenticator.onChange?.(look)
  let cancel = (): void => undefined
  const again = (): void => {
    cancel = clock.after(EVERY_MS, () => {
      look('all')
      again()
    })
  }
  again()
  return () => {
    deafen?.()
    cancel()
  }
}
