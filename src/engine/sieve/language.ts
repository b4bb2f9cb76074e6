import type { Arguments } from './arguments.ts'
import type { SieveRun } from './run.ts'

/**
 * One extension, in one file: what `require` names, and the commands and tests that it brings, each
 * with its arguments, its checks and what it does. `extensions.ts` holds the list of them.
 */
export interface SieveExtension {
  /** What `require` names, with where it is defined. Empty: part of the language itself. */
  readonly names: Readonly<Record<string, string>>
  readonly commands?: Readonly<Record<string, SieveCommandRule>>
  readonly tests?: Readonly<Record<string, SieveTestRule>>
}

/** A command that may stand in a script. */
export interface SieveCommandRule {
  /** The extension that must be required for it. */
  readonly needs?: string
  /** Takes the arguments and says what is to be done at each run. Throws SieveCheckError. */
  compile(args: Arguments): SieveStatement
}

/** A test. */
export interface SieveTestRule {
  readonly needs?: string
  compile(args: Arguments): SieveCondition
}

/** One checked command. What it answers, if anything, ends the blocks that it stands in. */
export type SieveStatement = (run: SieveRun) => SieveFlow | undefined
export type SieveCondition = (run: SieveRun) => boolean

/** stop ends the run (RFC 5228 §3.3), return a script (RFC 6609 §3.3), break a loop (RFC 5703 §3.2). */
export type SieveFlow =
  | { readonly kind: 'stop' | 'return' }
  | { readonly kind: 'break'; readonly loop: string | undefined }

/** A string of a script: `constant` where it holds no variable (RFC 5229 §3). */
export interface SieveText {
  readonly constant?: string
  of(run: SieveRun): string
}

/** A list of strings; a constant one is the same array at each run. */
export interface SieveTexts {
  readonly constant?: readonly string[]
  of(run: SieveRun): readonly string[]
}

export const constantText = (constant: string): SieveText => ({ constant, of: () => constant })

export const constantTexts = (constant: readonly string[]): SieveTexts => ({
  constant,
  of: () => constant,
})

/** A checked script: what can be refused before a message is there has been. */
export interface SieveProgram {
  readonly statements: SieveStatement
  /** The extensions that it requires. */
  readonly extensions: ReadonlySet<string>
  /** The scripts that it may include, each once (RFC 6609 §3.2). */
  readonly includes: readonly SieveInclusion[]
}

export interface SieveInclusion {
  readonly location: 'personal' | 'global'
  readonly name: string
  readonly isOptional: boolean
}

/** What is wrong with a script, for the person who wrote it. */
export class SieveCheckError extends Error {
  readonly line: number | undefined
  /** It names what may be unknown here and known elsewhere: `ihave` makes it a matter of the run (RFC 5463 §4). */
  readonly isMissing: boolean
  constructor(message: string, line?: number, isMissing = false) {
    super(message)
    this.line = line
    this.isMissing = isMissing
  }
}

export function fail(message: string, line?: number): never {
  throw new SieveCheckError(message, line)
}

export function failMissing(message: string, line?: number): never {
  throw new SieveCheckError(message, line, true)
}

/** What ends a run: then the mail is kept (RFC 5228 §2.10.6). */
export class SieveFault extends Error {}

export function endRun(message: string): never {
  throw new SieveFault(message)
}
