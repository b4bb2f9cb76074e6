import { toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Word } from './words.ts'

type Bare = 'CAPABILITY' | 'LISTSCRIPTS' | 'LOGOUT' | 'STARTTLS' | 'UNAUTHENTICATE'
type Named = 'DELETESCRIPT' | 'GETSCRIPT' | 'SETACTIVE'

/** What each takes (RFC 5804 §2). Names of scripts are as they came; texts of scripts are octets. */
interface Taken extends Record<Bare, object>, Record<Named, { readonly name: string }> {
  readonly AUTHENTICATE: { readonly mechanism: string; readonly initial?: Octets }
  readonly CHECKSCRIPT: { readonly script: Octets }
  readonly HAVESPACE: { readonly name: string; readonly sizeBytes: number }
  readonly NOOP: { readonly tag?: Octets }
  readonly PUTSCRIPT: { readonly name: string; readonly script: Octets }
  readonly RENAMESCRIPT: { readonly name: string; readonly to: string }
}
export type ManageSieveVerb = keyof Taken

/** One command. */
export type ManageSieveCommand = {
  readonly [V in ManageSieveVerb]: { readonly verb: V } & Taken[V]
}[ManageSieveVerb]

type Reader = (args: Args) => ManageSieveCommand

const bare =
  (verb: Bare): Reader =>
  () => ({ verb })
const named =
  (verb: Named): Reader =>
  (args) => ({ verb, name: args.text() })

const READERS: Readonly<Record<ManageSieveVerb, Reader>> = {
  AUTHENTICATE: (args) => {
    const mechanism = args.text()
    const initial = args.maybe()
    return { verb: 'AUTHENTICATE', mechanism, ...(initial !== undefined && { initial }) }
  },
  CAPABILITY: bare('CAPABILITY'),
  CHECKSCRIPT: (args) => ({ verb: 'CHECKSCRIPT', script: args.octets() }),
  DELETESCRIPT: named('DELETESCRIPT'),
  GETSCRIPT: named('GETSCRIPT'),
  HAVESPACE: (args) => ({ verb: 'HAVESPACE', name: args.text(), sizeBytes: args.number() }),
  LISTSCRIPTS: bare('LISTSCRIPTS'),
  LOGOUT: bare('LOGOUT'),
  NOOP: (args) => {
    const tag = args.maybe()
    return { verb: 'NOOP', ...(tag !== undefined && { tag }) }
  },
  PUTSCRIPT: (args) => ({ verb: 'PUTSCRIPT', name: args.text(), script: args.octets() }),
  RENAMESCRIPT: (args) => ({ verb: 'RENAMESCRIPT', name: args.text(), to: args.text() }),
  SETACTIVE: named('SETACTIVE'),
  STARTTLS: bare('STARTTLS'),
  UNAUTHENTICATE: bare('UNAUTHENTICATE'),
}

/** The command that words make, or what is wrong with them. Total. */
export function parseManageSieve(words: readonly Word[]): Outcome<ManageSieveCommand, string> {
  const [first, ...rest] = words
  const name = first?.kind === 'atom' ? first.text.toUpperCase() : ''
  if (!Object.hasOwn(READERS, name)) return err('Unknown command')
  const args = new Args(rest)
  try {
    const command = READERS[name as ManageSieveVerb](args)
    args.end()
    return ok(command)
  } catch (thrown) {
    if (thrown instanceof Malformed) return err(`${name}: ${thrown.message}`)
    throw thrown
  }
}

class Malformed extends Error {}

class Args {
  readonly #words: readonly Word[]
  #at = 0
  constructor(words: readonly Word[]) {
    this.#words = words
  }

  maybe(): Octets | undefined {
    return this.#at < this.#words.length ? this.octets() : undefined
  }

  octets(): Octets {
    const word = this.#words[this.#at++]
    if (word?.kind !== 'string') throw new Malformed('a string was expected')
    return word.octets
  }

  text(): string {
    const text = toUtf8Strict(this.octets())
    if (text === undefined) throw new Malformed('a name is not UTF-8')
    return text
  }

  number(): number {
    const word = this.#words[this.#at++]
    if (word?.kind !== 'number') throw new Malformed('a number was expected')
    return word.value
  }

  end(): void {
    if (this.#at < this.#words.length) throw new Malformed('too many arguments')
  }
}
