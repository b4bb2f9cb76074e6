import { isDeepStrictEqual } from 'node:util'
import type { Args } from '#server/jmap/method/args.ts'
import { isId } from '#server/jmap/method/args.ts'
import {
  invalidArguments,
  invalidProperties,
  setErrorOf,
  SetRefusal,
} from '#server/jmap/method/method-error.ts'
import { objectState } from '#server/jmap/method/objects.ts'
import { SUBMISSION } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { notFound, objects, readSet, SetResult, SET_ARGS } from '#server/jmap/method/set-frame.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { submit } from './submit.ts'
import { loadSubmissions, showSubmission, undoStatus } from './submission.ts'
import type { Submission } from './submission.ts'

/** RFC 8621 §7.5: sends a stored email by the store's outbox, calls back what is still held there. */
export const submissionSet: Method = {
  name: 'EmailSubmission/set',
  capability: SUBMISSION,
  args: [...SET_ARGS, 'onSuccessUpdateEmail', 'onSuccessDestroyEmail'],
  async run(call, args): Promise<Answer> {
    const { state, objects: before } = await loadSubmissions(call)
    const ask = readSet(call, args, objectState(state))
    const onSuccess = readOnSuccess(args)
    const byId = new Map(before.map((each) => [each.id, each]))
    const result = new SetResult()
    /** Emails of those that went well, by the key that onSuccess names them by. */
    const emailIds = new Map<string, string>()
    for (const [creationId, properties] of ask.create)
      try {
        const { emailId, ...object } = await submit(call, args, properties)
        emailIds.set(`#${creationId}`, emailId)
        result.created(call, creationId, object)
      } catch (thrown) {
        result.refuse('notCreated', creationId, thrown)
      }
    if (emailIds.size > 0) call.room.submitted()
    for (const [id, patch] of ask.update)
      try {
        const submission = byId.get(id)
        if (submission === undefined) throw notFound()
        if (ask.destroy.includes(id)) throw new SetRefusal({ type: 'willDestroy' })
        result.updated(id, await update(call, submission, patch))
        emailIds.set(id, submission.value.emailId)
      } catch (thrown) {
        result.refuse('notUpdated', id, thrown)
      }
    for (const id of ask.destroy)
      try {
        const submission = byId.get(id)
        if (submission === undefined) throw notFound()
        await commit(call, [{ kind: 'forget', object: 'EmailSubmission', id }])
        result.destroyed(id)
        emailIds.set(id, submission.value.emailId)
      } catch (thrown) {
        result.refuse('notDestroyed', id, thrown)
      }
    follow(call, onSuccess, (key) => emailIds.get(key.startsWith('#') ? key : args.resolved(key)))
    return {
      oldState: objectState(state),
      newState: objectState((await loadSubmissions(call)).state),
      ...result.answer(),
    }
  },
}

/** Only `canceled` is news; all else must be as it is. */
async function update(
  call: Call,
  submission: Submission,
  patch: Properties,
): Promise<Properties | null> {
  const shown = showSubmission(submission)
  for (const [name, value] of Object.entries(patch)) {
    if (name.includes('/'))
      throw new SetRefusal({ type: 'invalidPatch', description: 'Nothing lies within a property' })
    const isCancel = name === 'undoStatus' && value === 'canceled'
    if (!isCancel && !(Object.hasOwn(shown, name) && isDeepStrictEqual(shown[name], value)))
      throw invalidProperties('that cannot be changed', name.slice(0, 100))
  }
  if (patch['undoStatus'] !== 'canceled' || shown['undoStatus'] === 'canceled') return null
  if (undoStatus(submission) === 'final') throw cannotUnsend()
  const { id, value } = submission
  const entry = id.slice(1)
  await commit(call, [
    { kind: 'withdraw', entry },
    {
      kind: 'keep',
      object: 'EmailSubmission',
      id,
      value: { ...value, fate: 'canceled' },
    },
  ])
  call.room.events.emit({
    atMs: call.room.clock.nowMs(),
    name: 'store.withdrawn',
    deliveryId: entry,
    fields: { accountId: call.account.id, ip: call.ip },
  })
  return { deliveryStatus: null }
}

const cannotUnsend = (): SetRefusal =>
  new SetRefusal({ type: 'cannotUnsend', description: 'The mail is on its way' })

async function commit(
  call: Call,
  changes: Parameters<Call['room']['store']['commit']>[0]['commits'][0]['changes'],
): Promise<void> {
  const { results } = await call.room.store.commit({
    contents: [],
    commits: [{ accountId: call.account.id, changes }],
  })
  const [result] = results
  if (result?.kind !== 'refused') return
  // Only what is withdrawn too late conflicts.
  if (result.refusal.code === 'conflict') throw cannotUnsend()
  throw new SetRefusal(setErrorOf(result.refusal, 'undoStatus'))
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

/** Email/set of the emails whose submission went well, answered next under the same call id. */
function follow(
  call: Call,
  onSuccess: OnSuccess,
  emailIdOf: (key: string) => string | undefined,
): void {
  const update = onSuccess.update.flatMap(([key, patch]) => {
    const emailId = emailIdOf(key)
    return emailId === undefined ? [] : [[emailId, patch] as const]
  })
  const destroy = onSuccess.destroy.flatMap((key) => emailIdOf(key) ?? [])
  if (update.length + destroy.length === 0) return
  call.following.push({
    name: 'Email/set',
    args: { accountId: call.account.id, update: Object.fromEntries(update), destroy },
  })
}
