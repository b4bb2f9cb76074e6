import { randomBytes } from 'node:crypto'
import type { Log } from '#base/log.ts'
import { err, ok } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'
import { sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { mayLogIn } from '#model/account-life.ts'
import { domainKey } from '#model/address.ts'
import { appPasswordKeys } from './app-passwords.ts'
import type { LoginAttempt, ScramChallenge, ScramLogins } from './authenticator.ts'
import type { Directory } from './directory.ts'
import type { Entrant } from './entrant.ts'
import { isLoopback } from './guessing.ts'
import type { GuessLimits } from './guessing.ts'
import { checkProof, noKeys, parseScramKeys } from './scram-keys.ts'
import type { ScramKeys } from './scram-keys.ts'

/**
 * Logins by SCRAM against the directory's last copy. A name that does not exist is given a salt of its
 * own, the same each time and on each node, and a number of iterations that others have.
 */
export function scramLogins(parts: {
  readonly directory: Directory
  readonly clock: Clock
  readonly limits: GuessLimits
  readonly log: Log
  readonly enabled: () => boolean
  readonly onAppPassword: (entrant: Entrant, attempt: Pick<LoginAttempt, 'ip' | 'protocol'>) => void
}): ScramLogins {
  const { directory, clock, limits, log } = parts
  return {
    get offered() {
      const { lacking, iterations } = directory.scram
      return parts.enabled() && lacking === 0 && iterations.size > 0
    },
    begin(name) {
      const login = asciiLower(name).normalize('NFC')
      const account = directory.byLogin(login)
      const keys = parseScramKeys(account?.scram ?? '') ?? keysOfNobody(directory, login)
      const finish: ScramChallenge['finish'] = async (answer) => {
        const { ip, protocol } = answer
        const pace = limits.pace(ip, login)
        if (pace.kind === 'slowed') return err('slowed')
        if (pace.waitMs > 0) await sleep(clock, pace.waitMs)
        // Asked again: of many guesses sent at once only the free ones are looked at.
        const again = limits.pace(ip, login)
        if (again.kind === 'slowed' || (again.waitMs > 0 && !isLoopback(ip))) return err('slowed')
        const own = checkProof(keys, answer)
        // The row as it is now: an account may have been disabled or given a new password meanwhile.
        const now = account === undefined ? undefined : directory.account(account.id)
        const isOwn =
          now !== undefined &&
          now.credentialVersion === account!.credentialVersion &&
          now.scram === account!.scram
        const others = now === undefined ? [] : appPasswordKeys(now, protocol)
        const byApp = others.map(({ id, keys: each }) => ({
          id,
          signature: checkProof(each, answer),
        }))
        const app = byApp.find((each) => each.signature !== undefined)
        const signature = (isOwn ? own : undefined) ?? app?.signature
        if (signature !== undefined && now !== undefined && mayLogIn(now, directory.moment)) {
          limits.succeeded(ip, login)
          if (isOwn && own !== undefined) return ok({ account: now, signature })
          const entrant = { ...now, appPassword: app!.id }
          parts.onAppPassword(entrant, answer)
          return ok({ account: entrant, signature })
        }
        limits.failed(ip, login, Buffer.from(answer.proof).toString('base64'))
        log.warn('auth.refused', { protocol, ip })
        return err('refused')
      }
      return { salt: keys.salt, iterations: keys.iterations, finish }
    },
  }
}

/** Where no domain has a key yet; control makes them at its start. */
const FALLBACK = randomBytes(32).toString('base64')

function keysOfNobody(directory: Directory, login: string): ScramKeys {
  const { defaultDomain = '' } = directory
  const at = login.lastIndexOf('@')
  const name = at < 0 ? `${login}@${defaultDomain}` : login
  const domain = directory.domain(domainKey(name.slice(name.lastIndexOf('@') + 1)))
  const secret = domain?.saltKey ?? directory.domain(defaultDomain)?.saltKey ?? FALLBACK
  const keys = noKeys(secret, name, 0)
  return { ...keys, iterations: likelyIterations(directory, keys.salt) }
}

/**
 * As many as others have, in their proportion. The highest come first: when accounts move up to a new
 * number, a name without an account moves up as well, and never down.
 */
function likelyIterations({ scram }: Directory, salt: Buffer): number {
  const counts = [...scram.iterations].toSorted(([a], [b]) => b - a)
  const all = counts.reduce((sum, [, count]) => sum + count, 0)
  let place = (salt.readUInt32BE(0) / 2 ** 32) * all
  for (const [iterations, count] of counts) {
    place -= count
    if (place < 0) return iterations
  }
  return counts.at(-1)?.[0] ?? 0
}
