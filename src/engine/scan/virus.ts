import { bufferOf, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { VirusOutcome } from '#model/verdict.ts'

import type { MessageViews } from './views.ts'

/** One engine that looks for viruses. More of them (archives, clamd) answer through the same interface. */
export interface VirusScanner {
  readonly name: string
  /** The name of what it found, undefined where it found nothing. Throws where it cannot tell. */
  scan(octets: Octets): string | undefined
}

// Written in two pieces, so that this file itself is no test virus.
const EICAR = fromLatin1(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!', 'H+H*'].join('$'),
)

/** The test file that every scanner must find: https://www.eicar.org. */
export const eicarScanner: VirusScanner = {
  name: 'eicar',
  scan: (octets) => (bufferOf(octets).includes(EICAR) ? 'EICAR-Test-File' : undefined),
}

/** Shows every view of every part, and the raw octets, to each scanner. The first find decides. */
export function scanForViruses(
  views: MessageViews,
  scanners: readonly VirusScanner[],
): VirusOutcome {
  const streams = [views.content, ...views.parts.flatMap((part) => part.octets)]
  for (const scanner of scanners) {
    try {
      for (const octets of streams) {
        const name = scanner.scan(octets)
        if (name !== undefined) return { kind: 'infected', name }
      }
    } catch (thrown) {
      return { kind: 'unavailable', reason: `${scanner.name}: ${String(thrown)}` }
    }
  }
  if (views.meta.truncated) return { kind: 'unscannable', reason: 'nested or split too far' }
  return { kind: 'clean' }
}
