import type { Octets } from '#base/octets.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { synchronise } from '#client/ldap/synchronise.ts'
import type { SyncEvent } from '#client/ldap/synchronise.ts'
import type { AccountId } from '#model/account.ts'
import type { ScriptShelf } from '#store/directory/script-shelf.ts'
import { knownScripts } from './known-scripts.ts'
import { SCRIPTS_ASK, scriptThere } from './script-entry.ts'
import type { ScriptThere } from './script-entry.ts'

/** Entries of a refresh that are looked up at once. */
const ENTRIES_AT_ONCE = 500

/** What a home tells of scripts, as the accounts whose scripts may be others than they were. */
export class ScriptNews {
  readonly #parts: ConstructorParameters<typeof ScriptNews>[0]
  /** Told or named since the refresh began: the others are gone if that is what it ends with. */
  readonly #named = new Set<string>()
  #coming: ScriptThere[] = []
  #isFresh = false

  constructor(parts: {
    readonly shelf: ScriptShelf
    readonly base: string
    readonly touch: (accountId: AccountId) => void
    /** All that the cookie stands for has been told. */
    readonly told: (cookie: Octets) => void
    /** What was there when it began has been told. */
    readonly fresh: () => void
  }) {
    this.#parts = parts
  }

  /** Until the connection ends; throws as `synchronise` does. */
  async follow(connection: LdapConnection, cookie: Octets | undefined): Promise<void> {
    const ask = SCRIPTS_ASK(this.#parts.base)
    const options = { persist: true, ...(cookie !== undefined && { cookie }) }
    for await (const event of synchronise(connection, ask, options)) await this.#take(event)
  }

  async #take(event: SyncEvent): Promise<void> {
    const { shelf, touch, told, fresh } = this.#parts
    switch (event.kind) {
      case 'entry': {
        const script = scriptThere(event.entry)
        if (!this.#isFresh) this.#named.add(event.uuid)
        if (script !== undefined) this.#coming.push(script)
        if (this.#isFresh || this.#coming.length >= ENTRIES_AT_ONCE) await this.#look()
        return
      }
      case 'stays':
        for (const uuid of event.uuids) this.#named.add(uuid)
        return
      case 'gone':
        for (const { accountId } of await shelf.byUuid({ uuids: event.uuids })) touch(accountId)
        return
      case 'restGone':
        await this.#look()
        for await (const { uuid, accountId } of knownScripts(shelf))
          if (!this.#named.has(uuid)) touch(accountId)
        return
      case 'cookie':
        await this.#look()
        told(Uint8Array.from(event.cookie)) // not the buffer around it
        return
      case 'refreshed':
        await this.#look()
        this.#named.clear()
        this.#isFresh = true
        fresh()
    }
  }

  /** Of entries that were told, those are looked at whose change is not known. */
  async #look(): Promise<void> {
    const some = this.#coming
    this.#coming = []
    const { shelf, touch } = this.#parts
    const known = await shelf.byUuid({ uuids: some.map(({ uuid }) => uuid) })
    const csns = new Map(known.map(({ uuid, csn }) => [uuid, csn]))
    for (const { uuid, csn, accountId } of some) if (csns.get(uuid) !== csn) touch(accountId)
  }
}
