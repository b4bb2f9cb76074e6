import { sortedInSteps } from '#base/sorted.ts'
import { inSlices } from '#base/turns.ts'
import { addressKey, domainKey, formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { purposeAddress } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { MailboxChange, OutboxEntry } from '#store/mailbox/commit.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

import { withoutAttachments } from './attachments.ts'
import { listHeader } from './headers.ts'
import { POSTS } from './incoming.ts'
import { leaveOf } from './leave-way.ts'
import { commitOfList, taken, tellOfMail } from './list-commit.ts'
import { authorText, subjectOf } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore, nameOf } from './list-store.ts'
import { reachNotices } from './reach-notices.ts'
import type { Reach } from './reach.ts'
import { seen } from './seen.ts'
import { suspendedOf } from './suspended.ts'

/** Who has said that a held post is to go out. */
export interface Approval {
  readonly by: string
  readonly number: number
}

/** Posts it: archive, number, and what goes out to members, in the commit that takes it from where it lay. Tells the number. */
export async function post(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
  { approval, reach }: { readonly approval?: Approval; readonly reach: Reach },
): Promise<number> {
  const store = new ListStore(parts.mailboxes, list.id)
  const { clock, pages } = parts
  const nowMs = clock.nowMs()
  const { posts } = await store.rows()
  const number = Math.max(posts?.uidNext ?? 1, list.numberFrom ?? 1)
  const author = mail.author ?? { address: purposeAddress(list.address, 'owner') }
  const suspended = await suspendedOf(store)
  const recipients = reach.each.filter((each) => !suspended.has(addressKey(each)))
  const isFromList = await isFromOfList(parts, list, author.address, recipients)
  const url = pages()
  const leave = leaveOf(list, parts.publicUrl())
  const header = listHeader(mail.header, list, {
    number,
    author,
    isFromList,
    ...(leave !== undefined && { leave }),
    ...(url !== undefined && { pages: url }),
  })
  const { key, changes: keyChanges } = await store.key()
  const entry: OutboxEntry | undefined =
    recipients.length === 0
      ? undefined
      : {
          id: `${mail.envelope.deliveryId}-${nameOf(list.id).slice(0, 16)}`,
          kind: 'post',
          reversePath: purposeAddress(list.address, 'bounces'),
          recipients,
          body: mail.envelope.body,
          smtpUtf8: mail.envelope.smtpUtf8 || needsSmtpUtf8(list.address),
          verp: { key, post: number, ...(leave !== undefined && { leave }) },
          ...(list.withdrawSeconds !== undefined && {
            releaseAtMs: nowMs + list.withdrawSeconds * 1_000,
          }),
          content: 0,
        }
  const keptRecipients = await keptSet(store, recipients)
  const content = await contentOf(store, list, mail, header)
  const told = await reachNotices(parts, list, mail, reach)
  await commitOfList(
    parts,
    list,
    {
      changes: [
        ...keyChanges,
        // Nothing is kept of a list without an archive, but the last one's number, and what a digest is to gather.
        ...(list.archive === 'none' && posts !== undefined && reach.digest.length === 0
          ? [{ kind: 'expunge', mailboxId: posts.id, uids: 'all', deletedOnly: false } as const]
          : []),
        {
          kind: 'append',
          mailbox: { path: POSTS, create: true },
          content: 0,
          flags: 0,
          keywords: [],
          internalDateMs: nowMs,
          assigned: { uid: number as Uid },
        },
        ...keptRecipients.changes,
        {
          kind: 'keep',
          object: 'Post',
          id: String(number),
          value: {
            messageId: mail.meta.envelope.messageId ?? null,
            author: formatAddress(author.address),
            shown: authorText(mail.author),
            subject: subjectOf(mail.meta),
            recipients: recipients.length,
            set: keptRecipients.id,
            postedAtMs: nowMs,
            entry: entry?.id ?? null,
            ...(entry?.releaseAtMs !== undefined && { releaseAtMs: entry.releaseAtMs }),
            ...(approval !== undefined && { approvedBy: approval.by }),
            ...(suspended.size > 0 && { suspended: reach.each.length - recipients.length }),
          },
          ...(entry !== undefined && { entry: entry.id }),
        },
        ...seen(mail, number),
        ...(approval === undefined
          ? []
          : [{ kind: 'forget', object: 'HeldPost', id: String(approval.number) } as const]),
        ...told.changes,
        ...retained(list, posts),
        taken(mail),
      ],
      outbox: [...(entry === undefined ? [] : [entry]), ...told.outbox],
    },
    content,
  )
  tellOfMail(parts, list, mail, 'list.posted', {
    number,
    recipients: recipients.length,
    approvedBy: approval?.by ?? null,
  })
  return number
}

/** The message with its new header; the octets of its body as they came, unless the list removes attachments. */
async function contentOf(
  store: ListStore,
  list: MailingList,
  { meta, prefixBytes, place, header }: ListMail,
  made: Uint8Array,
): Promise<Content> {
  const from = header.byteLength
  const end = meta.sizeBytes
  const pieces =
    list.attachments === 'remove' ? withoutAttachments(meta.root, from, end) : undefined
  const kept = pieces ?? [{ offset: from, length: end - from }]
  return store.copied(
    made,
    place,
    kept.map((piece) =>
      piece instanceof Uint8Array ? piece : { ...piece, offset: piece.offset + prefixBytes },
    ),
  )
}

/** Who received it, once for as long as it is the same people. */
async function keptSet(
  store: ListStore,
  recipients: readonly Address[],
): Promise<{ readonly id: string; readonly changes: readonly MailboxChange[] }> {
  const texts = recipients.map(formatAddress)
  const addresses = (await inSlices(sortedInSteps(texts, inOrder))).join('\n')
  const id = nameOf(addresses)
  const isKept = (await store.objects('Recipients', [id])).has(id)
  return {
    id,
    changes: isKept ? [] : [{ kind: 'keep', object: 'Recipients', id, value: { addresses } }],
  }
}

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The days that the archive keeps, where its mailbox has others. */
function retained(list: MailingList, posts: MailboxRow | undefined): MailboxChange[] {
  const retention = list.retainDays ?? 'inherit'
  return posts === undefined || posts.retention === retention
    ? []
    : [{ kind: 'retain', mailboxId: posts.id, retention }]
}

/** Whether the list has to write From: somebody outside gets it, and the author's domain demands DMARC. */
async function isFromOfList(
  { directory, demands }: ListParts,
  list: MailingList,
  author: Address,
  recipients: readonly Address[],
): Promise<boolean> {
  if (recipients.every(({ domain }) => directory.domain(domain) !== undefined)) return false
  return (
    !isAligned(author.domain, list.address.domain) && (await demands.of(author.domain)) !== 'lax'
  )
}

/** SPF of the list's own domain speaks for the author's then (RFC 9989 §4.4, relaxed). */
function isAligned(author: string, list: string): boolean {
  const [a, b] = [domainKey(author), domainKey(list)]
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`)
}
