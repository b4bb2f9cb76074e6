import type { ScriptWrite, TakenChange } from '#contract/node/scripts.ts'
import { parseScriptName } from '#model/script.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { KnownScript } from '#store/directory/script-shelf.ts'
import type { ScriptThere } from './script-entry.ts'

/** A script there with its text, as far as that is needed. */
export interface MetScript extends ScriptThere {
  readonly digest: string
  /** Absent: as it was known. */
  readonly text?: string
  /** It is not Unicode, or larger than one may be: it can be nowhere here. */
  readonly impossible?: string
  /** It does not compile: it can be kept, and never filters. */
  readonly broken?: string
}

/** What makes two places of scripts alike; nothing where they are. */
export interface ScriptPlan {
  /** At the store, in this order. */
  readonly takes: readonly { readonly change: TakenChange; readonly modifier: string }[]
  /** In the home; `csn`: only where that was its last change. `textOf`: a script here whose text belongs to it. */
  readonly writes: readonly PlannedWrite[]
  /** What is there and not taken, by the id there. */
  readonly notes: ReadonlyMap<string, string>
  /** How many of the takes remove what is gone there. */
  readonly removals: number
}

interface PlannedWrite {
  readonly write: ScriptWrite
  readonly csn?: string
  readonly textOf?: string
}

interface Asked {
  readonly here: readonly ScriptEntry[]
  readonly there: readonly MetScript[]
  /** As both were when they were alike last; none: they have never met. */
  readonly known: readonly Pick<KnownScript, 'id'>[]
  /** Whose word counts at the first meeting. Later the home's does. */
  readonly prefers: 'here' | 'there'
}

/**
 * Compares an account's scripts in the store with those in their home. Nothing is ever lost by a first
 * meeting: what only one of them has, both have then.
 */
export function planScripts(asked: Asked): ScriptPlan {
  const { here, known, prefers } = asked
  const isOurs = known.length === 0 && prefers === 'here' && here.length > 0
  const plan = new Plan()
  const pairs = pairsOf(asked)
  const coming: ScriptEntry[] = []
  for (const [ours, theirs] of pairs) {
    if (theirs === undefined) {
      if (known.some(({ id }) => id === ours!.id) && !isOurs)
        plan.gone.push({ kind: 'remove', id: ours!.id })
      else coming.push(ours!)
      continue
    }
    if (theirs.active && theirs.broken !== undefined) plan.notes.set(theirs.id, theirs.broken)
    if (ours === undefined) plan.take(theirs, here)
    else if (ours.digest === theirs.digest && ours.name === nameOf(theirs)) {
      if (ours.id !== theirs.id) plan.renumber(ours, theirs)
    } else if (isOurs) {
      if (ours.id === theirs.id) plan.put(ours, ours.active, theirs.csn)
      else plan.renumber(ours, theirs)
    } else plan.change(ours, theirs, here)
  }
  const wanted = isOurs ? activeOf(here)?.id : wantedActive(asked, { plan, pairs, coming })
  for (const script of coming) plan.put(script, script.id === wanted)
  if (!isOurs && wanted !== activeOf(here)?.id && !coming.some(({ id }) => id === wanted))
    plan.activate(wanted ?? null, asked.there)
  for (const [ours, theirs] of pairs) {
    const id = ours?.id ?? theirs?.id
    if (theirs?.active === true && id !== wanted && !plan.notes.has(theirs.id))
      plan.flag(theirs, false)
    if (isOurs && theirs?.active === false && id === wanted) plan.flag(theirs, true)
  }
  return plan.done()
}

type Pair = readonly [ours: ScriptEntry | undefined, theirs: MetScript | undefined]

/** By their ids; where one was made in each place, by their names. */
function pairsOf({ here, there }: Asked): readonly Pair[] {
  const left = new Set(there)
  const take = (is: (each: MetScript) => boolean): MetScript | undefined => {
    const found = [...left].find(is)
    if (found !== undefined) left.delete(found)
    return found
  }
  const byId = here.map((ours) => [ours, take(({ id }) => id === ours.id)] as const)
  const all = byId.map(
    ([ours, theirs]) => [ours, theirs ?? take((each) => nameOf(each) === ours.name)] as const,
  )
  return [...all, ...[...left].map((theirs) => [undefined, theirs] as const)]
}

const nameOf = ({ name }: ScriptThere): string => name.normalize('NFC')
const activeOf = (here: readonly ScriptEntry[]): ScriptEntry | undefined =>
  here.find(({ active }) => active)

