import type { OwnQuota } from './quota.ts'
import type { Day } from './person-facts.ts'
import type { Role } from './role.ts'

/** Whom many changes are about: who has all these tags, and is among these, where they are named. */
export interface Selection {
  readonly tags?: readonly string[]
  /** Ids, user names or addresses. */
  readonly users?: readonly string[]
}

/** What becomes of each of them. */
export interface BulkChange {
  readonly addTags?: readonly string[]
  readonly removeTags?: readonly string[]
  /** null: no such day. */
  readonly startsOn?: Day | null
  readonly expiresOn?: Day | null
  readonly disabled?: boolean
  readonly quota?: OwnQuota
  /** As `watari user delete` does: it can be had back for a while. */
  readonly delete?: true
}

/** A change of many that is made on a day. */
export interface DatedPlan {
  readonly id: string
  /** `2027年度 進級`, for people. */
  readonly title: string
  readonly on: Day
  readonly where: Selection
  readonly change: BulkChange
  /** Who planned it. */
  readonly by: string
  /** What he might change then: a plan may no more than who made it. */
  readonly byRole: Role
  /** When it was made, in ISO 8601 and UTC, and of how many; absent: it is still to come. */
  readonly done?: {
    readonly at: string
    readonly changed: number
    readonly same: number
    readonly refused: number
  }
}
