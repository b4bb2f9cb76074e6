import { silentLog } from '#base/log.ts'
import type { Log } from '#base/log.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { matchingAppPassword } from './app-passwords.ts'
import type { AccountsListener, Authenticator, LoginAttempt, LoginFault } from './authenticator.ts'
import { isSameCredential, mayStay } from './entrant.ts'
import type { Entrant } from './entrant.ts'
import { BoundPasswords } from './bound-passwords.ts'
import type { BindRules } from './bound-passwords.ts'
import { DatedHashes } from './dated-hashes.ts'
import type { Directory } from './directory.ts'
import { GuessLimits, isLoopback } from './guessing.ts'
import { HashPool } from './hash-pool.ts'
import { PasswordChecker } from './password-checker.ts'
import { isPassword } from './password.ts'
import { scramLogins } from './scram-login.ts'

const LOGIN_BYTES_MAX = 1_000

/**
 * Checks logins against the directory's last copy. Unknown, disabled and passwordless accounts cost
 * the same work as a wrong password and are answered alike. `poolLimit` hashes run at once; where
 * too many wait the answer is `unavailable`.
 */
export function createAuthenticator(options: {
  readonly directory: Directory
  readonly clock: Clock
  readonly poolLimit?: number
  readonly waitingMax?: number
  readonly log?: Log
  /** How other directories are asked about passwords; absent: they are not. */
  readonly binds?: BindRules
  /** Whether SCRAM may be offered, and with how many iterations keys are made now; absent: never. */
  readonly scram?: () => { readonly enabled: boolean; readonly iterations: number }
  /** A login was right by a hash or keys that are not as we make them now, or that we lack; told once for each. */
  readonly onDated?: (account: Account, password: Octets) => void
  /** Calls whom it is given whenever rows of accounts have changed; absent: nobody is told. */
  readonly changes?: (listener: AccountsListener) => void
  /** An app password has let its program in. */
  readonly onAppPassword?: (
    entrant: Entrant,
    attempt: Pick<LoginAttempt, 'ip' | 'protocol'>,
  ) => void
}): Authenticator {
  const { directory, clock, scram, log = silentLog, changes } = options
  const onAppPassword = options.onAppPassword ?? (() => undefined)
  const listeners = new Set<AccountsListener>()
  changes?.((accounts) => {
    for (const listener of listeners) listener(accounts)
  })
  const dated = new DatedHashes({ directory, onDated: options.onDated, scram })
  const limits = new GuessLimits(clock)
  const pool = new HashPool(options.poolLimit, options.waitingMax)
  const bound = options.binds && new BoundPasswords({ clock, log, rules: options.binds, pool })
  const checker = new PasswordChecker({ clock, pool, bound })
  return {
    ...(scram !== undefined && {
      scram: scramLogins({
        directory,
        clock,
        limits,
        log,
        enabled: () => scram().enabled,
        onAppPassword,
      }),
    }),
    mayStay: (entrant) => mayStay(entrant, directory),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async login(attempt: LoginAttempt): Promise<Outcome<Entrant, LoginFault>> {
      if (directory.seq === 0) return err('unavailable')
      if (!isPassword(attempt.password) || Buffer.byteLength(attempt.login) > LOGIN_BYTES_MAX)
        return err('refused')
      const login = asciiLower(attempt.login).normalize('NFC')
      const pace = limits.pace(attempt.ip, login)
      if (pace.kind === 'slowed') return err('slowed')
      if (pace.waitMs > 0) await sleep(clock, pace.waitMs)
      const account = directory.byLogin(login)
      // Asked again when its turn comes: of many guesses sent at once only the free ones are worked on.
      const mayTry = (): boolean => {
        const again = limits.pace(attempt.ip, login)
        return again.kind === 'go' && (again.waitMs === 0 || isLoopback(attempt.ip))
      }
      const byApp = isIn(account, directory) ? matchingAppPassword(account, attempt) : undefined
      if (byApp !== undefined) {
        limits.succeeded(attempt.ip, login)
        const entrant = { ...account!, appPassword: byApp.id }
        onAppPassword(entrant, attempt)
        return ok(entrant)
      }
      const turn = limits.isKnown(attempt.ip, login) ? 'first' : 'last'
      const answer = await checker.check(isIn(account, directory) ? account : undefined, {
        login,
        password: attempt.password,
        mayTry,
        turn,
      })
      if (answer === 'busy' || answer === 'away') return err('unavailable')
      if (answer === 'slowed') return err('slowed')
      // The row as it is now: an account may have been disabled, have left or been given a new password meanwhile.
      const now = account === undefined ? undefined : directory.account(account.id)
      const isRight = answer === 'right' || answer === 'rightBefore'
      if (isRight && isIn(now, directory) && isSameCredential(now, account!)) {
        limits.succeeded(attempt.ip, login)
        if (answer === 'right') dated.look(now, attempt.password)
        return ok(now)
      }
      limits.failed(attempt.ip, login, checker.mark(login, attempt.password))
      log.warn('auth.refused', { protocol: attempt.protocol, ip: attempt.ip })
      // While a source is away nobody knows who is not known, nor may it show who is known here.
      return err(answer === 'doubted' || bound?.isAway === true ? 'unavailable' : 'refused')
    },
  }
}

const isIn = (account: Account | undefined, { moment }: Directory): account is Account =>
  account !== undefined && mayLogIn(account, moment)
