import { createHash } from 'node:crypto'
import { SCRIPTS_PER_ACCOUNT_MAX } from './script.ts'
import type { ScriptEntry } from './script.ts'

/** A change to an account's scripts (RFC 5804 §2.6, §2.8, §2.10, §2.11). */
export type ScriptChange =
  /** In the place of one of the same name, which stays active if it was. */
  | {
      readonly kind: 'put'
      readonly name: string
      readonly text: string
      readonly activate: boolean
      /** Refused where an active one would be replaced. */
      readonly inactiveOnly?: boolean
      /** Refused where there is one of the name. */
      readonly newOnly?: boolean
      /** Of one that is new; absent: it is given one. */
      readonly id?: string
    }
  /** Null: none is active any more. */
  | { readonly kind: 'activate'; readonly name: string | null }
  | { readonly kind: 'remove'; readonly name: string }
  /** An active one stays active (RFC 5804 §2.11). */
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }

/** notFound: no such script; limit: SCRIPTS_PER_ACCOUNT_MAX; active: one that filters cannot be removed; exists: another has that name. */
export type ScriptRefusal = 'notFound' | 'limit' | 'active' | 'exists'

/** Why a change cannot be made of the scripts that are there; undefined: it can. */
export function refusedChange(
  there: readonly Pick<ScriptEntry, 'name' | 'active'>[],
  change: ScriptChange,
): ScriptRefusal | undefined {
  const found = there.find(({ name }) => name === change.name)
  switch (change.kind) {
    case 'put':
      if (found?.active === true && change.inactiveOnly === true) return 'active'
      if (found !== undefined && change.newOnly === true) return 'exists'
      return found === undefined && there.length >= SCRIPTS_PER_ACCOUNT_MAX ? 'limit' : undefined
    case 'activate':
      return change.name !== null && found === undefined ? 'notFound' : undefined
    case 'remove':
      if (found === undefined) return 'notFound'
      return found.active ? 'active' : undefined
    case 'rename':
      if (found === undefined) return 'notFound'
      return there.some(({ name }) => name === change.to) ? 'exists' : undefined
  }
}

/** Of a text; what two of it have in common where they are the same. */
export const scriptDigest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 40)
