import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

import type { Address } from '#model/address.ts'

import type { SieveAction, SieveEdited, SieveTarget } from './action.ts'
import { SieveEdits } from './edits.ts'
import { endRun, SieveFault } from './language.ts'
import type { SieveProgram } from './language.ts'
import type { SieveHeader, SieveMessage } from './message.ts'
import { SieveVariables } from './variables.ts'

/** Named limits of one run; passing one is a runtime error, and then the mail is kept. */
const SIEVE_STEPS_MAX = 1_000_000
export const SIEVE_REDIRECTS_MAX = 5
const SIEVE_ACTIONS_MAX = 32
/** What a look into a list costs: one may lead through others. */
const LOOK_UP_STEPS = 1_000

/** Limits that an administrator sets. */
export interface SieveLimits {
  readonly redirectsMax?: number
}

/** Why a run stopped short. The implicit keep applies (RFC 5228 §2.10.6). */
export interface SieveRuntimeError {
  /** Of the command that failed. */
  readonly line: number
  readonly message: string
}

export interface SieveMemory {
  readonly key: string
  readonly seconds: number
  /** One that stands already stands so long from now on. */
  readonly isProlonged: boolean
  /** The script took it for one that does not stand. */
  readonly isFirst: boolean
}

/** What scripts did one after another: the administrator's before the user's. */
export interface SieveResult {
  readonly actions: readonly SieveAction[]
  /** What later deliveries are to know of this one (RFC 7352), once all of it has come about. */
  readonly memories?: readonly SieveMemory[]
  /** True where nothing has cancelled the implicit keep (RFC 5228 §2.10.2). */
  readonly implicitKeep: boolean
  /** Flags that the implicit keep sets (RFC 5232 §5). */
  readonly flags: readonly string[]
  /** What the implicit keep keeps, where it is not the message as it came. */
  readonly edited?: SieveEdited
}

/** Runs a checked script on one delivery. Pure; ends within SIEVE_STEPS_MAX steps. */
export function runSieve(
  program: SieveProgram,
  message: SieveMessage,
  limits: SieveLimits = {},
): Outcome<SieveResult, SieveRuntimeError> {
  const run = new SieveRun(message, limits)
  try {
    if (message.flags !== undefined) refuseAnswers(program)
    program.statements(run)
    return ok(run.result())
  } catch (thrown) {
    if (thrown instanceof SieveFault) return err({ line: run.line, message: thrown.message })
    throw thrown
  }
}

/** RFC 6785 §3.11: what answers the delivery of a mail, where none is delivered. */
const ANSWERING = ['reject', 'ereject', 'vacation', 'vacation-seconds'] as const

function refuseAnswers({ extensions }: SieveProgram): void {
  const answering = ANSWERING.find((name) => extensions.has(name))
  if (answering !== undefined) endRun(`no mail is delivered: "${answering}" cannot be required`)
}

/** What an extension keeps of one run: made when it is first asked for. */
export interface SieveSlot<T> {
  readonly first: (run: SieveRun) => T
}

/** One run of a script and of those that it includes. */
export class SieveRun {
  readonly message: SieveMessage
  /** The line of the command that runs. */
  line = 1
  /** The internal variable of RFC 5232 §2. */
  flags: readonly string[]
  /** What later deliveries are to know of this one. */
  readonly memories: SieveMemory[] = []
  /** Of the script that runs (RFC 5229). */
  variables: SieveVariables
  /** Those that scripts share (RFC 6609 §3.4). */
  readonly globals = new SieveVariables()
  edits: SieveEdits | undefined
  readonly #actions: SieveAction[] = []
  readonly #slots = new Map<SieveSlot<unknown>, unknown>()
  #implicitKeep = true
  #steps = 0

  readonly #redirectsMax: number

  constructor(message: SieveMessage, { redirectsMax = SIEVE_REDIRECTS_MAX }: SieveLimits = {}) {
    this.message = message
    this.flags = message.flags ?? []
    this.#redirectsMax = redirectsMax
    this.variables = new SieveVariables(this.globals)
  }

  result(): SieveResult {
    return {
      actions: this.#actions,
      implicitKeep: this.#implicitKeep,
      flags: this.flags,
      ...(this.memories.length > 0 && { memories: this.memories }),
      ...this.edited(),
    }
  }

  /** The header as it is now. */
  get header(): SieveHeader {
    return this.edits?.header ?? this.message
  }

  /** For an action that looks at the header afterwards: what it is now, where it was changed (RFC 5293 §7). */
  changedHeader(): { readonly header?: SieveHeader } {
    return this.edits === undefined ? {} : { header: this.edits.header }
  }

