import type { ThreadId } from '#model/mailbox.ts'
import type { EmailChange } from '#store/mailbox/stored-email.ts'
import { findEmails, readEmailQuery, viewsFor } from './email-query.ts'
import {
  QUERY_CHANGES_ARGS,
  queryChanges,
  sinceQueryState,
} from '#server/jmap/method/query-frame.ts'
import { MAIL, asked } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { cannotCalculate, readQueryState } from '#server/jmap/method/states.ts'

/** Emails that may have changed; after more of them a client asks anew. */
const CHANGES_MAX = 5_000
const THREADS_AT_ONCE = 1_000

/** RFC 8621 §4.5. Whatever changed since may stand elsewhere now; all else has kept its order. */
export const emailQueryChanges: Method = {
  name: 'Email/queryChanges',
  capability: MAIL,
  args: [...QUERY_CHANGES_ARGS, 'collapseThreads'],
  async run(call, args): Promise<Answer> {
    const oldState = sinceQueryState(args)
    const since = readQueryState(oldState)
    const ask = readEmailQuery(args)
    // Results first: what changes meanwhile is told as changed, and stands where it stood before.
    const { views, state: newState } = await viewsFor(call, ask.filter)
    const found = await call.room.store.emailChanges({
      ...asked(call),
      since,
      limit: CHANGES_MAX,
    })
    if (found === undefined || found.more) throw cannotCalculate()
    const touched = new Map<string, { readonly wasThere: boolean }>()
    if (ask.collapse || /ThreadHaveKeyword"/.test(JSON.stringify(args.value('filter') ?? null)))
      for (const id of await threadMates(call, found.changes)) touched.set(id, { wasThere: true })
    for (const { emailId, isNew } of found.changes) touched.set(emailId, { wasThere: !isNew })
    const needsAll = touched.size > 0 || ask.calculateTotal
    const whole = { ...ask, position: 0, anchor: undefined, limit: Infinity, calculateTotal: true }
    const all = needsAll ? (await findEmails(call, whole, views)).ids : []
    return queryChanges(args, { oldState, newState, touched, all })
  },
}

/** All emails of the changed ones' threads: which of them is shown, or found by them, may have changed. */
async function threadMates(call: Call, changes: readonly EmailChange[]): Promise<string[]> {
  const ids = [...new Set(changes.map(({ thread }) => thread.id))] as ThreadId[]
  const mates: string[] = []
  for (let at = 0; at < ids.length; at += THREADS_AT_ONCE) {
    const threadIds = ids.slice(at, at + THREADS_AT_ONCE)
    const { threads } = await call.room.store.threads({ ...asked(call), threadIds })
    for (const emailIds of threads) mates.push(...(emailIds ?? []))
    if (mates.length > CHANGES_MAX) throw cannotCalculate()
  }
  return mates
}
