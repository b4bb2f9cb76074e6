/** A parsed script (RFC 5228 §8.2): plain data, lines from 1. */
export interface SieveScript {
  readonly commands: readonly SieveCommand[]
}

export interface SieveCommand {
  readonly name: string
  readonly line: number
  readonly args: readonly SieveArgument[]
  readonly tests: readonly SieveTest[]
  /** The tests stand in parentheses. */
  readonly isTestList: boolean
  /** Undefined where the command ended with `;`. */
  readonly block?: readonly SieveCommand[]
}

export interface SieveTest {
  readonly name: string
  readonly line: number
  readonly args: readonly SieveArgument[]
  readonly tests: readonly SieveTest[]
  /** The tests stand in parentheses. */
  readonly isTestList: boolean
}

export type SieveArgument =
  | { readonly kind: 'tag'; readonly name: string; readonly line: number }
  | { readonly kind: 'number'; readonly value: number; readonly line: number }
  | { readonly kind: 'string'; readonly value: string; readonly line: number }
  | { readonly kind: 'strings'; readonly values: readonly string[]; readonly line: number }

/** What is wrong with a script, for the person who wrote it. */
export interface SieveError {
  readonly line: number
  readonly message: string
}
