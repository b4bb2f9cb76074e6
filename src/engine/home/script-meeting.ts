import type { Log } from '#base/log.ts'
import { toUtf8Strict } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { ScriptWrite } from '#contract/node/scripts.ts'
import { checkScript } from '#engine/deliver/scripts.ts'
import { ShrinkGuard } from '#engine/people/shrink-guard.ts'
import type { AccountId } from '#model/account.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { KnownScript, ScriptShelf } from '#store/directory/script-shelf.ts'
import { scriptDigest } from '#model/script-change.ts'
import type { LdapHome } from './ldap-home.ts'
import { putScript, scriptOctetsAt, scriptsAt } from './script-entry.ts'
import type { ScriptThere } from './script-entry.ts'
import { planScripts } from './script-plan.ts'
import type { MetScript, ScriptPlan } from './script-plan.ts'
import type { ScriptStore } from './script-store.ts'

/** Somebody who changes scripts all the time is left for the next look. */
const TURNS_MAX = 5

/** A script there that is not taken, and why. */
interface ScriptNote {
  readonly accountId: AccountId
  readonly name: string
  readonly text: string
}

export interface ScriptMeetingParts {
  readonly home: LdapHome
  readonly directory: DirectoryMaster
  readonly shelf: ScriptShelf
  /** Throws Fault `unavailable` where no store has joined. */
  readonly store: () => ScriptStore
  /** Whose word counts where a script lies in both places and neither is known. */
  readonly prefers: () => 'here' | 'there'
  readonly clock: Clock
  readonly trouble: Log
}

/** Makes an account's scripts alike in the store and in their home, and remembers what they were then. */
export class ScriptMeeting {
  readonly #parts: ScriptMeetingParts
  readonly #notes = new Map<AccountId, readonly ScriptNote[]>()
  readonly #held = new Set<AccountId>()
  readonly #guard: ShrinkGuard
  /** Removals of theirs are meant. */
  readonly #accepted = new Set<AccountId>()
  /** What the provider does not take, by whose it is. */
  readonly #refused = new Map<AccountId, string>()

  constructor(parts: ScriptMeetingParts) {
    this.#parts = parts
    this.#guard = new ShrinkGuard(parts.clock, 'scripts')
  }

  get isHolding(): boolean {
    return this.#held.size > 0
  }

  get error(): string | undefined {
    return [...this.#refused.values()][0]
  }

  notes(): readonly ScriptNote[] {
    return [...this.#notes.values()].flat()
  }

  /** Removals that were held are meant: those accounts are to meet again. */
  accept(): readonly AccountId[] {
    this.#guard.reset()
    for (const accountId of this.#held) this.#accepted.add(accountId)
    return [...this.#held]
  }

  /** `stranger`: the directory has no such account. Throws Fault where the store or the home is away. */
  async meet(accountId: AccountId): Promise<'alike' | 'stranger'> {
    if (this.#parts.directory.directory.account(accountId) === undefined)
      return this.#meetStranger(accountId)
    for (let turn = 0; turn < TURNS_MAX; turn++) if (await this.#meetOnce(accountId)) return 'alike'
    return 'alike'
  }

  async #meetStranger(accountId: AccountId): Promise<'stranger'> {
    const { home, shelf } = this.#parts
    this.#forget(accountId)
    const there = await home.with((connection) => scriptsAt(connection, accountId, home.place.base))
    const scripts = there.map(({ uuid, id }) => ({ ...UNSEEN, uuid, id }))
    await shelf.keep({ accountId, scripts })
    return 'stranger'
  }

  /** True where both are alike now, as far as they can be. */
  async #meetOnce(accountId: AccountId): Promise<boolean> {
    const { store, shelf, home, prefers } = this.#parts
    const { base } = home.place
    // Looked at between two looks at the store, and in its place where nothing happens meanwhile.
    const before = await store().stand({ accountId })
    const known = await shelf.ofAccount({ accountId })
    const there = await home.with((connection) => scriptsAt(connection, accountId, base))
    const met: MetScript[] = []
    for (const script of there) {
      const one = await this.#met(script, { known, here: before.scripts })
      if (one !== undefined) met.push(one)
    }
    const { state } = await store().stand({ accountId })
    if (state !== before.state || met.length < there.length) return false
    const plan = planScripts({ here: before.scripts, there: met, known, prefers: prefers() })
    this.#forget(accountId)
    if (plan.removals > 0 && !(await this.#mayRemove(accountId, plan.removals))) {
      await this.#hold(accountId, { known, plan, here: before.scripts })
      return true
    }
    const refused = await this.#take(accountId, state, plan)
    if (refused === 'changed') return false
    const isWritten = await this.#write(accountId, plan)
    if (refused === undefined && plan.takes.length + plan.writes.length > 0 && isWritten)
      return false
    await this.#settle(accountId, { met, known, notes: refused ?? plan.notes })
    return true
  }

  #forget(accountId: AccountId): void {
    this.#notes.delete(accountId)
    this.#held.delete(accountId)
    this.#refused.delete(accountId)
  }

  /** Its octets are asked for where they may be others than they were, or are needed here. */
  async #met(
    script: ScriptThere,
    as: { readonly known: readonly KnownScript[]; readonly here: readonly ScriptEntry[] },
  ): Promise<MetScript | undefined> {
    const before = as.known.find(({ uuid, csn }) => uuid === script.uuid && csn === script.csn)
    const here = as.here.find(({ id }) => id === script.id)
    if (before?.digest === here?.digest && before !== undefined && here?.active === script.active)
      return { ...script, digest: before.digest }
    const octets = await this.#parts.home.with((connection) =>
      scriptOctetsAt(connection, script.dn),
    )
    if (octets === undefined) return undefined
    const text = toUtf8Strict(octets)
    if (text === undefined) return { ...script, digest: '', impossible: 'it is not UTF-8' }
    const refused = checkScript(text)
    const why = refused === undefined ? {} : { broken: refused.message }
    const met = { ...script, digest: scriptDigest(text), text }
    return refused?.code === 'limit' ? { ...met, impossible: refused.message } : { ...met, ...why }
  }

  /** As it was, and to be looked at again, after a start too. */
  async #hold(
    accountId: AccountId,
    as: {
      readonly known: readonly KnownScript[]
      readonly plan: ScriptPlan
      readonly here: readonly ScriptEntry[]
    },
  ): Promise<void> {
    this.#held.add(accountId)
    const gone = new Set(
      as.plan.takes.flatMap(({ change }) => (change.kind === 'remove' ? [change.id] : [])),
    )
    const text = 'removed there, and held here'
    const names = as.here.filter(({ id }) => gone.has(id))
    this.#notes.set(
      accountId,
      names.map(({ name }) => ({ accountId, name, text })),
    )
    const scripts = as.known.map((script) => ({ ...script, csn: '' }))
    await this.#parts.shelf.keep({ accountId, scripts })
  }

