import type { AccountId } from './account.ts'
import type { Address } from './address.ts'
import type { FILTER_FIELDS, FILTER_FLAGS, JUNK_TARGETS } from './choice-limits.ts'

/** What somebody wants of the own mail: data, which scripts are made of and nobody edits as text. */
export interface Choices {
  readonly accountId: AccountId
  /** Grows with each change, so that of two pages the second one learns of the first. */
  readonly revision: number
  readonly junk?: JunkChoice
  readonly vacation?: Vacation
  /** Senders whose mail goes to Trash. */
  readonly blocked?: readonly Sender[]
  /** Senders whose mail is never filed as junk. */
  readonly welcome?: readonly Sender[]
  /** In their order. */
  readonly filters?: readonly MailFilter[]
  /** Named sets of senders, for the person's own scripts to ask. */
  readonly lists?: readonly SenderList[]
  /** Addresses elsewhere that were shown to be read by this person. */
  readonly proved?: readonly ProvedAddress[]
  /** Addresses elsewhere that were written to, and nobody has answered yet. */
  readonly awaited?: readonly AwaitedProof[]
  /** Where else this person is reached; proved. */
  readonly contact?: Address
  /** Addresses that were chosen by the person, among the further ones of the account. */
  readonly chosen?: readonly ChosenAddress[]
  /** When an address was chosen or changed last, in ISO 8601 and UTC. */
  readonly choseAt?: string
}

/** What one may choose freely; the rest has rules of its own. */
export const CHOICE_PARTS = ['junk', 'vacation', 'blocked', 'welcome', 'filters', 'lists'] as const
export type ChoicePart = (typeof CHOICE_PARTS)[number]
/** Null takes a part back to what it is for everybody. */
export type ChoicesPatch = { readonly [P in ChoicePart]?: Choices[P] | null | undefined }

export type JunkTarget = (typeof JUNK_TARGETS)[number]

export interface JunkChoice {
  readonly spam: JunkTarget
  readonly suspected: JunkTarget
}

export const DEFAULT_JUNK: JunkChoice = { spam: 'folder', suspected: 'folder' }

/** An address, or a domain with all below it. */
export type Sender = string & { readonly __brand: 'Sender' }

export interface SenderList {
  /** Of its person alone; as it is written in a tag URI. */
  readonly name: string
  readonly senders: readonly Sender[]
}

export interface Vacation {
  readonly isOn: boolean
  /** The first moment, ISO 8601 and UTC; absent: at once. */
  readonly from?: string
  /** The first moment after it. */
  readonly until?: string
  readonly subject?: string
  /** Empty: one that says no more than that somebody is away. */
  readonly text: string
  /** The text as HTML, which is sent beside it, where a program has written it so. */
  readonly html?: string
  /** What everybody else than colleagues is answered; absent: the same. */
  readonly outsideText?: string
  /** One answer to a sender in so many days. */
  readonly days: number
  /** Who gets an answer: everybody, or those of our own domains. */
  readonly to: 'everybody' | 'colleagues'
}

export type FilterField = (typeof FILTER_FIELDS)[number]
export type FilterFlag = (typeof FILTER_FLAGS)[number]

export interface FilterCondition {
  readonly field: FilterField
  readonly is: 'contains' | 'equals'
  readonly not?: true
  readonly value: string
}

export interface MailFilter {
  readonly name: string
  readonly isOff?: true
  readonly match: 'all' | 'any'
  readonly conditions: readonly FilterCondition[]
  /** A mailbox, `/` between its components; made where it is missing. */
  readonly folder?: string
  /** A copy stays in the inbox. */
  readonly copy?: true
  readonly flags?: readonly FilterFlag[]
  /** No later filter is looked at. */
  readonly stop?: true
}

export interface ProvedAddress {
  readonly address: Address
  readonly at: string
}

export interface AwaitedProof {
  readonly address: Address
  readonly use: 'forward' | 'contact'
  /** SHA-256 of the code that was mailed, in hex. */
  readonly codeHash: string
  /** Of a forward: no copy stays here. Absent: one does. */
  readonly keep?: false
  readonly expiresAt: string
}

export interface ChosenAddress {
  readonly address: Address
  readonly since: string
}

/** The choices after a change of these parts; what is as it is for everybody is not kept. */
export function withParts(before: Choices, patch: ChoicesPatch): Choices {
  const after: Record<string, unknown> = { ...before, revision: before.revision + 1 }
  for (const part of CHOICE_PARTS) {
    const value = patch[part]
    if (value === undefined) continue
    if (value === null || (Array.isArray(value) && value.length === 0)) delete after[part]
    else after[part] = value
  }
  return after as unknown as Choices
}

export const noChoices = (accountId: AccountId): Choices => ({ accountId, revision: 0 })
