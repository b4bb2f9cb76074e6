import type { Octets } from '#base/octets.ts'
import { headerLength } from '#codec/mime/header.ts'
import type { Verdict, VirusOutcome } from '#model/verdict.ts'

import { headerView } from './header-view.ts'
import type { SieveMessage } from './message.ts'

/** The message's side of a SieveMessage: read once for all recipients. */
export type SieveContent = Pick<
  SieveMessage,
  | 'sizeBytes'
  | 'header'
  | 'addresses'
  | 'addressFields'
  | 'spamValue'
  | 'virusValue'
  | 'content'
  | 'isCut'
>

/** Of a verdict what scripts ask for. */
export type SieveVerdict = Pick<Verdict, 'class'> & Partial<Pick<Verdict, 'virus'>>

/** A message for scripts: `content` is its octets, or what there is of them, its header at least. */
export function sieveContent(
  content: Octets,
  sizeBytes: number,
  verdict: SieveVerdict | undefined,
): SieveContent {
  return {
    ...headerView(content.subarray(0, headerLength(content))),
    sizeBytes,
    content,
    isCut: content.byteLength < sizeBytes,
    spamValue: spamValue(verdict),
    virusValue: virusValue(verdict?.virus),
  }
}

/** RFC 5235 §3.2: 0 is untested, 10 certainly spam. */
function spamValue(verdict: SieveVerdict | undefined): number {
  switch (verdict?.class) {
    case undefined:
      return 0
    case 'clean':
      return 1
    case 'suspected':
      return 6
    case 'spam':
      return 10
  }
}

/** RFC 5235 §3.3: 0 is untested, 1 clean, 4 perhaps infected, 5 infected. */
function virusValue(virus: VirusOutcome | undefined): number {
  switch (virus?.kind) {
    case undefined:
    case 'unavailable':
      return 0
    case 'clean':
      return 1
    case 'unscannable':
      return 4
    case 'infected':
      return 5
  }
}
