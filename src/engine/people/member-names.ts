import { ManyMap } from './many-map.ts'
import type { CopiedEntry } from './copied-entry.ts'
import { nameKey, namesOf } from './told-group.ts'
import type { MemberName } from './told-group.ts'

/** Who is meant by the names of members in a source, and which groups name whom. */
export class MemberNames {
  /** Keys of entries by their names. */
  readonly #keys = new Map<string, string>()
  /** Keys of groups by the names of their members. */
  readonly #groups = new ManyMap()
  #touched = new Set<string>()

  put(entry: CopiedEntry): void {
    const { key, group } = entry
    if (key === undefined) return
    for (const name of this.#touch(entry)) this.#keys.set(name, key)
    for (const member of group?.members ?? []) this.#groups.add(nameKey(member), key)
  }

  forget(entry: CopiedEntry): void {
    const { key, group } = entry
    if (key === undefined) return
    for (const name of this.#touch(entry)) if (this.#keys.get(name) === key) this.#keys.delete(name)
    for (const member of group?.members ?? []) this.#groups.delete(nameKey(member), key)
  }

  /** The key of whoever or whatever is called so. */
  key(name: MemberName): string | undefined {
    return this.#keys.get(nameKey(name))
  }

  /** Keys of the groups that have a member of this name (`nameKey`). */
  groupsOf(name: string): readonly string[] {
    return this.#groups.get(name)
  }

  /** Names that others have come to or lost since this was asked last. */
  touched(): ReadonlySet<string> {
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  #touch({ dn, person }: CopiedEntry): readonly string[] {
    const names = namesOf(dn, person?.username)
    for (const name of names) this.#touched.add(name)
    return names
  }
}
