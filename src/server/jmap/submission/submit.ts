import { authoriseHeader } from '#engine/sender/authorise.ts'
import { oneLine } from '#base/text.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { OutboxEntry } from '#store/mailbox/commit.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { loadEmails, loadMeta } from '#server/jmap/email/emails.ts'
import { readEnvelope, showEnvelope } from './envelope.ts'
import type { Envelope } from './envelope.ts'
import { loadIdentities } from './identity.ts'
import { invalidProperties, setErrorOf, SetRefusal } from '#server/jmap/method/method-error.ts'
import { makeOutgoing, outgoingFields } from './outgoing.ts'
import type { Outgoing } from './outgoing.ts'
import type { Call } from '#server/jmap/room.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { storedSource } from '#server/jmap/email/source.ts'
import { showSubmission } from './submission.ts'
import type { SubmissionValue } from './submission.ts'

const SETTABLE = ['identityId', 'emailId', 'envelope']

/** Commits a stored email to the outbox, and what is kept of that with it. Throws SetRefusal. */
export async function submit(
  call: Call,
  args: Args,
  properties: Properties,
): Promise<{ readonly id: string; readonly emailId: string; readonly [more: string]: unknown }> {
  const strange = Object.keys(properties).find((name) => !SETTABLE.includes(name))
  if (strange !== undefined) throw invalidProperties('that cannot be set', strange.slice(0, 100))
  const { account, room } = call
  const identityId = idOf(args, properties, 'identityId')
  const { objects } = await loadIdentities(call)
  const identity = objects.find(({ id }) => id === identityId)
  if (identity === undefined) throw invalidProperties('there is no such identity', 'identityId')
  const [email] = (await loadEmails(call, [idOf(args, properties, 'emailId')])).emails
  const stored = email && (await loadMeta(call, email))
  if (email === undefined || stored === undefined)
    throw invalidProperties('there is no such email', 'emailId')
  const source = storedSource(call, email, stored)
  if (source.sizeBytes > room.limits.maxSizeUpload)
    throw new SetRefusal({ type: 'tooLarge', maxSize: room.limits.maxSizeUpload })
  const { header, fields } = await outgoingFields(source)
  if (!fields.some(({ key }) => key === 'from'))
    throw new SetRefusal({ type: 'invalidEmail', properties: ['from'] })
  const allowed = authoriseHeader(account, fields, room.directory)
  if (!allowed.ok) throw new SetRefusal({ type: 'forbiddenFrom', description: allowed.error })
  const message = { fields, identityEmail: identity.value.email }
  const envelope = readEnvelope(call, properties['envelope'] ?? null, message)
  const nowMs = room.clock.nowMs()
  const deliveryId = room.newDeliveryId()
  const outgoing = await makeOutgoing(call, source, { header, fields, id: deliveryId })
  const value: SubmissionValue = {
    identityId,
    emailId: email.emailId,
    threadId: email.threadId,
    envelope: showEnvelope(envelope),
    sendAtMs: envelope.releaseAtMs ?? nowMs,
    fate: envelope.releaseAtMs === undefined ? 'sent' : 'held',
  }
  await commit(call, { deliveryId, value, envelope, outgoing })
  room.events.emit({
    atMs: nowMs,
    name: 'store.submitted',
    deliveryId,
    fields: {
      accountId: account.id,
      from: formatAddress(envelope.mailFrom),
      to: oneLine(envelope.rcptTo.map(formatAddress).join(', '), 1_000),
      messageId: oneLine(stored.meta.envelope.messageId ?? ''),
      ip: call.ip,
    },
  })
  const shown = showSubmission({ id: `S${deliveryId}`, value: { ...value }, waits: true })
  const { identityId: _, ...told } = shown
  return { ...told, id: `S${deliveryId}`, emailId: email.emailId }
}

/** One transaction: what is kept says that it goes out, and it does. */
async function commit(
  call: Call,
  sent: {
    readonly deliveryId: string
    readonly value: SubmissionValue
    readonly envelope: Envelope
    readonly outgoing: Outgoing
  },
): Promise<void> {
  const { deliveryId, value, envelope, outgoing } = sent
  const { mailFrom, rcptTo, releaseAtMs } = envelope
  const entry: OutboxEntry = {
    id: deliveryId,
    kind: 'submission',
    reversePath: mailFrom,
    recipients: rcptTo,
    body: outgoing.is8bit ? '8bitmime' : '7bit',
    smtpUtf8: outgoing.is8bitHeader || [mailFrom, ...rcptTo].some(needsSmtpUtf8),
    content: 0,
    ...(releaseAtMs === undefined ? {} : { releaseAtMs }),
  }
  const kept = {
    kind: 'keep',
    object: 'EmailSubmission',
    id: `S${deliveryId}`,
    value: { ...value },
    entry: deliveryId,
  } as const
  const { results } = await call.room.store.commit({
    contents: [outgoing.content],
    commits: [{ accountId: call.account.id, changes: [kept], outbox: [entry] }],
  })
  const [result] = results
  if (result?.kind === 'refused') throw new SetRefusal(setErrorOf(result.refusal, 'emailId'))
}

function idOf(args: Args, properties: Properties, name: string): string {
  const value = properties[name]
  if (typeof value !== 'string') throw invalidProperties(`${name} is an Id`, name)
  return args.resolved(value)
}