  async #mayRemove(accountId: AccountId, count: number): Promise<boolean> {
    if (this.#accepted.delete(accountId)) return true
    const error = this.#guard.refusal(count, (await this.#parts.shelf.sum()).count)
    if (error === undefined) return true
    if (this.#held.size === 0) this.#parts.trouble.error('directory.homeShrank', { error })
    return false
  }

  /** `changed`: somebody was faster. Else what the store does not take, with why. */
  async #take(
    accountId: AccountId,
    stateBefore: string,
    { takes }: ScriptPlan,
  ): Promise<'changed' | ReadonlyMap<string, string> | undefined> {
    let state = stateBefore
    for (const { change, modifier } of takes) {
      const by = `${this.#nameOf(modifier)} by LDAP`.slice(0, 200)
      const end = await this.#parts.store().take({ accountId, state, change, by })
      if (end.kind === 'changed') return 'changed'
      if (end.kind === 'refused') return new Map([[change.id ?? '', REFUSALS[end.message]]])
      state = end.state
    }
    return undefined
  }

  #nameOf(modifier: string): string {
    if (modifier === '') return 'unknown'
    return modifier.toLowerCase() === this.#parts.home.place.bind.dn.toLowerCase()
      ? 'watari'
      : modifier
  }

  /** False where the provider refuses one. What is changed there meanwhile is met once more. */
  async #write(accountId: AccountId, { writes }: ScriptPlan): Promise<boolean> {
    const { home, store, trouble } = this.#parts
    let error: string | undefined
    for (const { write, csn, textOf } of writes) {
      const text =
        textOf === undefined ? undefined : await store().text({ accountId, name: textOf })
      if (textOf !== undefined && text === undefined) continue
      const whole = { ...write, ...(text !== undefined && { text }) } as ScriptWrite
      const put = { accountId, write: whole, ...(csn !== undefined && { csn }) }
      const done = await home.with((connection) => putScript(connection, home.place.base, put))
      if (done.kind === 'refused') error = done.message
      else if (done.kind === 'written') home.knows(done.mark)
    }
    if (error === undefined) return true
    trouble.warn('directory.homeScriptRefused', { accountId, error })
    this.#refused.set(accountId, error)
    return false
  }

  async #settle(
    accountId: AccountId,
    as: {
      readonly met: readonly MetScript[]
      readonly known: readonly KnownScript[]
      readonly notes: ReadonlyMap<string, string>
    },
  ): Promise<void> {
    const { met, known, notes } = as
    const scripts = met.map(({ uuid, id, csn, active, digest }) => ({
      uuid,
      id,
      csn,
      active: active ? (1 as const) : (0 as const),
      digest,
      note: notes.get(id) ?? null,
    }))
    await this.#parts.shelf.keep({ accountId, scripts })
    // What was known before says nothing new of how far the provider is.
    for (const { csn } of met)
      if (!known.some((each) => each.csn === csn)) this.#parts.home.knows(csn)
    const told = met.flatMap(({ id, name }) => {
      const text = notes.get(id)
      return text === undefined ? [] : [{ accountId, name, text }]
    })
    if (told.length > 0) this.#notes.set(accountId, told)
  }
}

const UNSEEN = { csn: '', active: 0, digest: '', note: null } as const

const REFUSALS = {
  limit: 'there are as many scripts here as an account may have',
  exists: 'there is another script of that name',
  notFound: 'it is not here any more',
  active: 'it filters here',
} as const
