/** Limits of RFC 5229 §6, which asks for 128 variables of 4,000 characters, and names of 32. */
export const VARIABLES_MAX = 256
export const VALUE_CHARACTERS_MAX = 16_384
export const VARIABLE_NAME_MAX = 64
/** How many values a match sets, `${0}` to `${32}` (RFC 5229 §3.2 asks for 9). */
export const MATCHED_MAX = 33

/** The variables of one script while it runs; names are in lower case. */
export class SieveVariables {
  readonly #values = new Map<string, string>()
  /** Shared by all scripts of a run (RFC 6609 §3.4). */
  readonly #shared: SieveVariables | undefined
  readonly #global = new Set<string>()
  /** What the last match that was met had in place of its wildcards; the whole of it first. */
  matched: readonly string[] = []

  constructor(shared?: SieveVariables) {
    this.#shared = shared
  }

  /** Empty where it was never set (RFC 5229 §3). */
  get(name: string): string {
    if (this.#global.has(name)) return this.#shared!.get(name)
    return this.#values.get(name) ?? ''
  }

  getGlobal(name: string): string {
    return (this.#shared ?? this).get(name)
  }

  /** False where there are too many; a value that is too long is cut (RFC 5229 §6). */
  set(name: string, value: string): boolean {
    if (this.#global.has(name)) return this.#shared!.set(name, value)
    if (!this.#values.has(name) && this.#values.size >= VARIABLES_MAX) return false
    this.#values.set(name, cutValue(value))
    return true
  }

  setGlobal(name: string, value: string): boolean {
    return (this.#shared ?? this).set(name, value)
  }

  /** From now on the name means the variable that all scripts share. */
  share(name: string): void {
    if (this.#shared !== undefined) this.#global.add(name)
  }
}

/** Never in the middle of a character. */
function cutValue(value: string): string {
  if (value.length <= VALUE_CHARACTERS_MAX) return value
  const cut = value.slice(0, VALUE_CHARACTERS_MAX)
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut
}
