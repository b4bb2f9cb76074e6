import { assertNever, err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { SieveProgram, SieveStatement } from '#codec/sieve/program.ts'

import type { SieveAction } from './action.ts'
import { Evaluator } from './evaluate.ts'
import { addFlags, removeFlags } from './flags.ts'
import type { SieveMessage } from './message.ts'

/** Named limits of one run; passing one is a runtime error, and then the mail is kept. */
const SIEVE_STEPS_MAX = 100_000
export const SIEVE_REDIRECTS_MAX = 5
const SIEVE_ACTIONS_MAX = 32

/** Why a run stopped short. The implicit keep applies (RFC 5228 §2.10.6). */
export interface SieveRuntimeError {
  readonly message: string
}

/** What scripts did one after another: the administrator's before the user's. */
export interface SieveResult {
  readonly actions: readonly SieveAction[]
  /** True where nothing has cancelled the implicit keep (RFC 5228 §2.10.2). */
  readonly implicitKeep: boolean
  /** Flags that the implicit keep sets (RFC 5232 §5). */
  readonly flags: readonly string[]
}

/** Runs a checked script on one delivery. Pure; ends within SIEVE_STEPS_MAX steps. */
export function runSieve(
  program: SieveProgram,
  message: SieveMessage,
): Outcome<SieveResult, SieveRuntimeError> {
  const run = new Run(message)
  try {
    run.block(program.statements)
    return ok(run.result())
  } catch (thrown) {
    if (thrown instanceof RunFault) return err({ message: thrown.message })
    throw thrown
  }
}

class RunFault extends Error {}

class Run {
  readonly #actions: SieveAction[] = []
  readonly #evaluator: Evaluator
  #implicitKeep = true
  #flags: readonly string[] = []
  #isStopped = false
  #steps = 0

  constructor(message: SieveMessage) {
    this.#evaluator = new Evaluator(message, () => this.#step())
  }

  result(): SieveResult {
    return { actions: this.#actions, implicitKeep: this.#implicitKeep, flags: this.#flags }
  }

  block(statements: readonly SieveStatement[]): void {
    for (const statement of statements) {
      if (this.#isStopped) return
      this.#step()
      this.#run(statement)
    }
  }

  #step(): void {
    if (++this.#steps > SIEVE_STEPS_MAX) throw new RunFault('the script takes too many steps')
  }

  #run(statement: SieveStatement): void {
    switch (statement.kind) {
      case 'if': {
        const branch = statement.branches.find((each) =>
          this.#evaluator.holds(each.test, this.#flags),
        )
        return this.block(branch?.block ?? statement.otherwise)
      }
      case 'stop':
        this.#isStopped = true
        return
      case 'discard':
        this.#implicitKeep = false
        return this.#act({ kind: 'discard' })
      case 'keep':
        this.#implicitKeep = false
        return this.#act({ kind: 'keep', flags: statement.flags ?? this.#flags })
      case 'fileinto':
        if (!statement.copy) this.#implicitKeep = false // RFC 3894 §3
        return this.#act({
          kind: 'fileinto',
          mailbox: statement.mailbox,
          create: statement.create,
          flags: statement.flags ?? this.#flags,
        })
      case 'redirect':
        if (!statement.copy) this.#implicitKeep = false
        return this.#act({ kind: 'redirect', address: statement.address })
      case 'reject':
      case 'ereject':
        this.#implicitKeep = false
        return this.#act({ kind: 'reject', reason: statement.reason })
      case 'setflag':
        this.#flags = addFlags([], statement.flags)
        return
      case 'addflag':
        this.#flags = addFlags(this.#flags, statement.flags)
        return
      case 'removeflag':
        this.#flags = removeFlags(this.#flags, statement.flags)
        return
      default:
        assertNever(statement)
    }
  }

  #act(action: SieveAction): void {
    const actions = this.#actions
    const isRejecting = action.kind === 'reject'
    const conflicts = (other: SieveAction): boolean => {
      const [one, two] = isRejecting ? [action, other] : [other, action]
      // RFC 5429 §2.3: reject goes with nothing that keeps, files or redirects, nor with another reject.
      return one.kind === 'reject' && two.kind !== 'discard'
    }
    if (actions.some(conflicts)) throw new RunFault('reject cannot go with another action')
    // RFC 5228 §2.10.3: the same mailbox or address twice is one action.
    if (actions.some((other) => isSameTarget(other, action))) return
    if (actions.length >= SIEVE_ACTIONS_MAX) throw new RunFault('the script takes too many actions')
    const redirects = actions.filter((other) => other.kind === 'redirect').length
    if (action.kind === 'redirect' && redirects >= SIEVE_REDIRECTS_MAX)
      throw new RunFault(`the script redirects to more than ${SIEVE_REDIRECTS_MAX} addresses`)
    actions.push(action)
  }
}

function isSameTarget(a: SieveAction, b: SieveAction): boolean {
  if (a.kind === 'fileinto' && b.kind === 'fileinto') return a.mailbox === b.mailbox
  if (a.kind === 'redirect' && b.kind === 'redirect')
    return a.address.localpart === b.address.localpart && a.address.domain === b.address.domain
  return a.kind === b.kind && a.kind !== 'fileinto' && a.kind !== 'redirect'
}
