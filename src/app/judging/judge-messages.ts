import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { Door, Peer } from '#model/envelope.ts'
import type { AuthResult, RuleHit, VirusOutcome } from '#model/verdict.ts'

/** What a judge is told about a message, beside its octets. */
export interface JudgeWork {
  readonly door: Door
  readonly peer: Peer
  readonly reversePath: Address | null
  readonly recipients: readonly Address[]
  /** Left out: by the message's own trace fields. */
  readonly nowMs?: number
  /** The sender's domain is to be checked: mail from outside. */
  readonly isForeign: boolean
}

/** From the gateway to a judge's process, over its IPC channel. */
export type ToJudge =
  | { readonly kind: 'begin'; readonly id: number; readonly work: JudgeWork }
  | { readonly kind: 'octets'; readonly id: number; readonly octets: Octets }
  | { readonly kind: 'end'; readonly id: number }
  | {
      readonly kind: 'answer'
      readonly question: number
      readonly records?: readonly unknown[]
      readonly code?: string
    }

export type FromJudge =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'findings'
      readonly id: number
      readonly auth: readonly AuthResult[]
      readonly hits: readonly RuleHit[]
      readonly virus: VirusOutcome
    }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string }
  | {
      readonly kind: 'ask'
      /** The message that wants to know: each has a budget of its own. */
      readonly id: number
      readonly question: number
      readonly name: string
      readonly type: string
    }
