import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { flagsOf, mailboxesOf, requireKeywordRights, requireKeywords } from './emails.ts'
import { invalidProperties, setErrorOf, SetRefusal } from '#server/jmap/method/method-error.ts'
import { asked } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'
import { namesOf } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { emailBlobId } from './source.ts'

/** Where a new email goes, and with what. */
export interface Placing {
  readonly mailboxIds: readonly MailboxId[]
  readonly keywords: readonly string[]
  readonly receivedAtMs: number
}

/** Reads mailboxIds, keywords and receivedAt of an email to be made. Throws SetRefusal. */
export async function readPlacing(
  call: Call,
  args: Args,
  properties: Properties,
): Promise<Placing> {
  const ids = namesOf(properties['mailboxIds'] ?? {}, 'mailboxIds').map((id) => args.resolved(id))
  if (ids.length === 0) throw invalidProperties('an email is in one mailbox at least', 'mailboxIds')
  const known = await mailboxesOf(call)
  if (ids.some((id) => !known.has(id)))
    throw invalidProperties('there is no such mailbox', 'mailboxIds')
  const keywords = namesOf(properties['keywords'] ?? {}, 'keywords')
  requireKeywords(keywords)
  requireKeywordRights(
    ids.map((id) => known.get(id)),
    keywords,
  )
  const receivedAt = properties['receivedAt'] ?? null
  const receivedAtMs =
    receivedAt === null ? call.room.clock.nowMs() : utcMs(receivedAt, 'receivedAt')
  return { mailboxIds: [...new Set(ids)] as MailboxId[], keywords, receivedAtMs }
}

/** RFC 8620 §1.4. */
export function utcMs(value: unknown, property: string): number {
  const isDate =
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
  const atMs = isDate ? Date.parse(value) : Number.NaN
  if (Number.isNaN(atMs)) throw invalidProperties(`${property} is not a date`, property)
  return atMs
}

/** Files the octets as one email in each of its mailboxes. */
export async function fileEmail(
  call: Call,
  octets: Octets,
  placing: Placing,
): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
  if (octets.length > call.room.limits.maxSizeUpload)
    throw new SetRefusal({ type: 'tooLarge', maxSize: call.room.limits.maxSizeUpload })
  const content = await contentOf(call, octets)
  const { results } = await call.room.store.commit({
    contents: [content],
    commits: [
      {
        ...asked(call),
        changes: placing.mailboxIds.map((id) => ({
          kind: 'append',
          mailbox: { id },
          content: 0,
          ...flagsOf(placing.keywords),
          internalDateMs: placing.receivedAtMs,
        })),
      },
    ],
  })
  const [result] = results
  if (result?.kind === 'refused') throw new SetRefusal(setErrorOf(result.refusal, 'mailboxIds'))
  const filed = result?.kind === 'committed' ? result.results[0] : undefined
  if (filed?.kind !== 'append') throw new Error('append answered otherwise')
  return {
    id: filed.emailId,
    blobId: emailBlobId(filed.emailId),
    threadId: filed.threadId,
    size: octets.length,
  }
}

/** As the store takes it: what is too large for a record goes to a file. The commit releases it. */
async function contentOf(call: Call, octets: Octets): Promise<Content> {
  if (octets.length <= RECORD_BYTES_MAX) return { octets: [octets] }
  return { prefix: emptyOctets, large: await largeOf(call, octets) }
}

/** A file of the octets, written in pieces. */
export async function largeOf(call: Call, octets: Octets): Promise<LargeHandle> {
  const { store } = call.room
  const { handle } = await store.openLarge()
  try {
    for (let at = 0; at < octets.length; at += RECORD_BYTES_MAX)
      await store.appendLarge({ handle, octets: octets.slice(at, at + RECORD_BYTES_MAX) })
  } catch (thrown) {
    await store.abortLarge({ handle }).catch(() => undefined)
    throw thrown
  }
  return handle
}
