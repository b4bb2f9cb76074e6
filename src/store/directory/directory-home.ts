import type { ChangeAuthor } from './directory-log.ts'
import type { DirectoryKey, DirectoryRow } from './directory.ts'

/** Where rows are written before the log takes them: servers of others, who may change them as well. */
export interface DirectoryHome {
  /**
   * All edits or none. Nothing is written where rows there are not as they were before: those are
   * answered, except for keys of `over`, which become what is written whatever lies there. Throws Fault
   * `unavailable` where nothing can be written now.
   */
  write(write: {
    readonly edits: readonly HomeEdit[]
    readonly by: ChangeAuthor
    readonly atMs: number
    readonly over: ReadonlySet<DirectoryKey>
  }): Promise<{ readonly kind: 'written'; readonly mark?: string } | HomeChanged>
  /** Makes one row there what it is here, as far as that can be done now; never throws. */
  put(put: {
    readonly key: DirectoryKey
    readonly row: DirectoryRow
    readonly atMs: number
  }): Promise<void>
  /** Whether two rows are one there. */
  isSame(a: DirectoryRow, b: DirectoryRow): boolean
}

export interface HomeEdit {
  readonly key: DirectoryKey
  readonly before: DirectoryRow | null
  readonly row: DirectoryRow | null
}

/** Somebody else was there first. */
export interface HomeChanged {
  readonly kind: 'changed'
  readonly found: readonly FoundRow[]
}

/** What lies in the home, and who has made it so. */
export interface FoundRow {
  readonly key: DirectoryKey
  readonly row: DirectoryRow | null
  readonly by: ChangeAuthor
  /** Grows with each change there. */
  readonly mark?: string
  /** It is not quite what lies there, which has to become so. */
  readonly isSettled?: true
}

/** A row of the home that is not taken, since it breaks a rule. */
export interface RefusedRow {
  readonly key: DirectoryKey
  readonly message: string
}
