import { domainToASCII } from 'node:url'
import { isIP, isIPv6 } from 'node:net'
import { withDeadline } from '#base/deadline.ts'
import { messageOf } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'
import type { Clock } from '#base/time.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { askServer, parseServer } from './exchange.ts'
import type { Server } from './exchange.ts'
import type { Question, RecordData, RecordType } from './wire.ts'

/**
 * found: records of the name · none: the name server says that there are none (`exists` tells a
 * name without such records from no such name) · temperror: nobody could tell in time; ask again later.
 */
export type DnsAnswer<T = RecordData> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  | { readonly kind: 'none'; readonly exists: boolean }
  | { readonly kind: 'temperror'; readonly reason: string }

/** One exchanger of a domain; the lowest preference is asked first. */
interface Exchanger {
  readonly host: string
  readonly preference: number
}

/** null: the domain takes no mail at all (RFC 7505 §3). */
export type MxAnswer = DnsAnswer<Exchanger> | { readonly kind: 'null' }

export interface ResolverOptions {
  /** `HOST:PORT`, asked in this order; one that was silent moves to the end for a while. */
  readonly servers: readonly string[]
  /** What one server has for one answer. */
  readonly timeoutMs: number
  /** What one question has in all. */
  readonly lookupMs?: number
  readonly clock: Clock
}

const LOOKUP_MS = 5 * SECOND_MS
const ROUNDS = 2
const TTL_MS_MAX = HOUR_MS
const NEGATIVE_TTL_MS_MAX = 5 * MINUTE_MS
const CACHE_ENTRIES_MAX = 20_000
const ALIAS_STEPS_MAX = 8
const SHUNNED_MS = 30 * SECOND_MS

interface Cached {
  readonly answer: DnsAnswer
  readonly untilMs: number
}

/** Servers, cache and questions under way; shared by all budgets. */
interface Core {
  readonly options: ResolverOptions
  readonly servers: readonly Server[]
  readonly cache: Map<string, Cached>
  readonly asking: Map<string, Promise<DnsAnswer>>
  readonly shunnedUntil: Map<Server, number>
}

/** A stub resolver with a cache. It never throws: what it cannot find out is `temperror`. */
export class Resolver {
  readonly #core: Core
  readonly #endsAtMs: number | undefined

  constructor(
    options: ResolverOptions,
    share?: { readonly core: Core; readonly endsAtMs: number },
  ) {
    this.#core = share?.core ?? {
      options,
      servers: options.servers.map(parseServer),
      cache: new Map(),
      asking: new Map(),
      shunnedUntil: new Map(),
    }
    this.#endsAtMs = share?.endsAtMs
  }

  /** The same resolver for one piece of work, all of whose questions end within `budgetMs` from now. */
  within(budgetMs: number): Resolver {
    const endsAtMs = this.#core.options.clock.monotonicMs() + budgetMs
    return new Resolver(this.#core.options, {
      core: this.#core,
      endsAtMs: Math.min(endsAtMs, this.#endsAtMs ?? Number.POSITIVE_INFINITY),
    })
  }

  /** Exchangers by preference; a name without MX records is its own (RFC 5321 §5.1). */
  async mx(domain: string): Promise<MxAnswer> {
    const answer = await this.query(domain, 'MX')
    if (answer.kind === 'none' && answer.exists)
      return { kind: 'found', records: [{ host: asciiName(domain) ?? domain, preference: 0 }] }
    if (answer.kind !== 'found') return answer
    const records = answer.records
      .filter((record) => record.text !== '') // an empty name beside others is an error of theirs
      .map((record) => ({ host: record.text, preference: record.preference ?? 0 }))
      .toSorted((a, b) => a.preference - b.preference)
    return records.length === 0 ? { kind: 'null' } : { kind: 'found', records }
  }

  /** IPv6 and IPv4 addresses of a host; an address or `localhost` (RFC 6761 §6.3) is answered from here. */
  async addresses(host: string): Promise<DnsAnswer<string>> {
    if (isIP(host) !== 0) return { kind: 'found', records: [host] }
    if (/(?:^|\.)localhost$/i.test(host)) return { kind: 'found', records: ['127.0.0.1', '::1'] }
    const [six, four] = await Promise.all([this.query(host, 'AAAA'), this.query(host, 'A')])
    const records = [six, four]
      .flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
      .map((record) => record.text)
    if (records.length > 0) return { kind: 'found', records }
    if (six.kind === 'temperror') return six
    if (four.kind === 'temperror') return four
    return { kind: 'none', exists: [six, four].some((a) => a.kind === 'none' && a.exists) }
  }

  /** Texts of a name, their strings joined, one character an octet. */
  async txt(name: string): Promise<DnsAnswer<string>> {
    return textsOf(await this.query(name, 'TXT'))
  }

  /** Names of an address. */
  async ptr(ip: string): Promise<DnsAnswer<string>> {
    return textsOf(await this.query(reverseName(ip), 'PTR'))
  }

  async query(name: string, type: RecordType): Promise<DnsAnswer> {
    const ascii = asciiName(name)
    if (ascii === undefined) return { kind: 'none', exists: false } // no such name can exist
    const { clock } = this.#core.options
    const key = `${type} ${ascii}`
    const cached = this.#core.cache.get(key)
    if (cached !== undefined && cached.untilMs > clock.monotonicMs()) return cached.answer
    const leftMs = (this.#endsAtMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs()
    if (leftMs <= 0) return { kind: 'temperror', reason: 'no time left for name servers' }
    let asking = this.#core.asking.get(key)
    if (asking === undefined) {
      asking = lookUp(this.#core, { name: ascii, type }).finally(() =>
        this.#core.asking.delete(key),
      )
      this.#core.asking.set(key, asking)
    }
    if (leftMs === Number.POSITIVE_INFINITY) return asking
    return withDeadline(asking, { clock, timeoutMs: leftMs, what: `look-up of ${ascii}` }).catch(
      (thrown: unknown) => ({ kind: 'temperror', reason: messageOf(thrown) }),
    )
  }
}

