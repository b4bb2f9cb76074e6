import { bufferOf, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { VirusOutcome } from '#model/verdict.ts'

/** One engine that looks for viruses; archives and clamd answer by the same interface. */
export interface VirusScanner {
  readonly name: string
  /** Looks at one decoded piece of a message. Never throws: what fails is `unavailable`. */
  scan(piece: Octets): Promise<VirusOutcome>
}

// Written backwards, so that no scanner takes this file for the test file itself.
const EICAR = fromLatin1(
  Array.from('*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X')
    .toReversed()
    .join(''),
)

/** Finds the EICAR test file wherever it stands. */
export const eicarScanner: VirusScanner = {
  name: 'eicar',
  scan: (piece) =>
    Promise.resolve(
      bufferOf(piece).includes(EICAR)
        ? { kind: 'infected', name: 'Eicar-Test-Signature' }
        : { kind: 'clean' },
    ),
}

const GRAVITY = { clean: 0, unavailable: 1, unscannable: 2, infected: 3 } as const

/** The graver of two outcomes. */
export const graver = (a: VirusOutcome, b: VirusOutcome): VirusOutcome =>
  GRAVITY[b.kind] > GRAVITY[a.kind] ? b : a
