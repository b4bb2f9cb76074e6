import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { RuleHit, VirusOutcome } from '#model/verdict.ts'
import { factsOf } from './facts.ts'
import type { About } from './facts.ts'
import { GTUBE_SCORE, GTUBE_TEXT, hitsOf } from './rules.ts'
import { Views } from './views.ts'
import { graver } from './virus.ts'
import type { VirusScanner } from './virus.ts'

export interface Findings {
  readonly virus: VirusOutcome
  readonly hits: readonly RuleHit[]
  readonly score: number
}

/** Looks at the content of one whole message. */
export async function scanMessage(
  octets: Octets,
  about: About,
  scanners: readonly VirusScanner[],
): Promise<Findings> {
  const views = new Views(octets)
  let virus: VirusOutcome = { kind: 'clean' }
  let isGtube = false
  for (const view of views.of(octets)) {
    isGtube ||= bufferOf(view).includes(GTUBE_TEXT, 0, 'latin1')
    for (const scanner of scanners) virus = graver(virus, await scanner.scan(view))
    if (virus.kind === 'infected') break
  }
  if (views.cut !== undefined) virus = graver(virus, { kind: 'unscannable', reason: views.cut })
  const indexer = new MimeIndexer()
  indexer.feed(octets)
  const hits = [
    ...hitsOf(factsOf(octets, indexer.finish(), about)),
    ...(isGtube
      ? [{ name: 'GTUBE', score: GTUBE_SCORE, detail: 'the test for spam filters' }]
      : []),
  ]
  const sum = hits.reduce((total, hit) => total + hit.score, 0)
  return { virus, hits, score: Math.round(sum * 10) / 10 }
}
