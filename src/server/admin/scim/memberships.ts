import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'

/** Which groups lead to an account; made when it is first asked, then kept up by each change. */
export class Memberships {
  readonly #master: DirectoryMaster
  /** Keys of groups, by the key of an address that they lead to. */
  #groups: Map<string, Set<string>> | undefined
  /** Groups as they are known here, by their keys. */
  readonly #known = new Map<string, Alias>()

  constructor(master: DirectoryMaster) {
    this.#master = master
  }

  of(account: Account): readonly Alias[] {
    const groups = this.#all()
    const keys = [mainAddressOf(account), ...account.addresses].flatMap((address) => [
      ...(groups.get(addressKey(address)) ?? []),
    ])
    return [...new Set(keys)].flatMap((key) => this.#known.get(key) ?? [])
  }

  #all(): Map<string, Set<string>> {
    if (this.#groups === undefined) {
      this.#groups = new Map()
      this.#fill()
      this.#master.onChange((changes) => this.#take(changes))
    }
    return this.#groups
  }

  #fill(): void {
    this.#groups!.clear()
    this.#known.clear()
    for (const group of this.#master.directory.aliases()) this.#put(addressKey(group.from), group)
  }

  #take(changes: readonly DirectoryChange[]): void {
    // What has changed is not known: the directory was read anew.
    if (changes.length === 0) return this.#fill()
    for (const { key, row } of changes)
      if (key.startsWith('alias:'))
        this.#put(key.slice('alias:'.length), row?.kind === 'alias' ? row.alias : undefined)
  }

  #put(key: string, group: Alias | undefined): void {
    const after = new Set(group?.to.map(addressKey))
    for (const address of this.#known.get(key)?.to.map(addressKey) ?? [])
      if (!after.has(address)) this.#leave(address, key)
    for (const address of after) {
      const keys = this.#groups!.get(address)
      if (keys === undefined) this.#groups!.set(address, new Set([key]))
      else keys.add(key)
    }
    if (group === undefined) this.#known.delete(key)
    else this.#known.set(key, group)
  }

  #leave(address: string, key: string): void {
    const keys = this.#groups!.get(address)
    keys?.delete(key)
    if (keys?.size === 0) this.#groups!.delete(address)
  }
}
