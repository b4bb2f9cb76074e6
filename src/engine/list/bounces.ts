import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { oneLine } from '#base/text.ts'
import { DAY_MS } from '#base/time.ts'
import { headerFields } from '#codec/mime/header.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import type { MimePart } from '#model/message.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'

import { commitOfList, taken, tellOfList } from './list-commit.ts'
import type { ListMail } from './list-mail.ts'
import type { ListParts } from './list-parts.ts'
import { addressesOf } from './list-people.ts'
import { ListStore } from './list-store.ts'
import { noticeAbout } from './notice-entry.ts'
import { suspendedWords } from './notices.ts'
import { bounceId, bouncesOf } from './suspended.ts'
import type { MemberBounces } from './suspended.ts'
import { bouncedPost } from './verp.ts'

/** What one day on which something came back counts: for good, or for the time being. */
const HARD = 1
const SOFT = 0.5
/** From so much on nothing is sent there any more. */
const SCORE_MAX = 3
/** Days without a bounce after which the earlier ones are forgotten. */
const FORGOTTEN_DAYS = 14
/** Octets of a report that are looked at, and recipients of it. */
const REPORT_BYTES_MAX = 64 * 1024
const RECIPIENTS_MAX = 1_000

/**
 * Counts what came back of a post, once a member and day, so that a storm counts no more than one mail.
 * Only what bears the list's own mark is believed (`verp.ts`); the mail itself is kept by nobody.
 */
export async function takeBounce(
  parts: ListParts,
  list: MailingList,
  mail: ListMail,
): Promise<void> {
  const store = new ListStore(parts.mailboxes, list.id)
  const { envelope } = mail
  const { localpart } = envelope.address
  const plus = localpart.indexOf('+')
  const { key } = await store.key()
  const marked = plus < 0 ? undefined : bouncedPost(localpart.slice(plus + 1), key)
  const failures = marked === undefined ? [] : await failuresOf(store, mail, marked.member)
  const changes: MailboxChange[] = []
  const suspended: string[] = []
  for (const failure of failures) {
    const change = await counted(store, failure, parts)
    if (change === undefined) continue
    changes.push(change.kept)
    if (change.isSuspended) suspended.push(`${formatAddress(failure.member)}: ${failure.status}`)
    tellOfList(
      parts,
      list,
      change.isSuspended ? 'list.suspended' : 'list.bounced',
      { address: formatAddress(failure.member), status: failure.status },
      envelope.deliveryId,
    )
  }
  const owners = addressesOf(parts.directory, list.owners)
  const outbox =
    suspended.length === 0 || owners.length === 0
      ? []
      : [noticeAbout(parts, list, mail, 'suspended', owners, suspendedWords(list, suspended))]
  await commitOfList(parts, list, { changes: [...changes, taken(mail)], outbox })
}

interface Failure {
  readonly member: Address
  readonly status: string
  readonly isHard: boolean
}

/** Undefined: the day has counted already. */
async function counted(
  store: ListStore,
  { member, status, isHard }: Failure,
  { clock }: ListParts,
): Promise<{ readonly kept: MailboxChange; readonly isSuspended: boolean } | undefined> {
  const id = bounceId(member)
  const kept = (await store.objects('ListBounce', [id])).get(id)
  const before = kept && bouncesOf(kept)
  const nowMs = clock.nowMs()
  const today = new Date(nowMs).toISOString().slice(0, 10)
  if (before?.days.at(-1) === today || before?.suspendedAtMs !== undefined) return undefined
  const last = Date.parse(before?.days.at(-1) ?? '')
  const isNear = Date.parse(today) - last <= FORGOTTEN_DAYS * DAY_MS
  const score = (isNear ? before!.score : 0) + (isHard ? HARD : SOFT)
  const isSuspended = score >= SCORE_MAX
  const value: MemberBounces = {
    address: addressKey(member),
    score,
    days: [...(isNear ? before!.days : []), today],
    status,
    ...(isSuspended && { suspendedAtMs: nowMs }),
  }
  return { kept: { kind: 'keep', object: 'ListBounce', id, value: { ...value } }, isSuspended }
}

/**
 * Whom a report says to have failed (RFC 3464 §2.3). The mark names the member; only reports of our own
 * queue, whose mark names none, are believed about the recipients that they name themselves.
 */
async function failuresOf(
  store: ListStore,
  mail: ListMail,
  member: Address | undefined,
): Promise<readonly Failure[]> {
  const part = statusPart(mail.meta.root)
  if (part === undefined) return []
  const { offset, length } = part.body
  const octets = await store.read(
    mail.place,
    mail.prefixBytes + offset,
    Math.min(length, REPORT_BYTES_MAX),
  )
  const failures: Failure[] = []
  for (const block of toLatin1(octets)
    .split(/\r?\n\r?\n/)
    .slice(0, RECIPIENTS_MAX)) {
    const fields = new Map(
      [...headerFields(fromLatin1(block))].map(({ key, value }) => [key, value]),
    )
    if (fields.get('action')?.trim().toLowerCase() !== 'failed') continue
    const named = parseAddress(
      (fields.get('final-recipient') ?? '').replace(/^[^;]*;\s*/, '').trim(),
    )
    const who = member ?? (named.ok ? named.value : undefined)
    if (who === undefined) continue
    const status = fields.get('status')?.trim() ?? ''
    const diagnostic = fields.get('diagnostic-code') ?? ''
    failures.push({
      member: who,
      status: oneLine(`${status} ${diagnostic}`.trim(), 300),
      isHard: status.startsWith('5.'),
    })
    if (member !== undefined) break
  }
  return failures
}

function statusPart(part: MimePart): MimePart | undefined {
  if (part.type === 'message' && part.subtype === 'delivery-status') return part
  for (const each of part.parts) {
    const found = statusPart(each)
    if (found !== undefined) return found
  }
  return undefined
}
