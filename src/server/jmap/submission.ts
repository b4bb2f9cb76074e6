import { authoriseHeader, maySendAs } from '#engine/sender/authorise.ts'
import { oneLine } from '#base/text.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { formatAddress, needsSmtpUtf8, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Args } from './args.ts'
import { isId, isObject } from './args.ts'
import { CHANGES_ARGS } from './email-changes.ts'
import { loadEmails, loadMetas } from './emails.ts'
import { asAddresses } from './header-forms.ts'
import { utcDate } from './header-forms.ts'
import { identitiesOf } from './identity.ts'
import { idsToGet } from './ids.ts'
import { invalidArguments, invalidProperties, setErrorOf, SetRefusal } from './method-error.ts'
import { makeOutgoing, outgoingFields } from './outgoing.ts'
import { SUBMISSION } from './room.ts'
import type { Answer, Call, Method } from './room.ts'
import { notFound, objects, readSet, SetResult, SET_ARGS } from './set-frame.ts'
import type { Properties } from './set-frame.ts'
import { storedSource } from './source.ts'
import { cannotCalculate } from './states.ts'

const RECIPIENTS_MAX = 1_000
/** What was handed on is the queue's: nothing is kept here that could change. */
const STATE = '0'

/** RFC 8621 §7.5: sends a stored email by the store's outbox; it can no longer be called back then. */
export const submissionSet: Method = {
  name: 'EmailSubmission/set',
  capability: SUBMISSION,
  args: [...SET_ARGS, 'onSuccessUpdateEmail', 'onSuccessDestroyEmail'],
  async run(call, args): Promise<Answer> {
    const ask = readSet(call, args, STATE)
    const onSuccess = readOnSuccess(args)
    const result = new SetResult()
    const sent = new Map<string, string>()
    for (const [creationId, properties] of ask.create)
      try {
        const { emailId, ...object } = await submit(call, args, properties)
        sent.set(`#${creationId}`, emailId)
        result.created(call, creationId, object)
      } catch (thrown) {
        result.refuse('notCreated', creationId, thrown)
      }
    for (const [id] of ask.update) result.refuse('notUpdated', id, notFound())
    for (const id of ask.destroy) result.refuse('notDestroyed', id, notFound())
    if (sent.size > 0) call.room.submitted()
    follow(call, onSuccess, sent)
    return { oldState: STATE, newState: STATE, ...result.answer() }
  },
}

interface OnSuccess {
  readonly update: readonly (readonly [string, Properties])[]
  readonly destroy: readonly string[]
}

