import { randomId } from '#base/id.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { accountOf } from '#server/jmap/account-of.ts'
import type { Args } from '#server/jmap/method/args.ts'
import {
  invalidArguments,
  invalidProperties,
  MethodError,
  setErrorOf,
  SetRefusal,
} from '#server/jmap/method/method-error.ts'
import { notFound, objects, SetResult } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { emailState } from '#server/jmap/method/states.ts'
import { asked, CORE, MAIL } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { flagsOf, loadEmails } from './emails.ts'
import type { Email } from './emails.ts'
import { largeOf, readPlacing } from './filing.ts'
import { emailBlobId, findBlob, readBlob } from './source.ts'

/** The account that it is copied from, as its own call. */
async function sourceOf(call: Call, args: Args): Promise<Call> {
  const id = args.id('fromAccountId')
  if (id === undefined) throw invalidArguments('fromAccountId is missing')
  if (id === call.account.id) throw invalidArguments('a copy goes to another account')
  const found = await accountOf(call, id)
  if (found === undefined) throw new MethodError('fromAccountNotFound')
  return { ...call, account: found.account }
}

const KNOWN = ['id', 'mailboxIds', 'keywords', 'receivedAt']

/** RFC 8621 §4.7. Octets are shared by both accounts; each copy stands or falls alone. */
export const emailCopy: Method = {
  name: 'Email/copy',
  capability: MAIL,
  args: [
    'fromAccountId',
    'ifFromInState',
    'ifInState',
    'create',
    'onSuccessDestroyOriginal',
    'destroyFromIfInState',
  ],
  writes: true,
  async run(call, args): Promise<Answer> {
    const source = await sourceOf(call, args)
    const create = objects(args, 'create')
    if (create.length > call.room.limits.maxObjectsInSet) throw new MethodError('requestTooLarge')
    const { state: before } = await loadEmails(call, [])
    requireState(args.string('ifInState'), emailState(before))
    const ids = create.map(([, { id }]) => (typeof id === 'string' ? args.resolved(id) : ''))
    const { state: fromState, emails } = await loadEmails(source, ids)
    requireState(args.string('ifFromInState'), emailState(fromState))
    const result = new SetResult()
    const copied: string[] = []
    for (const [index, [creationId, properties]] of create.entries())
      try {
        const email = emails[index]
        if (email === undefined) throw notFound()
        result.created(call, creationId, await copyOne({ call, source, args }, email, properties))
        copied.push(email.emailId)
      } catch (thrown) {
        result.refuse('notCreated', creationId, thrown)
      }
    if (args.flag('onSuccessDestroyOriginal') && copied.length > 0)
      call.following.push({
        name: 'Email/set',
        args: {
          accountId: source.account.id,
          destroy: copied,
          ifInState: args.string('destroyFromIfInState') ?? null,
        },
      })
    const { state: after } = await loadEmails(call, [])
    const { created, notCreated } = result.answer()
    return {
      fromAccountId: source.account.id,
      oldState: emailState(before),
      newState: emailState(after),
      created,
      notCreated,
    }
  },
}

function requireState(wanted: string | undefined, state: string): void {
  if (wanted !== undefined && wanted !== state) throw new MethodError('stateMismatch')
}

async function copyOne(
  { call, source, args }: { readonly call: Call; readonly source: Call; readonly args: Args },
  email: Email,
  properties: Properties,
): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
  const strange = Object.keys(properties).find((name) => !KNOWN.includes(name))
  if (strange !== undefined) throw invalidProperties('that cannot be given', strange.slice(0, 100))
  const { places } = email
  // What is not given is as it is there.
  const given = {
    keywords: Object.fromEntries([...email.keywords].map((name) => [name, true])),
    receivedAt: new Date(
      Math.min(...places.map(({ internalDateMs }) => internalDateMs)),
    ).toISOString(),
    ...properties,
  }
  const placing = await readPlacing(call, args, given)
  const from = places[0]!
  const { results } = await call.room.store.commit({
    contents: [],
    commits: [
      {
        ...asked(call),
        changes: placing.mailboxIds.map((id: MailboxId): MailboxChange => ({
          kind: 'copy',
          from: from.mailboxId,
          fromAccount: source.account.id,
          uids: [from.uid],
          to: { id },
          as: { ...flagsOf(placing.keywords), internalDateMs: placing.receivedAtMs },
        })),
      },
    ],
  })
  const [result] = results
  if (result?.kind === 'refused') throw new SetRefusal(setErrorOf(result.refusal, 'mailboxIds'))
  const copy = result?.kind === 'committed' ? result.results[0] : undefined
  if (copy?.kind !== 'copy') throw new Error('a copy answered otherwise')
  const [made] = copy.emails ?? []
  if (made === undefined) throw notFound() // expunged meanwhile
  return {
    id: made.emailId,
    blobId: emailBlobId(made.emailId),
    threadId: made.threadId,
    size: from.sizeBytes,
  }
}

/** RFC 8620 §6.3. What is no upload becomes one of whoever asks. */
export const blobCopy: Method = {
  name: 'Blob/copy',
  capability: CORE,
  args: ['fromAccountId', 'blobIds'],
  async run(call, args): Promise<Answer> {
    const source = await sourceOf(call, args)
    const ids = args.ids('blobIds')
    if (ids === undefined) throw invalidArguments('blobIds is missing')
    if (ids.length > call.room.limits.maxObjectsInSet) throw new MethodError('requestTooLarge')
    const copied: [string, string][] = []
    const notCopied: [string, unknown][] = []
    for (const id of new Set(ids)) {
      const made = await copyBlob(call, source, id)
      if (typeof made === 'string') copied.push([id, made])
      else notCopied.push([id, made])
    }
    return {
      fromAccountId: source.account.id,
      copied: copied.length === 0 ? null : Object.fromEntries(copied),
      notCopied: notCopied.length === 0 ? null : Object.fromEntries(notCopied),
    }
  },
}

async function copyBlob(
  call: Call,
  source: Call,
  id: string,
): Promise<string | { readonly type: string; readonly [more: string]: unknown }> {
  const blob = await findBlob(source, id)
  if (blob === undefined) return { type: 'notFound' }
  // An upload is its uploader's, in whichever account it is used.
  if (/^U[^-]*$/.test(id)) return id
  const { maxSizeUpload, uploadBytesPerAccountMax } = call.room.limits
  if (blob.length > maxSizeUpload) return { type: 'tooLarge', maxSize: maxSizeUpload }
  const octets = await readBlob(blob)
  const { store } = call.room
  const made = `U${randomId(24)}`
  const { isKept } = await store.keepUpload({
    accountId: call.login.id,
    id: made,
    type: blob.type,
    large: await largeOf(call, octets),
    bytesMax: Math.max(uploadBytesPerAccountMax, maxSizeUpload),
  })
  return isKept ? made : { type: 'overQuota' }
}
