import { isMarkup } from '#codec/mime/readings.ts'
import { ENVELOPE_FIELDS } from '#codec/mime/message-texts.ts'
import {
  complement,
  countBits,
  emptyBits,
  fullBits,
  hasBit,
  intersect,
  setBit,
  unite,
} from './bits.ts'
import type { Bits } from './bits.ts'
import { CUT, leafTest, MARKUP } from './document.ts'
import type { LeafTest } from './document.ts'
import { planOf } from './grams.ts'
import type { GramPlan, Zone } from './grams.ts'
import type { SearchLeaf, SearchQuery } from './query.ts'
import type { Segment } from './segment.ts'

/** So few documents are looked into rather than narrowed down. */
const FEW = 32

/** What postings say of a query: documents that match for certain, and those that may. */
interface Bounds {
  readonly sure: Bits
  readonly maybe: Bits
}

/** A query over one segment. */
export interface Evaluation extends Bounds {
  /** Of a document that may match, by its text; undefined where that does not say. */
  decide(document: number, text: Buffer): boolean | undefined
}

/** Narrows a query down by postings. Throws Fault `corrupt`, `io`. */
export function evaluate(segment: Segment, query: SearchQuery): Evaluation {
  const evaluator = new Evaluator(segment)
  const node = evaluator.make(query)
  return { ...node.bounds, decide: (document, text) => node.decide(document, text) }
}

interface Node {
  readonly bounds: Bounds
  decide(document: number, text: Buffer): boolean | undefined
}

class Evaluator {
  readonly #segment: Segment
  constructor(segment: Segment) {
    this.#segment = segment
  }

  make(query: SearchQuery): Node {
    switch (query.kind) {
      case 'and':
      case 'or':
        return this.#joined(query.kind, query.queries)
      case 'not': {
        const inner = this.make(query.query)
        const { count } = this.#segment
        const bounds = {
          sure: complement(inner.bounds.maybe, count),
          maybe: complement(inner.bounds.sure, count),
        }
        return {
          bounds,
          decide: (document, text) => {
            const result = inner.decide(document, text)
            return result === undefined ? undefined : !result
          },
        }
      }
      default:
        return this.#leaf(query)
    }
  }

  #joined(kind: 'and' | 'or', queries: readonly SearchQuery[]): Node {
    const { count } = this.#segment
    const nodes = queries.map((query) => this.make(query))
    const whole = (): Bits => (kind === 'and' ? fullBits(count) : emptyBits(count))
    const bounds = { sure: whole(), maybe: whole() }
    const join = kind === 'and' ? intersect : unite
    for (const node of nodes) {
      join(bounds.sure, node.bounds.sure)
      join(bounds.maybe, node.bounds.maybe)
    }
    const ends = kind === 'or'
    return {
      bounds,
      decide: (document, text) => {
        let result: boolean | undefined = !ends
        for (const node of nodes) {
          const one = node.decide(document, text)
          if (one === ends) return ends
          if (one === undefined) result = undefined
        }
        return result
      },
    }
  }

  #leaf(leaf: SearchLeaf): Node {
    const bounds = this.#bounds(leaf)
    let test: LeafTest | undefined
    return {
      bounds,
      decide: (document, text) => {
        if (hasBit(bounds.sure, document)) return true
        if (!hasBit(bounds.maybe, document)) return false
        test ??= leafTest(leaf)
        return test.test(text, this.#segment.index.flags[document]!)
      },
    }
  }

  #bounds(leaf: SearchLeaf): Bounds {
    const { count } = this.#segment
    const maybe = emptyBits(count)
    const sure = emptyBits(count)
    const core = leaf.term.trim()
    if (leaf.kind === 'field') {
      const plan = planOf(core === '' ? `${leaf.name}:` : core, 1)
      unite(maybe, this.#candidates(plan))
    } else if (leaf.term === '') return { sure: fullBits(count), maybe: fullBits(count) }
    else if (core === '') unite(maybe, fullBits(count))
    else
      for (const zone of zonesOf(leaf)) {
        const plan = planOf(core, zone)
        const found = this.#candidates(plan)
        unite(maybe, found)
        const isWhole = zone !== 0 || ENVELOPE_FIELDS.every((field) => leaf.places.includes(field))
        if (plan.isExact && core === leaf.term && isWhole) unite(sure, found)
      }
    this.#addOpen(leaf, maybe)
    return { sure, maybe }
  }

  #candidates({ ranges }: GramPlan): Bits {
    let found: Bits | undefined
    for (const range of ranges) {
      const bits = this.#segment.lookup(range)
      if (found === undefined) found = bits
      else intersect(found, bits)
      if (ranges.length > 1 && countBits(found) <= FEW) break
    }
    return found ?? emptyBits(this.#segment.count)
  }

  /** Documents of which the index does not know all. */
  #addOpen(leaf: SearchLeaf, maybe: Bits): void {
    const isSource = leaf.kind === 'text' && leaf.places.includes('body') && isMarkup(leaf.term)
    const open = CUT + (isSource ? MARKUP : 0)
    const { flags } = this.#segment.index
    for (let document = 0; document < flags.length; document++)
      if ((flags[document]! & open) !== 0) setBit(maybe, document)
  }
}

function zonesOf(leaf: SearchLeaf & { readonly kind: 'text' }): Zone[] {
  const zones: Zone[] = []
  if (leaf.places.some((place) => place !== 'header' && place !== 'body')) zones.push(0)
  if (leaf.places.includes('header')) zones.push(1)
  if (leaf.places.includes('body')) zones.push(2)
  return zones
}