/** Where several say that they filter, the one that was changed last does: who switches one on need not know of others. */
function wantedActive(
  { here, there }: Asked,
  {
    plan,
    pairs,
    coming,
  }: {
    readonly plan: Plan
    readonly pairs: readonly Pair[]
    readonly coming: readonly ScriptEntry[]
  },
): string | undefined {
  const [newest] = there.filter(({ active }) => active).toSorted((a, b) => (a.csn < b.csn ? 1 : -1))
  const now = activeOf(here)
  if (newest === undefined) return coming.find(({ active }) => active)?.id
  // One that cannot filter leaves on duty what does.
  if (plan.notes.has(newest.id)) return now?.id
  const [ours] = pairs.find(([, theirs]) => theirs === newest) ?? []
  return ours?.id ?? newest.id
}

class Plan {
  readonly #renames: Take[] = []
  readonly #puts: Take[] = []
  readonly #switches: Take[] = []
  readonly gone: TakenChange[] = []
  readonly #writes: PlannedWrite[] = []
  readonly notes = new Map<string, string>()

  /** One that is there alone, right or not. */
  take(theirs: MetScript, here: readonly ScriptEntry[]): void {
    const why = theirs.impossible ?? nameTrouble(theirs, [...here, ...this.#comingNames()])
    if (why !== undefined) return void this.notes.set(theirs.id, why)
    this.#put(theirs.id, theirs)
  }

  #comingNames(): readonly Pick<ScriptEntry, 'id' | 'name'>[] {
    return this.#puts.flatMap(({ change }) => (change.kind === 'put' ? [change] : []))
  }

  /** One that is otherwise there: what does not compile takes the place of nothing. */
  change(ours: ScriptEntry, theirs: MetScript, here: readonly ScriptEntry[]): void {
    const others = here.filter(({ id }) => id !== ours.id)
    const why = theirs.impossible ?? nameTrouble(theirs, others)
    if (why !== undefined) return void this.notes.set(theirs.id, why)
    if (ours.digest === theirs.digest)
      this.#renames.push(of({ kind: 'rename', id: ours.id, name: nameOf(theirs) }, theirs))
    else if (theirs.broken !== undefined) this.notes.set(theirs.id, theirs.broken)
    else this.#put(ours.id, theirs)
  }

  /** Ours goes there as it is. */
  put({ id, name }: ScriptEntry, active: boolean, csn?: string): void {
    const write = { id, name, active }
    this.#writes.push({ write, textOf: name, ...(csn !== undefined && { csn }) })
  }

  /** Ours keeps its id: the entry there gives way to one of that. */
  renumber(ours: ScriptEntry, theirs: MetScript): void {
    this.put(ours, ours.active)
    this.#writes.push({ write: { id: theirs.id, gone: true }, csn: theirs.csn })
  }

  activate(id: string | null, there: readonly MetScript[]): void {
    const theirs = there.find((each) => each.id === id)
    this.#switches.push({ change: { kind: 'activate', id }, modifier: theirs?.modifier ?? '' })
  }

  /** Nothing else of it is written already. */
  flag({ id, name, csn }: MetScript, active: boolean): void {
    if (this.#writes.some(({ write }) => write.id === id)) return
    this.#writes.push({ write: { id, name, active }, csn })
  }

  done(): ScriptPlan {
    return {
      takes: [
        ...this.#renames,
        ...this.#puts,
        ...this.#switches,
        ...this.gone.map((change) => ({ change, modifier: '' })),
      ],
      writes: this.#writes,
      notes: this.notes,
      removals: this.gone.length,
    }
  }

  #put(id: string, theirs: MetScript): void {
    const { text = '' } = theirs
    this.#puts.push(of({ kind: 'put', id, name: nameOf(theirs), text }, theirs))
  }
}

type Take = ScriptPlan['takes'][number]

const of = (change: TakenChange, { modifier }: MetScript): Take => ({ change, modifier })

function nameTrouble(
  theirs: MetScript,
  others: readonly Pick<ScriptEntry, 'id' | 'name'>[],
): string | undefined {
  const name = parseScriptName(theirs.name)
  if (!name.ok) return name.error
  if (!ID.test(theirs.id)) return 'watariScriptId is of 1 to 200 letters, digits, - and _'
  return others.some((each) => each.name === name.value && each.id !== theirs.id)
    ? 'there is another script of that name'
    : undefined
}

/** RFC 8620 §1.2: JMAP tells it as it is. */
const ID = /^[A-Za-z0-9_-]{1,200}$/
