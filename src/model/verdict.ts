import type { AccountId } from './account.ts'

/** The three classes of spam judgement. */
export type SpamClass = 'clean' | 'suspected' | 'spam'

/** One named rule that fired. */
export interface RuleHit {
  readonly name: string
  readonly score: number
  /** What it saw, one line, for people. */
  readonly detail?: string
}

/** The four virus outcomes: each has a policy of its own. */
export type VirusOutcome =
  | { readonly kind: 'clean' }
  | { readonly kind: 'infected'; readonly name: string }
  | { readonly kind: 'unscannable'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** The words for a result (RFC 8601 §2.7). */
export const SENDER_RESULTS = [
  'none',
  'neutral',
  'pass',
  'fail',
  'softfail',
  'policy',
  'temperror',
  'permerror',
] as const
export type SenderResult = (typeof SENDER_RESULTS)[number]

/** One authentication result (RFC 8601). */
export interface AuthResult {
  readonly method: 'spf' | 'dkim' | 'dmarc'
  readonly result: SenderResult
  /** `smtp.mailfrom=a@b` and the like, already safe for a header. */
  readonly properties: readonly (readonly [name: string, value: string])[]
}

/** What the judges found out about one message, with the evidence. Made once, stored, explainable. */
export interface Verdict {
  readonly class: SpamClass
  readonly score: number
  readonly hits: readonly RuleHit[]
  readonly virus: VirusOutcome
  readonly auth: readonly AuthResult[]
  /** Names the verdict to people: shown in refusals and fields. */
  readonly caseId: string
  /** Empty: complete. Otherwise what was missing: `dns`, `sender`, `judge`, `size` … Nothing fails open in silence. */
  readonly degraded: readonly string[]
  /** Who logged in to send it, and may use the addresses that its header names as senders. */
  readonly submittedBy?: AccountId
}

/** What policy makes of a verdict, per recipient. */
export type Disposition =
  | { readonly kind: 'accept'; readonly class: SpamClass }
  | { readonly kind: 'reject'; readonly reason: string }
  | { readonly kind: 'defer'; readonly reason: string }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'discard'; readonly reason: string }
