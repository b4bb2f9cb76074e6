/** A mailing list as another system has it: its people are addresses there, and persons only here. */
export interface ForeignList {
  /** `minna@lists.example`; a bare `minna` where its files do not tell the domain. */
  readonly address: string
  /** One line, for people. */
  readonly name?: string
  readonly description?: string
  /** Addresses. */
  readonly owners: readonly string[]
  readonly moderators: readonly string[]
  readonly members: readonly ForeignMember[]
  /** Who may post, as model/list.ts has it. */
  readonly posting?: 'members' | 'domain' | 'anyone' | 'moderated' | 'announce'
  /** What becomes of a post by others. */
  readonly others?: 'hold' | 'refuse'
  readonly subscription?: 'closed' | 'confirm' | 'open' | 'approve'
  /** Absent: everybody may leave by oneself. */
  readonly leaving?: 'owners'
  /** Who may see its members. */
  readonly roster?: 'owners' | 'members'
  /** `[minna:%n]`; `%n` is the number of the post. */
  readonly subjectTag?: string
  readonly replyTo?: 'author' | 'list'
  readonly archive?: 'none' | 'owners' | 'members' | 'public'
  readonly digest?: 'day' | 'week'
  readonly sizeMaxBytes?: number
  readonly language?: 'ja' | 'en'
  /** The number that its next post would have had. */
  readonly nextNumber?: number
  /** What it has and nothing here stands for, a line each, for a report. */
  readonly left: readonly string[]
}

export interface ForeignMember {
  readonly address: string
  readonly name?: string
  readonly delivery: 'each' | 'digest' | 'none'
  /** Each post of theirs waits for a moderator. */
  readonly isModerated?: true
}

/** Members of one list that are read at most; more is refused, never cut. */
export const FOREIGN_MEMBERS_MAX = 200_000
