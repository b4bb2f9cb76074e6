import type { Role } from './role.ts'

/** A token of a program for the API: only its holder knows it, we keep a hash. */
export interface ApiToken {
  /** What its acts are recorded under. */
  readonly name: string
  readonly sha256: string
  readonly role: TokenRole
  /** ISO 8601, UTC, as all times here. */
  readonly createdAt: string
  readonly expiresAt: string
  /** To the hour; absent: never. */
  readonly lastUse?: { readonly at: string; readonly from: string }
}

export const TOKEN_ROLES = [
  'administrator',
  'directory-manager',
  'help-desk',
  'auditor',
] as const satisfies readonly Role[]
export type TokenRole = (typeof TOKEN_ROLES)[number]

export const TOKEN_NAME = /^[a-z0-9-]{1,40}$/
export const TOKENS_MAX = 1_000
export const TOKEN_DAYS_MAX = 3_650
export const TOKEN_DAYS = 365
