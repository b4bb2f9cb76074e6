/** What may be done with what is shown; undefined: it may not. */
export interface Doings {
  readonly archive: (() => void) | undefined
  readonly junk: (() => void) | undefined
  readonly remove: (() => void) | undefined
  readonly move: () => void
  readonly restore: () => void
  readonly star: ((ids: readonly string[]) => void) | undefined
  readonly unread: ((ids: readonly string[]) => void) | undefined
}
