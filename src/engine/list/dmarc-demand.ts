import { domainToASCII } from 'node:url'
import { asciiLower } from '#base/text.ts'
import { HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

/**
 * What the domain of an author wants of mail that does not come from there. strict: it is to be
 * refused or put aside (p=quarantine, p=reject) · lax: nothing · unknown: nobody could tell.
 */
export type DmarcDemand = 'strict' | 'lax' | 'unknown'

/** TXT records of a name; undefined: nobody could tell now. */
export type AskText = (name: string) => Promise<readonly string[] | undefined>

const DOMAINS_KEPT_MAX = 5_000
const KEPT_MS = HOUR_MS
/** RFC 9989 §4.10: names that a walk up the tree asks at most. */
const STEPS_MAX = 8

/** Asks the name service what domains demand (RFC 9989 §4.10), and remembers it for an hour. */
export class DmarcDemands {
  readonly #ask: AskText
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly demand: DmarcDemand; readonly untilMs: number }>()

  constructor(parts: { readonly ask: AskText; readonly clock: Clock }) {
    this.#ask = parts.ask
    this.#clock = parts.clock
  }

  async of(domain: string): Promise<DmarcDemand> {
    const name = asciiLower(domainToASCII(domain) || domain)
    const nowMs = this.#clock.monotonicMs()
    const known = this.#known.get(name)
    if (known !== undefined && known.untilMs > nowMs) return known.demand
    const demand = await this.#walk(name)
    if (demand === 'unknown') return demand
    if (this.#known.size >= DOMAINS_KEPT_MAX) this.#known.clear()
    this.#known.set(name, { demand, untilMs: nowMs + KEPT_MS })
    return demand
  }

  /** The record of the domain itself by its p, of one above it by its sp. */
  async #walk(domain: string): Promise<DmarcDemand> {
    const labels = domain.split('.')
    if (labels.length > STEPS_MAX) labels.splice(1, labels.length - STEPS_MAX)
    for (let from = 0; from < labels.length; from++) {
      const name = labels.slice(from).join('.')
      const texts = await this.#ask(`_dmarc.${name}`)
      if (texts === undefined) return 'unknown'
      const [record, ...more] = texts.filter((text) => /^v=DMARC1\s*(?:;|$)/.test(text))
      if (record === undefined || more.length > 0) continue
      return demandOf(record, from > 0)
    }
    return 'lax'
  }
}

function demandOf(record: string, isAbove: boolean): DmarcDemand {
  const tags = new Map(
    record.split(';').map((part) => {
      const [name = '', ...value] = part.split('=')
      return [asciiLower(name.trim()), asciiLower(value.join('=').trim())] as const
    }),
  )
  const policy = (isAbove ? tags.get('sp') : undefined) ?? tags.get('p')
  return policy === 'reject' || policy === 'quarantine' ? 'strict' : 'lax'
}
