import { createHmac, randomBytes } from 'node:crypto'
import { Semaphore } from '#base/deadline.ts'
import { silentLog } from '#base/log.ts'
import type { Log } from '#base/log.ts'
import { Fault, err, isFault, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { MINUTE_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import type { Origin } from '#model/source.ts'
import type { Authenticator, LoginAttempt, LoginFault } from './authenticator.ts'
import type { Directory } from './directory.ts'
import { GuessLimits, isLoopback } from './guessing.ts'
import { isDated, isPassword, verifyPassword } from './password.ts'
import { iterationsOf } from './scram-keys.ts'
import { scramLogins } from './scram-login.ts'

/** How long a check that succeeded is remembered. */
const REMEMBER_MS = 10 * MINUTE_MS
const REMEMBERED_MAX = 100_000
const POOL_DEFAULT = 2
const WAITING_MAX = 500
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
  /** Asks another directory whether a password is somebody's there; throws a Fault where it does not answer. */
  readonly bind?: Bind
  /** Whether SCRAM may be offered, and with how many iterations keys are made now; absent: never. */
  readonly scram?: () => { readonly enabled: boolean; readonly iterations: number }
  /** A login was right by a hash or keys that are not as we make them now; told once for each. */
  readonly onDated?: (account: Account, password: Octets) => void
}): Authenticator {
  const { directory, clock, scram, log = silentLog } = options
  const dated = new DatedHashes(options.onDated, scram)
  const limits = new GuessLimits(clock)
  const checker = new Checker(
    clock,
    new Semaphore(options.poolLimit ?? POOL_DEFAULT, options.waitingMax ?? WAITING_MAX),
    options.bind,
  )
  return {
    ...(scram !== undefined && {
      scram: scramLogins({ directory, clock, limits, log, enabled: () => scram().enabled }),
    }),
    async login(attempt: LoginAttempt): Promise<Outcome<Account, LoginFault>> {
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
      const right = await checker.check(account, { login, password: attempt.password, mayTry })
      if (right === 'busy') return err('unavailable')
      if (right === 'slowed') return err('slowed')
      // The row as it is now: an account may have been disabled or given a new password meanwhile.
      const now = account === undefined ? undefined : directory.account(account.id)
      if (right && now !== undefined && !now.disabled && sameCredential(now, account!)) {
        limits.succeeded(attempt.ip, login)
        dated.look(now, attempt.password)
        return ok(now)
      }
      limits.failed(attempt.ip, login, checker.mark(login, attempt.password))
      log.warn('auth.refused', { protocol: attempt.protocol, ip: attempt.ip })
      return err('refused')
    },
  }
}

type Bind = (origin: Origin, password: Octets) => Promise<boolean>

const sameCredential = (a: Account, b: Account): boolean =>
  a.credentialVersion === b.credentialVersion &&
  a.credential === b.credential &&
  nameOf(a.bind) === nameOf(b.bind)

const nameOf = (origin: Origin | undefined): string =>
  origin === undefined ? '' : `${origin.source} ${origin.key} ${origin.dn}`

/** Hashes in a bounded pool, and remembers what was right. */
class Checker {
  readonly #clock: Clock
  readonly #pool: Semaphore
  readonly #bind: Bind | undefined
  /** Made anew by each process: what is remembered is worth nothing elsewhere. */
  readonly #secret = randomBytes(32)
  readonly #remembered = new Map<string, number>()
  readonly #running = new Map<string, Promise<boolean | 'slowed'>>()

  constructor(clock: Clock, pool: Semaphore, bind: Bind | undefined) {
    this.#clock = clock
    this.#pool = pool
    this.#bind = bind
  }

  async check(
    account: Account | undefined,
    ask: { readonly login: string; readonly password: Octets; readonly mayTry: () => boolean },
  ): Promise<boolean | 'busy' | 'slowed'> {
    const { login, password } = ask
    const usable = account !== undefined && !account.disabled ? account : undefined
    const key =
      usable === undefined
        ? this.mark(`? ${login}`, password)
        : this.mark(
            `${usable.id} ${usable.credentialVersion} ${usable.credential ?? nameOf(usable.bind)}`,
            password,
          )
    const until = this.#remembered.get(key)
    if (until !== undefined && until > this.#clock.monotonicMs()) return true
    try {
      const right = await this.#once(key, async () =>
        ask.mayTry() ? this.#verify(password, usable) : 'slowed',
      )
      if (right === true) this.#remember(key)
      return right
    } catch (cause) {
      // Another directory that does not answer is our trouble, never a wrong password.
      if (isFault(cause)) return 'busy'
      throw cause
    }
  }

  /** A password that is wrong elsewhere costs the same work here as one that is wrong here. */
  async #verify(password: Octets, account: Account | undefined): Promise<boolean> {
    const { credential, bind } = account ?? {}
    if (credential !== undefined || bind === undefined) return verifyPassword(password, credential)
    if (this.#bind === undefined) throw new Fault('unavailable', `${bind.source} is not asked here`)
    return (await this.#bind(bind, password)) || verifyPassword(password, undefined)
  }

  /** Names these octets without telling them. */
  mark(context: string, password: Octets): string {
    return createHmac('sha256', this.#secret)
      .update(`${Buffer.byteLength(context)} ${context} `)
      .update(password)
      .digest('base64')
  }

  /** The same question asked by many connections at once is worked on once. */
  #once(key: string, question: () => Promise<boolean | 'slowed'>): Promise<boolean | 'slowed'> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const work = this.#pool.run(question).finally(() => this.#running.delete(key))
    this.#running.set(key, work)
    return work
  }

  #remember(key: string): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, this.#clock.monotonicMs() + REMEMBER_MS)
    if (this.#remembered.size > REMEMBERED_MAX)
      this.#remembered.delete(this.#remembered.keys().next().value!)
  }
}

const TOLD_MAX = 100_000

/** Which dated hashes were told already: a program that logs in each minute tells nothing new. */
class DatedHashes {
  readonly #onDated: ((account: Account, password: Octets) => void) | undefined
  readonly #scram: (() => { readonly enabled: boolean; readonly iterations: number }) | undefined
  readonly #told = new Set<string>()

  constructor(
    onDated: ((account: Account, password: Octets) => void) | undefined,
    scram: (() => { readonly enabled: boolean; readonly iterations: number }) | undefined,
  ) {
    this.#onDated = onDated
    this.#scram = scram
  }

  look(account: Account, password: Octets): void {
    if (this.#onDated === undefined || account.credential === undefined) return
    const scram = this.#scram?.()
    const lacksKeys =
      scram?.enabled === true && iterationsOf(account.scram ?? '') !== scram.iterations
    if (!isDated(account.credential) && !lacksKeys) return
    const key = `${account.id} ${account.credentialVersion} ${lacksKeys ? scram.iterations : ''}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    if (this.#told.size > TOLD_MAX) this.#told.delete(this.#told.values().next().value!)
    this.#onDated(account, password)
  }
}
