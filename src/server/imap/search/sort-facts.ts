import { baseSubject } from '#codec/mime/base-subject.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { HeaderAddress, MessageMeta } from '#model/message.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Messages whose metas are read at once; others get their turn in between. */
const BATCH_ROWS = 500

/** What a message is sorted and threaded by; of one that is gone meanwhile, what the view says. */
export interface SortFacts {
  readonly row: number
  readonly arrivalMs: number
  /** The Date field in UTC, or the time of arrival where there is none (RFC 5256 §2.2). */
  readonly sentMs: number
  readonly size: number
  readonly subject: string
  readonly isReply: boolean
  readonly from: string
  readonly to: string
  readonly cc: string
  readonly displayFrom: string
  readonly displayTo: string
  readonly messageId: string | undefined
  /** Of its thread, the oldest first. */
  readonly references: readonly string[]
}

/** Facts of rows, in their order. */
export async function sortFacts(
  session: ImapSession,
  selected: Selected,
  rows: readonly number[],
): Promise<SortFacts[]> {
  const { view } = selected
  const facts: SortFacts[] = []
  for (let at = 0; at < rows.length; at += BATCH_ROWS) {
    const some = rows.slice(at, at + BATCH_ROWS)
    const metas = storedMetas(session.room.store, {
      ...view.asked,
      uids: selected.uidsOf(some),
    })
    let index = 0
    for await (const stored of metas) {
      const row = some[index++]!
      const arrivalMs = view.internalDatesMs[row]!
      facts.push({
        row,
        arrivalMs,
        size: view.sizes[row]!,
        ...contentFacts(stored?.meta, arrivalMs),
      })
    }
    await session.connection.stillThere()
  }
  return facts
}

function contentFacts(
  meta: MessageMeta | undefined,
  arrivalMs: number,
): Omit<SortFacts, 'row' | 'arrivalMs' | 'size'> {
  const envelope = meta?.envelope ?? {}
  const { text, isReply } = baseSubject(decodeWords(envelope.subject ?? ''))
  const messageId = idsIn(envelope.messageId)[0]
  return {
    sentMs: meta?.sentAtMs ?? arrivalMs,
    subject: collated(text),
    isReply,
    from: firstMailbox(envelope.from),
    to: firstMailbox(envelope.to),
    cc: firstMailbox(envelope.cc),
    displayFrom: firstDisplay(envelope.from),
    displayTo: firstDisplay(envelope.to),
    messageId,
    references: referencesOf(meta),
  }
}

/** In the order of i;unicode-casemap, which has capitals: `[` and `_` come behind letters (RFC 5256 §3, RFC 5051 §2). */
const collated = (folded: string): string => folded.toUpperCase()

/** The addr-mailbox of the first address (RFC 5256 §3 CC). */
const firstMailbox = (list: readonly HeaderAddress[] | undefined): string =>
  collated(foldText(decodeWords(list?.[0]?.mailbox ?? '')))

/** The name that programs show, or else the address (RFC 5957 §3). */
function firstDisplay(list: readonly HeaderAddress[] | undefined): string {
  const { name, mailbox, host } = list?.[0] ?? {}
  const shown = decodeWords(name ?? '').trim()
  if (shown !== '') return collated(foldText(shown))
  return collated(foldText(host === undefined ? (mailbox ?? '') : `${mailbox ?? ''}@${host}`))
}

const idsIn = (text: string | undefined): string[] =>
  Array.from((text ?? '').matchAll(/<([^<>\s]{1,995})>/g), ([, id]) => id!)

/** Those of References; without that field the first of In-Reply-To alone (RFC 5256 §3 REFERENCES). */
function referencesOf(meta: MessageMeta | undefined): readonly string[] {
  if (meta === undefined) return []
  const all = meta.references.flatMap(idsIn)
  if (meta.repliedCount !== undefined) {
    const named = all.slice(0, Math.max(0, all.length - meta.repliedCount))
    return named.length > 0 ? named : all.slice(0, 1)
  }
  // Of records from before that count.
  const replied = new Set(idsIn(meta.envelope.inReplyTo))
  return all.every((id) => replied.has(id)) ? all.slice(0, 1) : all
}
