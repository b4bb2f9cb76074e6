import type { Person } from '#model/person.ts'
import type { ToldGroup } from './told-group.ts'

/** An entry as a server told it, as far as we want to know. */
export interface CopiedEntry {
  /** The name that it has for good (entryUUID). */
  readonly id: string
  readonly dn: string
  /** entryCSN: which change it is from. */
  readonly csn: string | undefined
  /** Undefined: it has nothing to be known by. */
  readonly key: string | undefined
  /** Undefined: it is nobody. */
  readonly person: Person | undefined
  readonly group?: ToldGroup
  readonly exceptions: readonly string[]
}
