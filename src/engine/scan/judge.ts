import type { Octets } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import type { Door, Peer } from '#model/envelope.ts'
import type { SpamClass, Verdict } from '#model/verdict.ts'

/** A whole message that can be read piece by piece. */
export interface OctetSource {
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Octets>
}

/** Scores from which on a message is of a class. */
export interface Thresholds {
  readonly suspectedScore: number
  readonly spamScore: number
}

export interface JudgeAsk {
  readonly source: OctetSource
  readonly reversePath: Address | null
  readonly recipients: readonly Address[]
  readonly peer: Peer
  readonly door: Door
  /** Left out: by the message's own trace fields. */
  readonly nowMs?: number
  readonly caseId: string
  readonly thresholds: Thresholds
  /** After so long the message is `unscannable`. */
  readonly timeoutMs: number
}

/** Finds out about one message. Never throws: what goes wrong is in the verdict. */
export interface Judge {
  judge(ask: JudgeAsk): Promise<Verdict>
}

export function classOf(score: number, thresholds: Thresholds): SpamClass {
  if (score >= thresholds.spamScore) return 'spam'
  return score >= thresholds.suspectedScore ? 'suspected' : 'clean'
}
