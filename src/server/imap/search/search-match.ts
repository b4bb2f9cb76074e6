import { assertNever } from '#base/outcome.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS, zoneMinutesAt } from '#base/time.ts'
import { headerDay } from '#codec/imap/date.ts'
import type { SearchKey } from '#codec/imap/search-key.ts'
import { inRanges, resolveSet } from '#codec/imap/sequence-set.ts'
import type { Ranges } from '#codec/imap/sequence-set.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { foldText, hasText } from '#codec/mime/fold-text.ts'
import type { SearchQuery } from '#store/search/query.ts'
import { addressText } from '#codec/mime/message-texts.ts'
import type { Facts } from './search-facts.ts'
import { queryOf } from './search-index.ts'
import type { Oracle } from './search-index.ts'
import type { Selected } from '#server/imap/view/selected.ts'

/** What a key still lacks to be decided. */
export interface Needs {
  message: boolean
  ids: boolean
  fields: boolean
  bodies: boolean
}

/** A search made ready for one mailbox: texts read, sets resolved. */
export interface Matcher {
  /** Undefined where facts are missing that would decide; `needs` then says which. */
  match(facts: Facts, needs: Needs): boolean | undefined
  readonly usesModSeq: boolean
  /** What `Facts.bodies` is to say of each message. */
  readonly bodyTexts: readonly string[]
  /** Parts that the index can decide. */
  readonly oracles: readonly Oracle[]
}

export function matcher(
  key: SearchKey,
  ask: {
    readonly selected: Selected
    readonly readText: (text: string) => string
    readonly nowMs: number
  },
): Matcher {
  const maker = new MatchMaker(ask)
  const match = maker.make(key)
  const { usesModSeq, bodyTexts, oracles } = maker
  return { match, usesModSeq, bodyTexts: [...bodyTexts], oracles }
}

type Match = (facts: Facts, needs: Needs) => boolean | undefined

class MatchMaker {
  usesModSeq = false
  readonly bodyTexts = new Set<string>()
  readonly oracles: Oracle[] = []
  readonly #selected: Selected
  readonly #readText: (text: string) => string
  readonly #nowMs: number
  constructor(ask: {
    readonly selected: Selected
    readonly readText: (text: string) => string
    readonly nowMs: number
  }) {
    this.#selected = ask.selected
    this.#readText = ask.readText
    this.#nowMs = ask.nowMs
  }

  make(key: SearchKey): Match {
    const query = queryOf(key, this.#readText)
    return query === undefined ? this.#mixed(key) : this.#asked(query, this.#plain(key))
  }

  /** What the index says, where it knows. */
  #asked(query: SearchQuery, match: Match): Match {
    const oracle: Oracle = { query, decide: undefined }
    this.oracles.push(oracle)
    return (facts, needs) => {
      const decided = facts.email === undefined ? undefined : oracle.decide?.(facts.email)
      return decided ?? match(facts, needs)
    }
  }

