import type { AccountId } from '#model/account.ts'
import { MEMORIES_MAX } from '#store/mailbox/commit.ts'

import type { DeliveryMailboxes } from './delivery-mailboxes.ts'

/** Rounds of questions to the store that one delivery may need: each of a script's tests asks at most once. */
const ROUNDS_MAX = 50

/**
 * What earlier deliveries have left in an account's memory, for scripts, which cannot wait: a question
 * that has no answer yet ends the run, is asked, and then the run is made anew.
 */
export class Recollection {
  readonly #mailboxes: Pick<DeliveryMailboxes, 'remembered'>
  readonly #accountId: AccountId
  readonly #known = new Map<string, boolean>()

  constructor(mailboxes: Pick<DeliveryMailboxes, 'remembered'>, accountId: AccountId) {
    this.#mailboxes = mailboxes
    this.#accountId = accountId
  }

  /** Those of the keys that are in memory. Throws what `run` catches. */
  readonly remembered = (keys: readonly string[]): readonly string[] => {
    const unknown = keys.filter((key) => !this.#known.has(key))
    if (unknown.length > 0) throw new Unknown(unknown)
    return keys.filter((key) => this.#known.get(key) === true)
  }

  /** What `plan` answers once it has learned all that it asks. */
  async run<T>(plan: () => T): Promise<T> {
    for (let round = 0; ; round++) {
      try {
        return plan()
      } catch (thrown) {
        if (!(thrown instanceof Unknown)) throw thrown
        await this.#ask(thrown.keys, round)
      }
    }
  }

  async #ask(keys: readonly string[], round: number): Promise<void> {
    // A script that asks for ever more learns that nothing more is remembered.
    const asked = round < ROUNDS_MAX ? keys : []
    const found = new Set<string>()
    for (let at = 0; at < asked.length; at += MEMORIES_MAX) {
      const some = asked.slice(at, at + MEMORIES_MAX)
      const ask = { accountId: this.#accountId, keys: some }
      for (const key of (await this.#mailboxes.remembered(ask)).keys) found.add(key)
    }
    for (const key of keys) this.#known.set(key, found.has(key))
  }
}

class Unknown extends Error {
  readonly keys: readonly string[]
  constructor(keys: readonly string[]) {
    super('not known yet')
    this.keys = keys
  }
}
