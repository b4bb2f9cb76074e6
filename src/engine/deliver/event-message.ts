import { localZoneMinutes } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { verdictClassOf } from '#codec/auth/verdict.ts'
import { firstField, headerFields, headerLength } from '#codec/mime/header.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import { ENVIRONMENT } from '#engine/sieve/extensions/environment.ts'
import type { SieveProgram } from '#engine/sieve/language.ts'
import type { SieveLists, SieveMessage } from '#engine/sieve/message.ts'
import type { SieveLimits } from '#engine/sieve/run.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { ScriptEvent } from '#store/mailbox/change/script-event.ts'
import type { AccountFiling, MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import type { EmailPlace } from '#store/mailbox/stored-email.ts'

import { mailboxNames, mailboxOf } from './delivery-jobs.ts'
import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import type { Happened } from './event-plan.ts'
import { includedScripts } from './included-scripts.ts'
import type { MailOwner } from './mail-owner.ts'
import { Recollection } from './recollection.ts'
import { annotationsFor } from './script-annotations.ts'

/** What scripts of mailboxes are told of accounts and of what happens. */
export interface EventSurroundings {
  readonly mailboxes: Pick<
    MailboxStore,
    'emails' | 'mailboxes' | 'read' | 'remembered' | 'script'
  > &
    Pick<DeliveryMailboxes, 'annotations'>
  /** Undefined where there is no such account (any more). */
  readonly owner: (accountId: AccountId) => MailOwner | undefined
  /** The name that somebody logs in with. */
  readonly nameOf: (accountId: AccountId) => string | undefined
  readonly lists: (accountId: AccountId) => SieveLists
  readonly limits: () => SieveLimits
  readonly clock: Clock
}

/** The message as it lies now; undefined: it is gone, or its owner is. */
export async function happenedTo(
  event: ScriptEvent,
  parts: EventSurroundings,
): Promise<Happened | undefined> {
  const { mailboxes, owner, limits, clock } = parts
  const { accountId, mailboxId, uid, emailId } = event
  const whose = owner(accountId)
  const recipient = whose?.addresses[0]
  const { emails } = await mailboxes.emails({ accountId, emailIds: [emailId] })
  const place = emails[0]?.places.find((each) => each.mailboxId === mailboxId && each.uid === uid)
  if (place === undefined || whose === undefined || recipient === undefined) return undefined
  const ask = { accountId, mailboxId, uid, offset: 0, length: RECORD_BYTES_MAX }
  const { octets } = await mailboxes.read(ask)
  const rows = (await mailboxes.mailboxes({ accountId })).mailboxes
  const mailbox = rows.find(({ id }) => id === mailboxId)
  if (octets === undefined || mailbox === undefined) return undefined
  const fields = [...headerFields(octets.subarray(0, headerLength(octets)))]
  const judged = verdictClassOf(firstField(fields, 'x-watari-verdict'))
  const filing = filingOf(rows)
  const nowMs = clock.nowMs()
  return {
    place,
    mailbox: mailbox.path,
    delivery: {
      deliveryId: `${emailId}.${event.id}.${event.atMs}`,
      reversePath: recipient,
      recipient,
      body: '8bitmime',
      smtpUtf8: true,
      nowMs,
      owner: whose,
      limits: limits(),
      message: {
        ...sieveContent(octets, place.sizeBytes, judged && { class: judged }),
        envelopeFrom: null,
        envelopeTo: recipient,
        flags: flagsOf(place),
        nowMs,
        zoneMinutes: localZoneMinutes,
        environment: environmentOf(event, mailbox.path.join('/'), parts),
        mailboxExists: mailboxNames(filing),
        mailboxOf: (by) => mailboxOf(filing, by),
      },
    },
  }
}

/** RFC 6785 §4 */
function environmentOf(
  { by, cause, changed }: ScriptEvent,
  mailbox: string,
  { owner, nameOf }: EventSurroundings,
): SieveMessage['environment'] & {} {
  const address = owner(by)?.addresses[0]
  return {
    ...ENVIRONMENT,
    location: 'MS',
    phase: 'post',
    'imap.user': nameOf(by) ?? '',
    'imap.email': address === undefined ? '' : formatAddress(address),
    'imap.cause': cause,
    'imap.mailbox': mailbox,
    'imap.changedflags': changed.join(' '),
  }
}

/** `run` with all that the program may ask beside the message. */
export async function asking<T>(
  program: SieveProgram,
  about: {
    readonly event: ScriptEvent
    readonly happened: Happened
    readonly parts: EventSurroundings
  },
  run: (happened: Happened) => T,
): Promise<T> {
  const { happened, parts } = about
  const { accountId } = about.event
  const { mailboxes, lists } = parts
  const included = await includedScripts(mailboxes, accountId, [program])
  const annotation = await annotationsFor(mailboxes, accountId, [program, ...included.programs])
  const recollection = new Recollection(mailboxes, accountId)
  const { delivery } = happened
  const message: SieveMessage = {
    ...delivery.message,
    remembered: recollection.remembered,
    scripts: included.scripts,
    lists: lists(accountId),
    ...(annotation !== undefined && { annotation }),
  }
  return recollection.run(() => run({ ...happened, delivery: { ...delivery, message } }))
}

const filingOf = (rows: readonly MailboxRow[]): AccountFiling => ({
  mailboxes: rows.map(({ path }) => path),
  ids: rows.map(({ id }) => id),
  uses: rows.flatMap(({ use, path }) => (use === undefined ? [] : [{ use, path }])),
})

const flagsOf = ({ flags, keywords }: EmailPlace): readonly string[] => [
  ...SYSTEM_FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0),
  ...keywords,
]
