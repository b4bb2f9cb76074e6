import { sortedInSteps } from '#base/sorted.ts'
import { ROWS_PER_TURN, eachInTurns } from './in-turns.ts'
import type { InTurns } from './in-turns.ts'
import type { SortFacts } from './sort-facts.ts'
import type { ThreadNode } from './thread-text.ts'

/** A place in a thread: of a message, or of one that is only named. */
interface Place {
  facts: SortFacts | undefined
  parent: Place | undefined
  children: Set<Place>
}

/**
 * Steps up that looking for circles may take in all. Mail that was made to cost more keeps the links
 * that it has by then.
 */
const STEPS_MAX = 20_000_000
/** Of those, between two turns of others. */
const STEPS_PER_TURN = 200_000

/** REFERENCES, in the steps of RFC 5256 §3. */
export function* references(facts: readonly SortFacts[]): InTurns<ThreadNode[]> {
  const places = yield* linked(facts)
  const roots = yield* pruned(places)
  return yield* sorted(yield* gathered(roots))
}

const newPlace = (): Place => ({ facts: undefined, parent: undefined, children: new Set() })

/** Step 1: parents and children as messages name one another. */
function* linked(facts: readonly SortFacts[]): InTurns<Place[]> {
  const byId = new Map<string, Place>()
  const all: Place[] = []
  const placeOf = (id: string | undefined): Place => {
    const known = id === undefined ? undefined : byId.get(id)
    if (known !== undefined) return known
    const place = newPlace()
    if (id !== undefined) byId.set(id, place)
    all.push(place)
    return place
  }
  let steps = 0
  const isAbove = (place: Place, below: Place): boolean => {
    if (place.children.size === 0) return place === below
    for (let at: Place | undefined = below; at !== undefined; at = at.parent)
      if (at === place || ++steps > STEPS_MAX) return true
    return false
  }
  let looked = 0
  let stepsTold = 0
  for (const each of facts) {
    const named = each.messageId === undefined ? undefined : byId.get(each.messageId)
    // A Message-ID that another message has is none.
    const place = placeOf(named?.facts === undefined ? each.messageId : undefined)
    place.facts = each
    let parent: Place | undefined
    for (const id of each.references) {
      const next = placeOf(id)
      // A link that is there stays (step 1.A).
      if (parent !== undefined && next.parent === undefined && !isAbove(next, parent))
        link(next, parent)
      parent = next
      if (steps - stepsTold < STEPS_PER_TURN) continue
      stepsTold = steps
      yield
    }
    if (++looked % ROWS_PER_TURN === 0) yield
    // Its own word on its parent goes before that of others, and leaves it with none where it says
    // a circle (step 1.B).
    if (place.parent === parent) continue
    unlink(place)
    if (parent !== undefined && !isAbove(place, parent)) link(place, parent)
  }
  return all
}

function link(place: Place, parent: Place): void {
  place.parent = parent
  parent.children.add(place)
}

function unlink(place: Place): void {
  place.parent?.children.delete(place)
  place.parent = undefined
}

/** Step 3: places without a message go; their children take theirs, at the top only a lone one. The roots. */
function* pruned(places: readonly Place[]): InTurns<Place[]> {
  const roots = places.filter(({ parent }) => parent === undefined)
  yield* eachInTurns(yield* bottomUp(roots), (place) => {
    if (place.facts !== undefined) return
    const { parent, children } = place
    if (parent === undefined) return
    unlink(place)
    for (const child of children) link(child, parent)
  })
  const kept: Place[] = []
  yield* eachInTurns(roots, (root) => {
    if (root.facts !== undefined || root.children.size > 1) kept.push(root)
    else
      for (const child of root.children) {
        child.parent = undefined
        kept.push(child)
      }
  })
  return kept
}

/** All places, each after those below it. */
function* bottomUp(roots: readonly Place[]): InTurns<Place[]> {
  const order: Place[] = [...roots]
  yield* eachInTurns(order, (place) => {
    for (const child of place.children) order.push(child)
  })
  return order.reverse()
}

/** The message that a thread is known by: its own, or of a missing one its first child's (step 5.B). */
function headOf(root: Place): SortFacts {
  let head = root.facts
  if (head !== undefined) return head
  for (const { facts } of root.children)
    if (head === undefined || bySent(facts!, head) < 0) head = facts
  return head!
}

const bySent = (a: SortFacts, b: SortFacts): number => a.sentMs - b.sentMs || a.row - b.row

/** Step 5: threads of one subject become one. */
function* gathered(given: readonly Place[]): InTurns<Place[]> {
  const roots = yield* byHead(given)
  const bySubject = new Map<string, Place>()
  yield* eachInTurns(roots, (root) => {
    const { subject, isReply } = headOf(root)
    if (subject === '') return
    const known = bySubject.get(subject)
    const isBetter =
      known === undefined ||
      (root.facts === undefined && known.facts !== undefined) ||
      (known.facts !== undefined && headOf(known).isReply && !isReply)
    if (isBetter) bySubject.set(subject, root)
  })
  const result = new Set(roots)
  yield* eachInTurns(roots, (root) => {
    const { subject, isReply } = headOf(root)
    const other = subject === '' ? undefined : bySubject.get(subject)
    if (other === undefined || other === root || !result.has(root)) return
    result.delete(root)
    if (root.facts === undefined && other.facts === undefined)
      for (const child of root.children) link(child, other)
    else if (other.facts === undefined) link(root, other)
    else if (isReply && !headOf(other).isReply) link(root, other)
    else {
      const both = newPlace()
      result.delete(other)
      result.add(both)
      link(other, both)
      link(root, both)
      bySubject.set(subject, both)
    }
  })
  return [...result]
}

/** Heads are looked for once: a missing message has as many as answers to it. */
function* byHead(places: readonly Place[]): InTurns<Place[]> {
  if (places.length < 2) return [...places]
  const heads: { readonly place: Place; readonly head: SortFacts }[] = []
  yield* eachInTurns(places, (place) => heads.push({ place, head: headOf(place) }))
  const order = yield* sortedInSteps(heads, (a, b) => bySent(a.head, b.head))
  return order.map(({ place }) => place)
}

/** Step 6, and step 4 for what is within: siblings by the time at which they were sent. */
function* sorted(roots: readonly Place[]): InTurns<ThreadNode[]> {
  const nodes = new Map<Place, ThreadNode>()
  for (const place of yield* bottomUp(roots)) {
    const children = yield* byHead([...place.children])
    const row = place.facts?.row
    nodes.set(place, {
      ...(row !== undefined && { row }),
      children: children.map((child) => nodes.get(child)!),
    })
    if (nodes.size % ROWS_PER_TURN === 0) yield
  }
  return (yield* byHead(roots)).map((root) => nodes.get(root)!)
}
