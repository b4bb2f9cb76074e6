import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/** `[URN:]name[.sub]` as it was written (RFC 7644 §3.10). */
export interface AttributePath {
  readonly urn?: string
  readonly name: string
  readonly sub?: string
}

/** One that starts at a character; URNs hold dots, so that their last colon decides. */
export const ATTRIBUTE = /(?:urn:[\w.:%+-]+:)?[A-Za-z$][\w$-]*(?:\.[A-Za-z$][\w$-]*)?/iy
const PARTS = /^(?:(urn:.+):)?([A-Za-z$][\w$-]*)(?:\.([A-Za-z$][\w$-]*))?$/is

/** The error says what is wrong. */
export function parseAttributePath(text: string): Outcome<AttributePath, string> {
  const [, urn, name, sub] = PARTS.exec(text) ?? []
  if (name === undefined) return err(`'${text.slice(0, 100)}' is no name of an attribute`)
  return ok({ name, ...(urn !== undefined && { urn }), ...(sub !== undefined && { sub }) })
}