function readOnSuccess(args: Args): OnSuccess {
  const update = objects(args, 'onSuccessUpdateEmail')
  const destroy = args.strings('onSuccessDestroyEmail') ?? []
  for (const id of [...update.map(([key]) => key), ...destroy])
    if (!isId(id.replace(/^#/, ''))) throw invalidArguments('onSuccess names what is no Id')
  return { update, destroy }
}

/** Email/set of the emails whose submission was made, answered next under the same call id. */
function follow(call: Call, onSuccess: OnSuccess, sent: ReadonlyMap<string, string>): void {
  const update = onSuccess.update.flatMap(([key, patch]) => {
    const emailId = sent.get(key)
    return emailId === undefined ? [] : [[emailId, patch] as const]
  })
  const destroy = onSuccess.destroy.flatMap((key) => sent.get(key) ?? [])
  if (update.length + destroy.length === 0) return
  call.following.push({
    name: 'Email/set',
    args: { accountId: call.account.id, update: Object.fromEntries(update), destroy },
  })
}

async function submit(
  call: Call,
  args: Args,
  properties: Properties,
): Promise<{ readonly id: string; readonly emailId: string; readonly [more: string]: unknown }> {
  const strange = Object.keys(properties).find(
    (name) => !['identityId', 'emailId', 'envelope'].includes(name),
  )
  if (strange !== undefined) throw invalidProperties('that cannot be set', strange.slice(0, 100))
  const { account, room } = call
  const identityId = idOf(args, properties, 'identityId')
  if (!identitiesOf(account).some(({ id }) => id === identityId))
    throw invalidProperties('there is no such identity', 'identityId')
  const [email] = (await loadEmails(call, [idOf(args, properties, 'emailId')])).emails
  const stored = email && (await loadMetas(call, [email])).get(email.emailId)
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
  const envelope = readEnvelope(properties['envelope'] ?? null, fields)
  if (!maySendAs(account, envelope.mailFrom, room.directory))
    throw new SetRefusal({ type: 'forbiddenMailFrom' })
  const id = room.newDeliveryId()
  const outgoing = await makeOutgoing(call, source, { header, fields, id })
  const addresses = [envelope.mailFrom, ...envelope.rcptTo]
  const { results } = await room.store.commit({
    contents: [outgoing.content],
    commits: [
      {
        accountId: account.id,
        changes: [],
        outbox: [
          {
            id,
            kind: 'submission',
            reversePath: envelope.mailFrom,
            recipients: envelope.rcptTo,
            body: outgoing.is8bit ? '8bitmime' : '7bit',
            smtpUtf8: outgoing.is8bitHeader || addresses.some(needsSmtpUtf8),
            content: 0,
          },
        ],
      },
    ],
  })
  const [result] = results
  if (result?.kind === 'refused') throw new SetRefusal(setErrorOf(result.refusal, 'emailId'))
  room.events.emit({
    atMs: room.clock.nowMs(),
    name: 'store.submitted',
    deliveryId: id,
    fields: {
      accountId: account.id,
      from: formatAddress(envelope.mailFrom),
      to: oneLine(envelope.rcptTo.map(formatAddress).join(', '), 1_000),
      messageId: oneLine(stored.meta.envelope.messageId ?? ''),
      ip: call.ip,
    },
  })
  return {
    id: `S${id}`,
    emailId: email.emailId,
    threadId: email.threadId,
    envelope: {
      mailFrom: { email: formatAddress(envelope.mailFrom), parameters: null },
      rcptTo: envelope.rcptTo.map((to) => ({ email: formatAddress(to), parameters: null })),
    },
    sendAt: utcDate(room.clock.nowMs()),
    undoStatus: 'final',
    deliveryStatus: null,
    dsnBlobIds: [],
    mdnBlobIds: [],
  }
}

function idOf(args: Args, properties: Properties, name: string): string {
  const value = properties[name]
  if (typeof value !== 'string') throw invalidProperties(`${name} is an Id`, name)
  return args.resolved(value)
}

interface Envelope {
  readonly mailFrom: Address
  readonly rcptTo: readonly Address[]
}

type Fields = Awaited<ReturnType<typeof outgoingFields>>['fields']

function readEnvelope(given: unknown, fields: Fields): Envelope {
  if (given === null) return envelopeOf(fields)
  const { mailFrom, rcptTo } = isObject(given) ? given : {}
  if (!Array.isArray(rcptTo)) throw invalidProperties('rcptTo is a list', 'envelope')
  const [from, ...to] = [mailFrom, ...(rcptTo as unknown[])].map((each) => {
    const { email, parameters = null } = isObject(each) ? each : {}
    if (parameters !== null && !(isObject(parameters) && Object.keys(parameters).length === 0))
      throw invalidProperties('there are no parameters here', 'envelope')
    return typeof email === 'string' ? email : ''
  })
  return checked(from!, to)
}

/** As the header has it: Sender or the only From; everybody that To, Cc and Bcc name. */
function envelopeOf(fields: Fields): Envelope {
  const emails = (key: string): string[] =>
    fields
      .filter((field) => field.key === key)
      .flatMap(({ value }) => asAddresses(parseAddressList(value)).map(({ email }) => email))
  const [from = ''] = [...emails('sender'), ...emails('from')]
  return checked(from, [...emails('to'), ...emails('cc'), ...emails('bcc')])
}

function checked(from: string, to: readonly string[]): Envelope {
  const mailFrom = parseAddress(from)
  if (!mailFrom.ok) throw new SetRefusal({ type: 'forbiddenMailFrom' })
  if (to.length === 0) throw new SetRefusal({ type: 'noRecipients' })
  if (to.length > RECIPIENTS_MAX)
    throw new SetRefusal({ type: 'tooManyRecipients', maxRecipients: RECIPIENTS_MAX })
  const recipients = new Map<string, Address>()
  const invalid: string[] = []
  for (const each of to) {
    const address = parseAddress(each)
    if (address.ok) recipients.set(formatAddress(address.value), address.value)
    else invalid.push(each.slice(0, 300))
  }
  if (invalid.length > 0)
    throw new SetRefusal({ type: 'invalidRecipients', invalidRecipients: invalid })
  return { mailFrom: mailFrom.value, rcptTo: [...recipients.values()] }
}

/** Nothing is kept of what was sent: the queue and its trace know. */
export const submissionGet: Method = {
  name: 'EmailSubmission/get',
  capability: SUBMISSION,
  args: ['ids', 'properties'],
  run: (call, args) =>
    Promise.resolve({ state: STATE, list: [], notFound: idsToGet(call, args) ?? [] }),
}

export const submissionChanges: Method = {
  name: 'EmailSubmission/changes',
  capability: SUBMISSION,
  args: CHANGES_ARGS,
  run: () => Promise.reject(cannotCalculate()),
}

export const submissionQuery: Method = {
  name: 'EmailSubmission/query',
  capability: SUBMISSION,
  args: ['filter', 'sort', 'position', 'anchor', 'anchorOffset', 'limit', 'calculateTotal'],
  run: (_, args) =>
    Promise.resolve({
      queryState: STATE,
      canCalculateChanges: false,
      position: 0,
      ids: [],
      ...(args.flag('calculateTotal') ? { total: 0 } : {}),
    }),
}
