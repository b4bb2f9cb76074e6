import type { FetchItem } from '#codec/imap/fetch-item.ts'
import type { TextKind } from '#server/imap/view/shown-texts.ts'

/** What a FETCH asks for, sorted out once. */
export interface FetchPlan {
  readonly items: readonly FetchItem[]
  /** Those that are rendered from the stored meta. */
  readonly texts: readonly TextKind[]
  /** Octets of messages. */
  readonly hasSections: boolean
  readonly needsIds: boolean
}
