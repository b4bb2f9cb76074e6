import { asciiLower } from '#base/text.ts'
import { DELETED } from '#model/mailbox.ts'
import type { EmailId, MailboxId } from '#model/mailbox.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { PARTS_HELD_MAX, partsIn, storedMetas } from '#store/mailbox/meta-records.ts'
import type { StoredMeta } from '#store/mailbox/meta-records.ts'
import type { AccountState, EmailPlace, StoredEmail } from '#store/mailbox/stored-email.ts'
import { invalidProperties, SetRefusal } from '#server/jmap/method/method-error.ts'
import { asked } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'
import { mayIn } from '#server/jmap/shares.ts'

/** An email as JMAP shows it: without its copies that are \Deleted (RFC 8621 §4.1.1). */
export interface Email extends StoredEmail {
  readonly keywords: ReadonlySet<string>
  readonly mailboxIds: ReadonlySet<MailboxId>
}

/** System flags that are keywords of JMAP, by their bit; \Deleted is none. */
export const FLAG_KEYWORDS: readonly (readonly [keyword: string, bit: number])[] = [
  ['$seen', 1],
  ['$answered', 2],
  ['$flagged', 4],
  ['$draft', 16],
]

/** The emails in order; undefined for what is not there. */
export async function loadEmails(
  call: Call,
  ids: readonly string[],
): Promise<{ readonly state: AccountState; readonly emails: readonly (Email | undefined)[] }> {
  const { state, emails } = await call.room.store.emails({
    ...asked(call),
    emailIds: ids as readonly EmailId[],
  })
  return { state, emails: emails.map((email) => email && shown(email)) }
}

export async function accountState(call: Call): Promise<AccountState> {
  return (await call.room.store.emails({ ...asked(call), emailIds: [] })).state
}

function shown(email: StoredEmail): Email | undefined {
  const places = email.places.filter(({ flags }) => (flags & DELETED) === 0)
  if (places.length === 0) return undefined
  return {
    ...email,
    places,
    mailboxIds: new Set(places.map(({ mailboxId }) => mailboxId)),
    keywords: new Set(places.flatMap(keywordsOf)),
  }
}

const keywordsOf = ({ flags, keywords }: EmailPlace): string[] => [
  ...FLAG_KEYWORDS.filter(([, bit]) => (flags & bit) !== 0).map(([keyword]) => keyword),
  ...keywords.map(asciiLower),
]

/** Keywords as the store takes them: bits of system flags, and the others by name. */
export function flagsOf(keywords: Iterable<string>): {
  readonly flags: number
  readonly keywords: readonly string[]
} {
  let flags = 0
  const others: string[] = []
  for (const keyword of keywords) {
    const known = FLAG_KEYWORDS.find(([name]) => name === asciiLower(keyword))
    if (known === undefined) others.push(asciiLower(keyword))
    else flags |= known[1]
  }
  return { flags, keywords: others }
}

/** RFC 8621 §4.1.1: what may be a keyword; what IMAP could not carry may not. */
export const isKeyword = (keyword: string): boolean =>
  /^[\u0021-\u007e]{1,255}$/.test(keyword) && !/[(){\]%*"\\]/.test(keyword)

/** Metas of some emails, and those whose turn comes when these are done with. */
export interface LoadedMetas {
  readonly metas: ReadonlyMap<EmailId, StoredMeta>
  readonly later: readonly Email[]
}

/**
 * The meta of each email, of one at least: mails of many parts come a few at a time. What is not known
 * is asked for by mailbox, together.
 */
export async function loadMetas(call: Call, emails: readonly Email[]): Promise<LoadedMetas> {
  const { metas: known } = call.room
  const found = new Map<EmailId, StoredMeta>()
  const open = emails.filter(({ emailId }) => {
    const meta = known.get(emailId)
    if (meta !== undefined) found.set(emailId, meta)
    return meta === undefined
  })
  const byMailbox = Map.groupBy(open, ({ places }) => places[0]!.mailboxId)
  const later: Email[] = []
  let parts = 0
  await Promise.all(
    Array.from(byMailbox, async ([mailboxId, list]) => {
      const metas = storedMetas(call.room.store, {
        ...asked(call),
        mailboxId,
        uids: list.map(({ places }) => places[0]!.uid),
      })
      let read = 0
      for await (const stored of metas) {
        const { emailId } = list[read++]!
        if (stored === undefined) continue
        found.set(emailId, stored)
        known.keep(emailId, stored)
        parts += partsIn(stored.meta.root, PARTS_HELD_MAX)
        if (parts >= PARTS_HELD_MAX) break
      }
      later.push(...list.slice(read))
    }),
  )
  return { metas: found, later }
}

/** The meta of one email; undefined where it is gone. */
export const loadMeta = async (call: Call, email: Email): Promise<StoredMeta | undefined> =>
  (await loadMetas(call, [email])).metas.get(email.emailId)

export type Mailboxes = ReadonlyMap<string, MailboxRow>

/** Mailboxes that may hold emails. */
export async function mailboxesOf(call: Call): Promise<Mailboxes> {
  const { mailboxes } = await call.room.store.mailboxes(asked(call))
  const shown = mailboxes.filter((row) => !row.noSelect && mayIn(row, 'l'))
  return new Map(shown.map((row) => [row.id, row]))
}

/** Throws SetRefusal `forbidden` where a right to change one of the keywords lacks in one of the mailboxes (RFC 8621 §2). */
export function requireKeywordRights(
  rows: readonly (MailboxRow | undefined)[],
  keywords: Iterable<string>,
): void {
  const rights = new Set([...keywords].map((name) => (asciiLower(name) === '$seen' ? 's' : 'w')))
  for (const right of rights)
    if (rows.some((row) => row !== undefined && !mayIn(row, right)))
      throw new SetRefusal({
        type: 'forbidden',
        description: 'The owner of the mailbox does not let you set that keyword',
        properties: ['keywords'],
      })
}

/** Throws SetRefusal where one of the names is no keyword. */
export function requireKeywords(names: readonly string[]): void {
  const wrong = names.find((name) => !isKeyword(name))
  if (wrong !== undefined) throw invalidProperties('that is no keyword', 'keywords')
}
