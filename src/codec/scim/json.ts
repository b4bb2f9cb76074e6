export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Nothing is there: "unassigned", null and an empty array are the same (RFC 7643 §2.5). */
export const isAbsent = (value: Json | undefined): value is undefined | null | readonly [] =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

export const listOf = (value: Json | undefined): readonly Json[] =>
  isAbsent(value) ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value]

/** Whether it is nested deeper than this; none of ours is, and who walks through it has a stack to lose. */
export const isDeeper = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth === 0 || Object.values(value).some((each) => isDeeper(each, depth - 1)))
