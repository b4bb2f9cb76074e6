import type { Outcome } from '#base/outcome.ts'
import type { SieveError } from '#codec/sieve/ast.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'

type Compiled = Outcome<SieveProgram, readonly SieveError[]>

/** Characters of all scripts whose programs are kept: some thousand of the usual length. */
const CHARACTERS_MAX = 4 * 1024 * 1024

const known = new Map<string, Compiled>()
let characters = 0

/** The program of a script, as `compileSieve` makes it; compiled once while it is in use. */
export function compiledSieve(text: string): Compiled {
  const found = known.get(text)
  const compiled = found ?? compileSieve(text)
  // The one that was used longest ago goes first.
  if (found !== undefined) known.delete(text)
  else characters += text.length
  known.set(text, compiled)
  for (const [oldest] of known) {
    if (characters <= CHARACTERS_MAX || oldest === text) break
    known.delete(oldest)
    characters -= oldest.length
  }
  return compiled
}
