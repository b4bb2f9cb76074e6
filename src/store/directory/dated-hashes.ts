import type { Octets } from '#base/octets.ts'
import type { Account } from '#model/account.ts'
import { isToAdopt } from '#model/adoption.ts'
import { areKeysRight } from './app-passwords.ts'
import type { Directory } from './directory.ts'
import { isDated } from './password.ts'

const TOLD_MAX = 100_000

/** Which dated hashes, and passwords that we have no hash of yet, were told already: a program that logs in each minute tells nothing new. */
export class DatedHashes {
  readonly #onDated: ((account: Account, password: Octets) => void) | undefined
  readonly #scram: (() => { readonly enabled: boolean; readonly iterations: number }) | undefined
  readonly #directory: Pick<Directory, 'source'>
  readonly #told = new Set<string>()

  constructor(parts: {
    readonly directory: Pick<Directory, 'source'>
    readonly onDated: ((account: Account, password: Octets) => void) | undefined
    readonly scram: (() => { readonly enabled: boolean; readonly iterations: number }) | undefined
  }) {
    this.#onDated = parts.onDated
    this.#scram = parts.scram
    this.#directory = parts.directory
  }

  look(account: Account, password: Octets): void {
    if (this.#onDated === undefined) return
    const isBound = isToAdopt(account, (name) => this.#directory.source(name))
    if (account.credential === undefined && !isBound) return
    const scram = this.#scram?.()
    const lacksKeys = scram?.enabled === true && !areKeysRight(account, scram.iterations)
    if (!isBound && !isDated(account.credential!) && !lacksKeys) return
    const what = isBound ? 'bound' : lacksKeys ? scram.iterations : ''
    const key = `${account.id} ${account.credentialVersion} ${what}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    if (this.#told.size > TOLD_MAX) this.#told.delete(this.#told.values().next().value!)
    this.#onDated(account, password)
  }
}
