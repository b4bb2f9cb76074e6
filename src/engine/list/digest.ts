import { fromLatin1, fromUtf8, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { oneLine } from '#base/text.ts'
import { DAY_MS } from '#base/time.ts'
import { addressField, textField } from '#codec/mime/compose.ts'
import { formatDate } from '#codec/mime/date.ts'
import { addressKey, formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import { purposeAddress } from '#model/list.ts'
import { beginOf, dayAt } from '#model/account-life.ts'
import type { Day } from '#model/person-facts.ts'
import type { MailingList } from '#model/list.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import type { KeptObject } from '#store/mailbox/kept-object.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

import { digestFields } from './headers.ts'
import { POSTS } from './incoming.ts'
import { leaveOf } from './leave-way.ts'
import { commitOfList, tellOfList } from './list-commit.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'
import type { PlacedPiece } from './list-store.ts'
import { suspendedOf } from './suspended.ts'

/** Posts, and octets of them, that one digest gathers; more are in the next, at once. */
const POSTS_MAX = 50
const BYTES_MAX = 10 * 1024 * 1024

/** Posts that are looked at for one digest. */
const LOOKED_AT_MAX = 500

/** The day, or the week's first day: what was posted before it is due. */
export function periodOf({ digest = 'day' }: Pick<MailingList, 'digest'>, today: Day): Day {
  if (digest === 'day') return today
  const atMs = Date.parse(today)
  const sinceMonday = (new Date(atMs).getUTCDay() + 6) % 7
  return new Date(atMs - sinceMonday * DAY_MS).toISOString().slice(0, 10)
}

/**
 * Sends what was posted since the last digest, and before today (or this week), to those who take digests
 * (RFC 2046 §5.1.5). What leaves, and up to which post, stands in one commit: whoever dies before it begins
 * again, and nobody gets a post twice. Posts that can still be withdrawn wait for the next.
 */
export async function sendDigest(parts: ListParts, list: MailingList): Promise<void> {
  const store = new ListStore(parts.mailboxes, list.id)
  const mailbox = await store.row(POSTS)
  if (mailbox === undefined || mailbox.messages === 0) return
  for (let more = true; more;) {
    const gathered = await gather(parts, list, store, mailbox)
    if (gathered.posts.length > 0) await send(parts, list, store, { ...gathered, mailbox })
    more = gathered.more
  }
}

const remembered = (through: Uid): MailboxChange => ({
  kind: 'keep',
  object: 'ListDigest',
  id: 'state',
  value: { through },
})

interface GatheredPost {
  readonly uid: Uid
  readonly sizeBytes: number
  readonly prefixBytes: number
  readonly headerBytes: number
  readonly kept: KeptObject
}

/** What one digest holds; `more`: there is another one to send. */
async function gather(
  { directory }: ListParts,
  list: MailingList,
  store: ListStore,
  mailbox: MailboxRow,
): Promise<{ readonly posts: readonly GatheredPost[]; readonly more: boolean }> {
  const { today, rules } = directory.moment
  const beforeMs = beginOf(periodOf(list, today), rules.zone)
  const state = (await store.objects('ListDigest')).get('state')
  const through = state === undefined ? 0 : Number(state.value['through'])
  const fromMs = state === undefined ? beforeMs - (list.digest === 'week' ? 7 : 1) * DAY_MS : 0
  const later = (await store.uids(mailbox)).filter((uid) => uid > through)
  const due = state === undefined ? later.slice(-LOOKED_AT_MAX) : later.slice(0, LOOKED_AT_MAX)
  const kept = await store.objects('Post', due.map(String))
  const posts: GatheredPost[] = []
  let bytes = 0
  for (const uid of due) {
    const object = kept.get(String(uid))
    if (object === undefined) continue
    // Who can still take it back has not posted it yet.
    const { postedAtMs = 0, releaseAtMs = 0 } = object.value
    const sentAtMs = Math.max(Number(postedAtMs), Number(releaseAtMs))
    if (sentAtMs >= beforeMs) break
    if (sentAtMs < fromMs) continue
    const stored = await store.meta({ mailbox, uid })
    if (stored === undefined) continue
    const { meta, prefixBytes } = stored
    if (posts.length > 0 && (posts.length >= POSTS_MAX || bytes + meta.sizeBytes > BYTES_MAX))
      return { posts, more: true }
    bytes += meta.sizeBytes
    const headerBytes = meta.root.header.length
    posts.push({ uid, sizeBytes: meta.sizeBytes, prefixBytes, headerBytes, kept: object })
  }
  return { posts, more: false }
}

async function send(
  parts: ListParts,
  list: MailingList,
  store: ListStore,
  { mailbox, posts }: { readonly mailbox: MailboxRow; readonly posts: readonly GatheredPost[] },
): Promise<void> {
  const last = posts.at(-1)!.uid
  const suspended = await suspendedOf(store)
  const reach = await parts.reachOf(list)
  const recipients = reach.digest.filter((each) => !suspended.has(addressKey(each)))
  // Nothing is kept of a list without an archive, once it has gone out to all.
  const gone: MailboxChange[] =
    list.archive === 'none'
      ? [
          {
            kind: 'expunge',
            mailboxId: mailbox.id,
            uids: posts.map(({ uid }) => uid),
            deletedOnly: false,
          },
        ]
      : []
  if (recipients.length === 0)
    return commitOfList(parts, list, { changes: [...gone, remembered(last)] })
  const leave = leaveOf(list, parts.publicUrl())
  const { key, changes } = await store.key()
  const pieces = await digestPieces(parts, list, store, mailbox, posts)
  const content = await store.composed(pieces)
  await commitOfList(
    parts,
    list,
    {
      changes: [...changes, ...gone, remembered(last)],
      outbox: [
        {
          id: `${list.id}-digest-${last}`,
          kind: 'post',
          reversePath: purposeAddress(list.address, 'bounces'),
          recipients,
          body: '8bitmime',
          smtpUtf8: needsSmtpUtf8(list.address),
          verp: { key, post: last, ...(leave !== undefined && { leave }) },
          content: 0,
        },
      ],
    },
    content,
  )
  tellOfList(parts, list, 'list.digested', {
    through: last,
    posts: posts.length,
    recipients: recipients.length,
  })
}

/** The whole mail: an index that everybody can read, and each post as it was sent. */
async function digestPieces(
  parts: ListParts,
  list: MailingList,
  store: ListStore,
  mailbox: MailboxRow,
  posts: readonly GatheredPost[],
): Promise<readonly (Octets | PlacedPiece)[]> {
  const { clock, newId, pages, publicUrl } = parts
  const [mixed, digest] = [`=_mixed-${newId()}`, `=_digest-${newId()}`]
  const nowMs = clock.nowMs()
  const name = list.name ?? list.address.localpart
  const last = posts.at(-1)!
  const { zone } = parts.directory.moment.rules
  const day = dayAt(Number(last.kept.value['postedAtMs']), zone)
  const range = `${posts[0]!.uid}–${last.uid}`
  const subject =
    list.language === 'ja'
      ? `${name} まとめ ${day} (${posts.length} 件)`
      : `${name} digest of ${day} (${range})`
  const leave = leaveOf(list, publicUrl())
  const url = pages()
  const head = [
    ...digestFields(list, {
      ...(leave !== undefined && { leave }),
      ...(url !== undefined && { pages: url }),
    }),
    addressField('From', [{ name, email: formatAddress(list.address) }]),
    addressField('To', [{ name, email: formatAddress(list.address) }]),
    textField('Subject', subject),
    `Date: ${formatDate(nowMs)}`,
    `Message-ID: <${newId()}@${list.address.domain}>`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/mixed; boundary="${mixed}"`,
    'Content-Transfer-Encoding: 8bit',
    '',
    `--${mixed}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    inBase64(indexOf(list, posts)),
    `--${mixed}`,
    `Content-Type: multipart/digest; boundary="${digest}"`,
    'Content-Transfer-Encoding: 8bit',
    '',
    '',
  ]
  const pieces: (Octets | PlacedPiece)[] = [fromUtf8(head.join('\r\n'))]
  for (const { uid, sizeBytes, prefixBytes, headerBytes } of posts) {
    const place = { mailbox, uid }
    const header = await store.read(place, prefixBytes, headerBytes)
    // A header beyond ASCII makes it a message of RFC 6532.
    const type = isAscii(header) ? 'rfc822' : 'global'
    pieces.push(
      fromLatin1(
        `--${digest}\r\nContent-Type: message/${type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`,
      ),
      { place, offset: prefixBytes, length: sizeBytes },
      fromLatin1('\r\n'),
    )
  }
  pieces.push(fromLatin1(`--${digest}--\r\n\r\n--${mixed}--\r\n`))
  return pieces
}

/** Numbers, subjects and authors; nothing of them begins a line of its own. */
function indexOf(list: MailingList, posts: readonly GatheredPost[]): string {
  const text = (value: unknown, lengthMax: number): string =>
    oneLine(typeof value === 'string' ? value : '', lengthMax)
  const lines = posts.map(({ uid, kept }) => {
    const [subject, author] = [text(kept.value['subject'], 300), text(kept.value['shown'], 300)]
    return `${uid}. ${subject === '' ? '—' : subject}\n    ${author}`
  })
  const leave = formatAddress(purposeAddress(list.address, 'leave'))
  const title =
    list.language === 'ja'
      ? `${formatAddress(list.address)} の投稿 ${posts.length} 件です。`
      : `${posts.length} posts of ${formatAddress(list.address)}.`
  const end = list.language === 'ja' ? `退会: ${leave}` : `To leave: ${leave}`
  return `${title}\n\n${lines.join('\n')}\n\n${end}\n`
}

const inBase64 = (text: string): string =>
  Buffer.from(text.replaceAll('\n', '\r\n')).toString('base64').replace(/.{76}/g, '$&\r\n')