  /** The size of the message as it is now (RFC 5293 §7). */
  get sizeBytes(): number {
    const { sizeBytes } = this.message
    const edited = this.edits?.edited()
    if (edited === undefined) return sizeBytes
    return edited.kind === 'whole' ? edited.octets.byteLength : sizeBytes + edited.prefix.byteLength
  }

  /** For an action that keeps, files or sends the message: what it has become so far (RFC 5293 §7). */
  edited(): { readonly edited?: SieveEdited } {
    const edited = this.edits?.edited()
    return edited === undefined ? {} : { edited }
  }

  /** For an action that sends the message: of a large one only the beginning is at hand. */
  editedToSend(): { readonly edited?: SieveEdited } {
    const edited = this.edited()
    if (edited.edited !== undefined && this.message.isCut === true)
      endRun('the message is too large to be sent changed')
    return edited
  }

  /** The edits so far, of which there is to be another. */
  edit(): SieveEdits {
    this.edits ??= new SieveEdits(this.message)
    return this.edits.more()
  }

  /** A command begins. */
  at(line: number): void {
    this.line = line
    this.step()
  }

  /** Counts work, one for each thing looked at. */
  step(count = 1): void {
    this.#steps += count
    if (this.#steps > SIEVE_STEPS_MAX) endRun('the script takes too many steps')
  }

  slot<T>(slot: SieveSlot<T>): T {
    if (!this.#slots.has(slot)) this.#slots.set(slot, slot.first(this))
    return this.#slots.get(slot) as T
  }

  /** True where the list holds the value (RFC 6134 §2.2). */
  isListed(list: string, value: string): boolean {
    this.step(LOOK_UP_STEPS)
    return this.message.lists?.holds(list, value) ?? false
  }

  /** Where mail for all of a list is sent. */
  addressesOf(list: string): readonly Address[] {
    this.step(LOOK_UP_STEPS)
    return this.message.lists?.addresses(list) ?? []
  }

  cancelImplicitKeep(): void {
    this.#implicitKeep = false
  }

  hasActed(kind: SieveAction['kind']): boolean {
    return this.#actions.some((action) => action.kind === kind)
  }

  act(action: SieveAction): void {
    const actions = this.#actions
    const isRejecting = action.kind === 'reject'
    const conflicts = (other: SieveAction): boolean => {
      const [one, two] = isRejecting ? [action, other] : [other, action]
      // RFC 5429 §2.4, RFC 5230 §4.7: reject goes with nothing that keeps, files, redirects or answers, nor with another reject.
      return one.kind === 'reject' && two.kind !== 'discard' && two.kind !== 'notify'
    }
    if (actions.some(conflicts)) endRun('reject cannot go with another action')
    // RFC 5228 §2.10.3: the same mailbox or address twice is one action.
    const same = actions.findIndex((other) => isSameTarget(other, action))
    if (same >= 0) {
      const first = actions[same]!
      if ('flags' in action && 'flags' in first) actions[same] = { ...first, flags: action.flags } // RFC 5232 §5: the last flags win
      return
    }
    if (actions.length >= SIEVE_ACTIONS_MAX) endRun('the script takes too many actions')
    const redirects = actions.filter((other) => other.kind === 'redirect').length
    if (action.kind === 'redirect' && redirects >= this.#redirectsMax)
      endRun(`the script redirects to more than ${this.#redirectsMax} addresses`)
    actions.push(action)
  }
}

/** Where an action files; keep is fileinto "INBOX" (RFC 5228 §4.3), whose name has no case. */
function targetOf(action: SieveAction): Partial<SieveTarget> | undefined {
  if (action.kind === 'keep') return { mailbox: 'INBOX' }
  if (action.kind !== 'fileinto') return undefined
  return /^inbox$/i.test(action.mailbox) ? { ...action, mailbox: 'INBOX' } : action
}

function isSameTarget(a: SieveAction, b: SieveAction): boolean {
  const [one, two] = [targetOf(a), targetOf(b)]
  if (one !== undefined && two !== undefined)
    return (
      one.mailbox === two.mailbox &&
      one.specialUse === two.specialUse &&
      one.mailboxId === two.mailboxId
    )
  if (a.kind === 'notify' && b.kind === 'notify') return a.method === b.method
  if (a.kind === 'redirect' && b.kind === 'redirect')
    return a.address.localpart === b.address.localpart && a.address.domain === b.address.domain
  return a.kind === b.kind && !['fileinto', 'redirect', 'notify'].includes(a.kind)
}
