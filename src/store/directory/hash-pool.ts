import { Semaphore } from '#base/deadline.ts'
import type { Turn } from '#base/deadline.ts'
import type { Octets } from '#base/octets.ts'
import { hashPassword, verifyPassword } from './password.ts'

const AT_ONCE = 2
const WAITING_MAX = 500

/**
 * Hashes cost a core for some 29 ms each, so few run at once. Who has been let in before does not wait
 * behind strangers, however many of those guess. Throws Fault `limit` where too many wait.
 */
export class HashPool {
  readonly #places: Semaphore

  constructor(limit = AT_ONCE, waitingMax = WAITING_MAX) {
    this.#places = new Semaphore(limit, waitingMax)
  }

  /** Right or wrong, after the work of one hash at least; undefined matches nothing. */
  verify(password: Octets, hash: string | undefined, turn: Turn): Promise<boolean> {
    return this.#places.run(() => verifyPassword(password, hash), turn)
  }

  run<T>(work: () => Promise<T>, turn: Turn): Promise<T> {
    return this.#places.run(work, turn)
  }

  /** What is made in the background waits behind those who want in. */
  hash(password: Octets): Promise<string> {
    return this.#places.run(() => hashPassword(password), 'last')
  }
}