  /** Keys that ask for texts only are asked for together. */
  #mixed(key: SearchKey): Match {
    if (key.kind === 'not') return negated(this.make(key.key))
    if (key.kind !== 'and' && key.kind !== 'or') return this.#plain(key)
    const others: SearchKey[] = []
    const texts: SearchKey[] = []
    for (const inner of key.keys)
      (queryOf(inner, this.#readText) === undefined ? others : texts).push(inner)
    const grouped: SearchKey[] = texts.length === 0 ? [] : [{ kind: key.kind, keys: texts }]
    const matches = [...others, ...grouped].map((inner) => this.make(inner))
    return key.kind === 'and' ? all(matches) : any(matches)
  }

  #plain(key: SearchKey): Match {
    const { view } = this.#selected
    switch (key.kind) {
      case 'all':
        return () => true
      case 'recent':
        return ({ row }) => this.#selected.isRecentRow(row)
      case 'flag':
        return ({ row }) => ((view.flags[row]! & key.bit) !== 0) === key.on
      case 'keyword':
        return this.#keyword(key)
      case 'sequence':
        return key.set === 'saved'
          ? this.#saved()
          : this.#sequence(resolveSet(key.set, this.#selected.exists))
      case 'uid': {
        if (key.set === 'saved') return this.#saved()
        const ranges = resolveSet(key.set, this.#selected.lastUid)
        return ({ row }) => inRanges(ranges, view.uids[row]!)
      }
      case 'size':
        return key.relation === 'larger'
          ? ({ row }) => view.sizes[row]! > key.sizeBytes
          : ({ row }) => view.sizes[row]! < key.sizeBytes
      case 'internalDay':
        return ({ row }) => byDay(key, localDay(view.internalDatesMs[row]!))
      case 'savedDay': // RFC 8514 §4.3
        return ({ row }) => byDay(key, localDay(view.savedAtMs[row]!))
      case 'age': {
        const limit = this.#nowMs - key.seconds * SECOND_MS // RFC 5032 §3
        return ({ row }) => view.internalDatesMs[row]! >= limit === (key.relation === 'younger')
      }
      case 'modSeq':
        this.usesModSeq = true
        return ({ row }) => view.modSeqs[row]! >= Number(key.atLeast)
      case 'not':
        return negated(this.#plain(key.key))
      case 'and':
        return all(key.keys.map((inner) => this.#plain(inner)))
      case 'or':
        return any(key.keys.map((inner) => this.#plain(inner)))
      default:
        return this.#stored(key)
    }
  }

  #keyword(key: SearchKey & { readonly kind: 'keyword' }): Match {
    const { view } = this.#selected
    const wanted = key.keyword.toUpperCase()
    const slot = view.mailbox.keywords.findIndex((name) => name.toUpperCase() === wanted)
    const bit = slot < 0 ? 0 : 1 << (SYSTEM_FLAGS.length + slot)
    return ({ row }) => ((view.flags[row]! & bit) !== 0) === key.on
  }

  #inBodies(text: string): Match {
    if (text === '') return () => true
    this.bodyTexts.add(text)
    return (facts, needs) => {
      if (facts.bodies !== undefined) return facts.bodies.has(text)
      needs.message = true
      needs.bodies = true
      return undefined
    }
  }

  #saved(): Match {
    const rows = new Set(this.#selected.savedRows())
    return ({ row }) => rows.has(row)
  }

  #sequence(ranges: Ranges): Match {
    return ({ row }) => inRanges(ranges, this.#selected.seqOfRow(row))
  }

  /** Keys that take more than the view. */
  #stored(
    key: SearchKey & {
      readonly kind:
        | 'sentDay'
        | 'header'
        | 'address'
        | 'subject'
        | 'body'
        | 'text'
        | 'emailId'
        | 'threadId'
    },
  ): Match {
    switch (key.kind) {
      case 'emailId':
      case 'threadId':
        return withIds((ids) => ids[key.kind] === key.id)
      case 'sentDay':
        return withMessage(({ meta }) => {
          const day = meta.envelope.date === undefined ? undefined : headerDay(meta.envelope.date)
          return day !== undefined && byDay(key, day)
        })
      case 'address': {
        const text = this.#readText(key.text)
        return withMessage(({ meta }) => hasText(addressText(meta.envelope[key.field]), text))
      }
      case 'subject': {
        const text = this.#readText(key.text)
        return withMessage(({ meta }) =>
          hasText(foldText(decodeWords(meta.envelope.subject ?? '')), text),
        )
      }
      case 'header': {
        const text = this.#readText(key.text)
        const field = key.field.toLowerCase()
        return withFields((fields) =>
          fields.some(([name, value]) => name === field && hasText(value, text)),
        )
      }
      case 'body':
        return this.#inBodies(this.#readText(key.text))
      case 'text': {
        const text = this.#readText(key.text)
        return any([
          withFields((fields) =>
            fields.some(
              ([name, value]) => hasText(value, text) || hasText(`${name}: ${value}`, text),
            ),
          ),
          this.#inBodies(text),
        ])
      }
      default:
        return assertNever(key)
    }
  }
}

/** The day in the calendar of this machine's zone, as FETCH tells the date (RFC 9051 §6.4.4). */
const localDay = (ms: number): number =>
  Math.floor((ms + zoneMinutesAt(ms) * MINUTE_MS) / DAY_MS) * DAY_MS

function byDay(
  key: { readonly relation: 'before' | 'on' | 'since'; readonly dayMs: number },
  day: number,
): boolean {
  if (key.relation === 'on') return day === key.dayMs
  return key.relation === 'before' ? day < key.dayMs : day >= key.dayMs
}

const negated =
  (inner: Match): Match =>
  (facts, needs) => {
    const result = inner(facts, needs)
    return result === undefined ? undefined : !result
  }

/** False as soon as one is; what the others lack is not asked for then. */
const all =
  (inner: readonly Match[]): Match =>
  (facts, needs) => {
    let known = true
    for (const match of inner) {
      const result = match(facts, needs)
      if (result === false) return false
      if (result === undefined) known = false
    }
    return known ? true : undefined
  }

const any = (inner: readonly Match[]): Match => negated(all(inner.map(negated)))

const withIds =
  (test: (ids: NonNullable<Facts['ids']>) => boolean): Match =>
  (facts, needs) => {
    if (facts.ids !== undefined) return test(facts.ids)
    needs.ids = true
    return undefined
  }

const withMessage =
  (test: (message: NonNullable<Facts['message']>) => boolean): Match =>
  (facts, needs) => {
    if (facts.message !== undefined) return test(facts.message)
    needs.message = true
    return undefined
  }

const withFields =
  (test: (fields: NonNullable<Facts['fields']>) => boolean): Match =>
  (facts, needs) => {
    if (facts.fields !== undefined) return test(facts.fields)
    needs.message = true
    needs.fields = true
    return undefined
  }
