import type { NetworkSet } from './network-set.ts'

/** What every option says to the reader of the manual. */
interface Doc {
  readonly en: string
  readonly ja: string
}

interface Bounded {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly doc: Doc
}

interface OptionTypes {
  readonly integer: Bounded
  readonly number: Bounded
  /** Milliseconds; written `5d`, `4h`, `90s`, `250ms` as well. */
  readonly duration: Bounded
  /** Octets; written `50MiB` as well. */
  readonly size: Bounded
  readonly boolean: { readonly default: boolean; readonly doc: Doc }
  /** Durations in order. */
  readonly durations: {
    readonly default: readonly number[]
    readonly min: number
    readonly max: number
    readonly countMax: number
    readonly doc: Doc
  }
  /** `HOST:PORT`, `[IPV6]:PORT`; the port may be left out. */
  readonly servers: {
    readonly default: readonly string[]
    readonly port: number
    readonly countMax: number
    readonly doc: Doc
  }
  /** Networks of IPv4 and IPv6, as many as it takes: kept apart from the generation, by hash. */
  readonly networks: { readonly default: readonly string[]; readonly doc: Doc }
  /** A name of the time zone database; empty: that of each machine. */
  readonly zone: { readonly default: string; readonly doc: Doc }
  /** Words of a line each, at most `countMax` of them. */
  readonly words: {
    readonly default: readonly string[]
    readonly countMax: number
    readonly doc: Doc
  }
  /** A Sieve script (RFC 5228); empty: none. */
  readonly script: { readonly default: string; readonly bytesMax: number; readonly doc: Doc }
  /** `https://HOST` or `https://HOST:PORT`; empty: none. */
  readonly origin: { readonly default: string; readonly doc: Doc }
  /** One of a few words. */
  readonly choice: {
    readonly default: string
    readonly oneOf: readonly string[]
    readonly doc: Doc
  }
  readonly action: {
    readonly default: PolicyAction
    /** What it may be; absent: every action. */
    readonly oneOf?: readonly PolicyAction[]
    readonly doc: Doc
  }
}

export interface Values {
  readonly integer: number
  readonly number: number
  readonly duration: number
  readonly size: number
  readonly boolean: boolean
  readonly durations: readonly number[]
  readonly servers: readonly string[]
  readonly networks: NetworkSet
  readonly zone: string
  readonly words: readonly string[]
  readonly script: string
  readonly origin: string
  readonly choice: string
  readonly action: PolicyAction
}

/** What policy may do with a message of a class. */
export type PolicyAction = 'accept' | 'reject' | 'defer' | 'hold' | 'discard'
const POLICY_ACTIONS: readonly PolicyAction[] = ['accept', 'reject', 'defer', 'hold', 'discard']

/** What a policy setting may be. */
export const actionsOf = (option: OptionTypes['action']): readonly PolicyAction[] =>
  option.oneOf ?? POLICY_ACTIONS

export type OptionType = keyof OptionTypes
export type Option<T extends OptionType = OptionType> = {
  readonly [K in T]: { readonly type: K } & OptionTypes[K]
}[T]
