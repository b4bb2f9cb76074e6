import type { HeaderField } from '#codec/mime/header.ts'
import { asciiLower } from '#base/text.ts'
import { formatAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'

import type { PostAuthor } from './author.ts'
import { LOOP_FIELD, listIdOf } from './headers.ts'
import type { ListEnvelope } from './incoming.ts'

/** Why a post waits; words for people are made of it (`notices.ts`). */
export type HoldReason =
  | 'moderated' // each post of the list does
  | 'notAllowed' // its author may not post without a word of a moderator
  | 'unproved' // it may be in another's name
  | 'spam'
  | 'loop' // it has gone through too many servers
  | 'attachment'
  | 'tooMany' // its author is to confirm that so many are meant

/** Why it is not taken at all; its author is told, where it surely is the author. */
export type RefusalReason = 'closed' | 'tooLarge' | 'attachment' | 'infected' | 'notAllowed'

/** Why nobody ever hears of it: it is no post. */
export type DropReason =
  | 'bounce' // a null reverse-path: reports and automatic answers
  | 'automatic'
  | 'loop' // it was here
  | 'duplicate'

export type Decision =
  | { readonly kind: 'post' }
  | { readonly kind: 'hold'; readonly reason: HoldReason }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }
  | { readonly kind: 'drop'; readonly reason: DropReason }

/** What is known of a post when it is decided about. */
export interface PostFacts {
  readonly list: MailingList
  readonly envelope: Pick<ListEnvelope, 'reversePath' | 'verdict'>
  readonly fields: readonly HeaderField[]
  readonly sizeBytes: number
  readonly hasAttachment: boolean
  /** Undefined: nobody is named. */
  readonly author: PostAuthor | undefined
  readonly is: {
    /** Of the list, by any address. */
    readonly member: boolean
    /** Somebody with an account here. */
    readonly ofDomain: boolean
    readonly moderator: boolean
  }
  /** The same Message-ID was posted lately. */
  readonly isDuplicate: boolean
  readonly recipients: number
}

/** Servers that a post may have come through; more are a loop that leaves no other sign. */
const RECEIVED_MAX = 30

/** What becomes of a mail to a list, by its rules. Pure. */
export function decide(facts: PostFacts): Decision {
  const { list, envelope, fields, author, is } = facts
  const dropped = dropReason(facts)
  if (dropped !== undefined) return { kind: 'drop', reason: dropped }
  if (list.isClosed === true) return { kind: 'refuse', reason: 'closed' }
  if (list.sizeMaxBytes !== undefined && facts.sizeBytes > list.sizeMaxBytes)
    return { kind: 'refuse', reason: 'tooLarge' }
  if (envelope.verdict?.virus.kind === 'infected') return { kind: 'refuse', reason: 'infected' }
  if (list.attachments === 'refuse' && facts.hasAttachment)
    return { kind: 'refuse', reason: 'attachment' }
  if (fields.filter(({ key }) => key === 'received').length > RECEIVED_MAX)
    return { kind: 'hold', reason: 'loop' }
  if (author === undefined || author.standing === 'failed')
    return { kind: 'hold', reason: 'unproved' }
  const spam = envelope.verdict?.class ?? 'clean'
  if (spam !== 'clean' || envelope.verdict?.virus.kind === 'unscannable')
    return { kind: 'hold', reason: 'spam' }
  // A moderator is believed at their word only where it surely is theirs.
  const isModerator = is.moderator && author.standing === 'proved'
  if (list.posting === 'moderated' && !isModerator) return { kind: 'hold', reason: 'moderated' }
  if (!isModerator && !mayPost(facts))
    return list.others === 'refuse'
      ? { kind: 'refuse', reason: 'notAllowed' }
      : { kind: 'hold', reason: 'notAllowed' }
  return list.warnAbove !== undefined && facts.recipients > list.warnAbove
    ? { kind: 'hold', reason: 'tooMany' }
    : { kind: 'post' }
}

function mayPost({ list, is }: PostFacts): boolean {
  switch (list.posting) {
    case 'anyone':
      return true
    case 'domain':
      return is.ofDomain
    case 'members':
      return is.member
    case 'moderated':
      return true
    case 'announce':
      return false
  }
}

function dropReason({ list, envelope, fields, isDuplicate }: PostFacts): DropReason | undefined {
  const all = (key: string): string[] =>
    fields.filter((field) => field.key === key).map(({ value }) => asciiLower(value.trim()))
  const isOwn = (text: string): boolean => text === asciiLower(formatAddress(list.address))
  if (all(LOOP_KEY).some(isOwn)) return 'loop'
  if (all('list-id').some((text) => text.endsWith(`<${listIdOf(list)}>`))) return 'loop'
  // RFC 3834 §2: nothing answers an automatic answer, and none is a post. What programs say of
  // themselves (auto-generated) may be one.
  if (all('auto-submitted').some((text) => /^auto-(?:replied|notified)\b/.test(text)))
    return 'automatic'
  if (all('precedence').some((text) => text === 'junk' || text === 'auto_reply')) return 'automatic'
  if (all('x-autoreply').length > 0 || all('x-autorespond').length > 0) return 'automatic'
  if (envelope.reversePath === null) return 'bounce'
  return isDuplicate ? 'duplicate' : undefined
}

const LOOP_KEY = asciiLower(LOOP_FIELD)
