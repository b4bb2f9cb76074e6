import { idsToGet } from '#server/jmap/method/ids.ts'
import { SetRefusal } from '#server/jmap/method/method-error.ts'
import { CORE } from '#server/jmap/room.ts'
import type { Method } from '#server/jmap/room.ts'
import { notFound, readSet, SetResult } from '#server/jmap/method/set-frame.ts'

/*
 * RFC 8620 §7.2: nothing is pushed to a URL here. A client is told so for each subscription that it
 * asks for, and opens an event source instead.
 */

export const pushSubscriptionGet: Method = {
  name: 'PushSubscription/get',
  capability: CORE,
  args: ['ids', 'properties'],
  withoutAccount: true,
  run: (call, args) => {
    args.strings('properties')
    return Promise.resolve({ list: [], notFound: idsToGet(call, args) ?? [] })
  },
}

export const pushSubscriptionSet: Method = {
  name: 'PushSubscription/set',
  capability: CORE,
  args: ['create', 'update', 'destroy'],
  withoutAccount: true,
  run: (call, args) => {
    const ask = readSet(call, args, '')
    const result = new SetResult()
    const description = 'Nothing is pushed to a URL here: open the event source'
    for (const [creationId] of ask.create)
      result.refuse('notCreated', creationId, new SetRefusal({ type: 'forbidden', description }))
    for (const [id] of ask.update) result.refuse('notUpdated', id, notFound())
    for (const id of ask.destroy) result.refuse('notDestroyed', id, notFound())
    return Promise.resolve(result.answer())
  },
}
