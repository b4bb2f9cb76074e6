import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { Door } from '#model/envelope.ts'
import type { AuthResult, RuleHit, VirusOutcome } from '#model/verdict.ts'

/** What a judge is told about a message, beside its octets. */
export interface JudgeWork {
  readonly door: Door
  readonly recipients: number
  readonly nowMs: number
  /** Present where the sender's domain is to be checked: mail from outside. */
  readonly sender?: {
    readonly ip: string
    readonly helo: string
    readonly reversePath: Address | null
    readonly hostname: string
  }
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
      readonly question: number
      readonly name: string
      readonly type: string
    }
