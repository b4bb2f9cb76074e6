import type { Octets } from '#base/octets.ts'

/** What the command line has of the world; a test gives its own. */
export interface CliIo {
  out(text: string): void
  err(text: string): void
  /** All of standard input. */
  stdin(): Promise<Octets>
  /** Standard input as it comes. */
  input(): AsyncIterable<Octets>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** An end with exit status 1: one line that says what to do. */
export class CliError extends Error {
  readonly code: string
  readonly remedy: string
  constructor(code: string, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}

/** An end with exit status 2: the command was not meant like this. */
export class UsageError extends Error {}
