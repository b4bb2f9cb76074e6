import type { Octets } from '#base/octets.ts'
import type { Account } from '#model/account.ts'
import { isDated } from './password.ts'
import { iterationsOf } from './scram-keys.ts'

const TOLD_MAX = 100_000

/** Which dated hashes were told already: a program that logs in each minute tells nothing new. */
export class DatedHashes {
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
