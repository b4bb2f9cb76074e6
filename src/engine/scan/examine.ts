import type { Octets } from '#base/octets.ts'
import type { Door } from '#model/envelope.ts'
import type { AuthResult, RuleHit, VirusOutcome } from '#model/verdict.ts'

import { hitsOf } from './rules.ts'
import { viewsOf } from './views.ts'
import { eicarScanner, scanForViruses } from './virus.ts'

/** What the content of a message shows; its class follows from thresholds later. */
export interface Findings {
  readonly hits: readonly RuleHit[]
  readonly virus: VirusOutcome
}

const SCANNERS = [eicarScanner] as const

/** Looks at a whole message. For the process that may die of it. */
export function examine(
  content: Octets,
  about: {
    readonly auth: readonly AuthResult[]
    readonly door: Door
    readonly recipients: number
    readonly nowMs: number
  },
): Findings {
  const views = viewsOf(content)
  return { hits: hitsOf({ views, ...about }), virus: scanForViruses(views, SCANNERS) }
}