const textsOf = (answer: DnsAnswer): DnsAnswer<string> =>
  answer.kind === 'found'
    ? { kind: 'found', records: answer.records.map((record) => record.text) }
    : answer

async function lookUp(core: Core, question: Question): Promise<DnsAnswer> {
  const { clock, lookupMs = LOOKUP_MS } = core.options
  const endsAtMs = clock.monotonicMs() + lookupMs
  let name = question.name
  let ttlS = Number.POSITIVE_INFINITY
  for (let step = 0; step < ALIAS_STEPS_MAX; step++) {
    const reading = await askServers(core, { name, type: question.type }, endsAtMs)
    if (reading.kind === 'temperror') return reading
    ttlS = Math.min(ttlS, reading.ttlS)
    if (reading.kind === 'alias') {
      name = reading.name
      continue
    }
    const answer: DnsAnswer =
      reading.kind === 'found'
        ? { kind: 'found', records: reading.records }
        : { kind: 'none', exists: reading.exists }
    remember(core, question, { answer, ttlS })
    return answer
  }
  return { kind: 'temperror', reason: `${question.name}: too many aliases` }
}

async function askServers(core: Core, question: Question, endsAtMs: number) {
  const { clock, timeoutMs } = core.options
  let reason = 'no name server is set'
  for (let round = 0; round < ROUNDS; round++) {
    const now = clock.monotonicMs()
    const shunned = (server: Server): number => ((core.shunnedUntil.get(server) ?? 0) > now ? 1 : 0)
    for (const server of core.servers.toSorted((a, b) => shunned(a) - shunned(b))) {
      const leftMs = endsAtMs - clock.monotonicMs()
      if (leftMs <= 0) return { kind: 'temperror', reason } as const
      try {
        const reading = await askServer(server, question, {
          clock,
          timeoutMs: Math.min(timeoutMs, leftMs),
        })
        core.shunnedUntil.delete(server)
        if (reading.kind !== 'refused') return reading
        reason = `name server ${server.host}: ${reading.rcode}`
      } catch (thrown) {
        core.shunnedUntil.set(server, clock.monotonicMs() + SHUNNED_MS)
        reason = messageOf(thrown)
      }
    }
  }
  return { kind: 'temperror', reason } as const
}

function remember(
  core: Core,
  question: Question,
  known: { readonly answer: DnsAnswer; readonly ttlS: number },
): void {
  const cap = known.answer.kind === 'found' ? TTL_MS_MAX : NEGATIVE_TTL_MS_MAX
  const ttlMs = Math.min(known.ttlS * SECOND_MS, cap)
  if (ttlMs <= 0) return
  const key = `${question.type} ${question.name}`
  core.cache.delete(key)
  if (core.cache.size >= CACHE_ENTRIES_MAX) {
    const oldest = core.cache.keys().next().value
    if (oldest !== undefined) core.cache.delete(oldest)
  }
  core.cache.set(key, {
    answer: known.answer,
    untilMs: core.options.clock.monotonicMs() + ttlMs,
  })
}

/** The name as it goes over the wire, lower-case, U-labels as A-labels; undefined where it cannot be asked for. */
function asciiName(name: string): string | undefined {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  const ascii = asciiLower(/[^\u0000-\u007f]/.test(bare) ? domainToASCII(bare) : bare)
  const fits =
    ascii.length <= 253 &&
    ascii.split('.').every((label) => /^[\u0021-\u007e]{1,63}$/.test(label) && label !== '')
  return fits ? ascii : undefined
}

/** `7.2.0.192.in-addr.arpa`, or the nibbles of an IPv6 address under ip6.arpa (RFC 3596 §2.5). */
function reverseName(ip: string): string {
  if (!isIPv6(ip)) return `${ip.split('.').toReversed().join('.')}.in-addr.arpa`
  const hex = (text: string): string[] =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          if (!group.includes('.')) return [group.padStart(4, '0')]
          const octets = group.split('.').map((n) => Number(n).toString(16).padStart(2, '0'))
          return [`${octets[0]}${octets[1]}`, `${octets[2]}${octets[3]}`]
        })
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::')
  const front = hex(head)
  const back = hex(tail ?? '')
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0000'), ...back]
  return `${groups.join('').split('').toReversed().join('.')}.ip6.arpa`
}
