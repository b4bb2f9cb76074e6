import { createHash } from 'node:crypto'
import { randomId } from '#base/id.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { ScriptWrite, TakenChange } from '#contract/node/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { refusedChange } from '#model/script-change.ts'
import type { ScriptChange, ScriptRefusal } from '#model/script-change.ts'

/** Where scripts have their home, where that is not the store. */
export interface ScriptHome {
  readonly isElsewhere: () => boolean
  /** Durable there when it resolves. Throws Fault where that cannot be now. */
  write(ask: {
    readonly accountId: AccountId
    readonly writes: readonly ScriptWrite[]
  }): Promise<void>
}

/** An account's scripts, and a text that is the same for the same. */
export interface ScriptStand {
  readonly state: string
  readonly scripts: readonly ScriptEntry[]
}

/** A change of the home's for the store. `changed`: the scripts are others than were looked at. */
export interface TakeAsk {
  readonly accountId: AccountId
  readonly state: string
  readonly change: TakenChange
  readonly by: string
}
export type TakeEnd =
  | { readonly kind: 'taken'; readonly state: string }
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly message: ScriptRefusal }

type Kept = Pick<MailboxStore, 'scripts' | 'script' | 'changeScript'>

/**
 * The store's scripts where they may have their home elsewhere: a change is made there first, and one that
 * cannot be made there is not made here. What others change there is taken in between changes of an
 * account, never while one is under way.
 */
export class HomedScripts implements Kept {
  readonly scripts: Kept['scripts']
  readonly script: Kept['script']
  readonly #parts: ConstructorParameters<typeof HomedScripts>[0]
  readonly #turns = new OneByOne()
  readonly #changes = new ChangeCounts()

  constructor(parts: {
    readonly mailboxes: Kept
    readonly home: ScriptHome
    readonly events: EventSink
    readonly clock: Clock
  }) {
    const { mailboxes } = parts
    this.#parts = parts
    this.scripts = (ask) => mailboxes.scripts(ask)
    this.script = (ask) => mailboxes.script(ask)
  }

  readonly changeScript: Kept['changeScript'] = ({ accountId, change }) =>
    this.#turns.run(accountId, async () => {
      const { mailboxes, home } = this.#parts
      if (!home.isElsewhere()) {
        this.#changes.note(accountId)
        return mailboxes.changeScript({ accountId, change })
      }
      const { scripts } = await mailboxes.scripts({ accountId })
      const named = change.kind === 'put' ? { ...change, id: change.id ?? randomId(20) } : change
      const planned = plannedWrites(scripts, named)
      if (!planned.ok) return { refusal: planned.error }
      const writes = await Promise.all(planned.value.map((write) => this.#whole(accountId, write)))
      this.#changes.note(accountId)
      if (writes.length > 0) await home.write({ accountId, writes })
      return mailboxes.changeScript({ accountId, change: named })
    })

  stand({ accountId }: { readonly accountId: AccountId }): Promise<ScriptStand> {
    return this.#turns.run(accountId, () => this.#stand(accountId))
  }

  take({ accountId, state, change, by }: TakeAsk): Promise<TakeEnd> {
    return this.#turns.run(accountId, async (): Promise<TakeEnd> => {
      const stand = await this.#stand(accountId)
      if (stand.state !== state) return { kind: 'changed' }
      for (const step of takenSteps(stand.scripts, change)) {
        const { refusal } = await this.#parts.mailboxes.changeScript({ accountId, change: step })
        if (refusal !== undefined) return { kind: 'refused', message: refusal }
        this.#tell(accountId, step, by)
      }
      return { kind: 'taken', state: (await this.#stand(accountId)).state }
    })
  }

