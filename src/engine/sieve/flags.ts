import { equalAsciiIgnoreCase } from '#base/text.ts'

/** Flags compare in ASCII without case (RFC 5232 §2). */
export const addFlags = (flags: readonly string[], more: readonly string[]): readonly string[] =>
  more.reduce<readonly string[]>(
    (sum, flag) => (sum.some((other) => equalAsciiIgnoreCase(other, flag)) ? sum : [...sum, flag]),
    flags,
  )

export const removeFlags = (flags: readonly string[], less: readonly string[]): readonly string[] =>
  flags.filter((flag) => !less.some((other) => equalAsciiIgnoreCase(other, flag)))