  async #stand(accountId: AccountId): Promise<ScriptStand> {
    const { scripts } = await this.#parts.mailboxes.scripts({ accountId })
    return { state: `${this.#changes.of(accountId)} ${stateOf(scripts)}`, scripts }
  }

  async #whole(accountId: AccountId, { write, textOf }: Planned): Promise<ScriptWrite> {
    if (textOf === undefined || 'gone' in write) return write
    const { script } = await this.#parts.mailboxes.script({ accountId, name: textOf })
    return { ...write, ...(script !== undefined && { text: script.text }) }
  }

  #tell(accountId: AccountId, change: ScriptChange, by: string): void {
    const fields = {
      act: change.kind,
      accountId,
      script: change.name,
      ...(change.kind === 'rename' && { to: change.to }),
      by,
    }
    this.#parts.events.emit({ atMs: this.#parts.clock.nowMs(), name: 'store.script', fields })
  }
}

/** Of each account one after the other. */
class OneByOne {
  readonly #last = new Map<AccountId, Promise<unknown>>()

  run<T>(accountId: AccountId, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(accountId) ?? Promise.resolve()).then(work)
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(accountId) === settled) this.#last.delete(accountId)
      })
    this.#last.set(accountId, settled)
    return done
  }
}

const COUNTS = 4_096

/** How often scripts were changed: those that are again as they were are not the same. Some accounts share a count. */
class ChangeCounts {
  readonly #counts = new Uint32Array(COUNTS)
  /** Those of an earlier process say nothing. */
  readonly #life = randomId(8)

  note(accountId: AccountId): void {
    this.#counts[placeOf(accountId)]!++
  }

  of(accountId: AccountId): string {
    return `${this.#life}${this.#counts[placeOf(accountId)]}`
  }
}

const placeOf = (accountId: AccountId): number =>
  createHash('sha256').update(accountId).digest().readUInt16BE() % COUNTS

const stateOf = (scripts: readonly ScriptEntry[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify(scripts.map(({ id, name, active, digest }) => [id, name, active, digest])),
    )
    .digest('base64url')

/** `textOf`: whose text belongs to it, for where the whole of it is missing there. */
interface Planned {
  readonly write: ScriptWrite
  readonly textOf?: string
}

/** What a change is where each script is an entry of its own; what filters now comes before what does no more. */
function plannedWrites(
  scripts: readonly ScriptEntry[],
  change: ScriptChange,
): Outcome<readonly Planned[], ScriptRefusal> {
  const refused = refusedChange(scripts, change)
  if (refused !== undefined) return err(refused)
  const found = scripts.find(({ name }) => name === change.name)
  const others = scripts
    .filter(({ active, name }) => active && name !== change.name)
    .map(({ id, name }) => ({ write: { id, name, active: false } }))
  switch (change.kind) {
    case 'put': {
      const { name, text, activate } = change
      const id = found?.id ?? change.id ?? randomId(20)
      const write = { id, name, text, active: activate || found?.active === true }
      return ok([{ write }, ...(activate ? others : [])])
    }
    case 'activate': {
      if (found === undefined || found.active) return ok(others)
      const { id, name } = found
      return ok([{ write: { id, name, active: true }, textOf: name }, ...others])
    }
    case 'remove':
      return ok([{ write: { id: found!.id, gone: true } }])
    case 'rename': {
      const { id, name, active } = found!
      return ok([{ write: { id, name: change.to, active }, textOf: name }])
    }
  }
}

/** What has changed there as changes here; nothing where its script is not here. */
function takenSteps(scripts: readonly ScriptEntry[], change: TakenChange): readonly ScriptChange[] {
  const found = scripts.find(({ id }) => id === change.id)
  const renamed = (to: string): readonly ScriptChange[] =>
    found === undefined || found.name === to ? [] : [{ kind: 'rename', name: found.name, to }]
  switch (change.kind) {
    case 'put': {
      const { id, name, text } = change
      return [...renamed(name), { kind: 'put', id, name, text, activate: false }]
    }
    case 'rename':
      return renamed(change.name)
    case 'activate':
      if (change.id === null) return [{ kind: 'activate', name: null }]
      return found === undefined ? [] : [{ kind: 'activate', name: found.name }]
    case 'remove': {
      if (found === undefined) return []
      const { name, active } = found
      const off = active ? [{ kind: 'activate', name: null } as const] : []
      return [...off, { kind: 'remove', name }]
    }
  }
}
