import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import { KEEPING_CALLS } from '#contract/node/keeping.ts'
import type { Keeping } from '#engine/retention/keeping.ts'
import type { EventSink } from '#model/event.ts'
import type { RemoteKeeping } from '#server/admin/context.ts'

type Name = keyof typeof KEEPING_CALLS
type Verb<N extends Name> = N extends `mailbox.${infer V extends keyof RemoteKeeping}` ? V : never
type Ask<N extends Name> = Parameters<RemoteKeeping[Verb<N>]>[0]

/** What control may ask of a store about what its mailboxes keep; each change is an event. */
export function keepingCalls(
  keeping: Keeping,
  { events, clock }: { readonly events: EventSink; readonly clock: Clock },
): Readonly<Record<Name, (argument: never) => Promise<unknown>>> {
  const tell = (name: string, fields: Readonly<Record<string, string | number>>): void =>
    events.emit({ atMs: clock.nowMs(), name, fields })
  return {
    'mailbox.list': (given) => keeping.list(argument('mailbox.list', given)),
    'mailbox.acl': (given) => keeping.acl(argument('mailbox.acl', given)),
    'mailbox.grant': async (given) => {
      const { by, ...ask } = argument('mailbox.grant', given)
      const was = await keeping.acl(ask)
      const done = await keeping.grant(ask)
      const { accountId, path, who, rights } = ask
      if (!done.ok) return done
      const before = (was.ok && was.value.find((each) => each.who === who)?.rights) || ''
      tell('store.granted', { accountId, mailbox: path.join('/'), who, before, rights, by })
      return done
    },
    'mailbox.retain': async (given) => {
      const { by, ...ask } = argument('mailbox.retain', given)
      const done = await keeping.retain(ask)
      const { accountId, path, retention } = ask
      if (done.ok) tell('store.retention', { accountId, mailbox: path.join('/'), retention, by })
      return done
    },
    'mailbox.expire': async (given) => {
      const { by, ...ask } = argument('mailbox.expire', given)
      const done = await keeping.expire(ask)
      const messages = done.expired.reduce((sum, each) => sum + each.messages, 0)
      if (messages > 0 && !ask.dryRun)
        tell('store.expired', { messages, mailboxes: done.expired.length, by })
      return done
    },
    'mailbox.gone': (given) => keeping.gone(argument('mailbox.gone', given)),
    'mailbox.damaged': () => keeping.damaged(),
    'mailbox.usages': (given) => keeping.usages(argument('mailbox.usages', given)),
    'mailbox.recount': async (given) => {
      const { by, ...ask } = argument('mailbox.recount', given)
      const done = await keeping.recount(ask)
      const { sums, mailboxes } = done
      const isWrong = sums.bytes !== 0 || sums.messages !== 0 || mailboxes.length > 0
      if (isWrong) tell('store.recounted', { ...ask, ...sums, mailboxes: mailboxes.length, by })
      return done
    },
    'mailbox.undelete': async (given) => {
      const { by, ...ask } = argument('mailbox.undelete', given)
      const done = await keeping.undelete(ask)
      if (done.ok && done.value.restored > 0)
        tell('store.undeleted', { accountId: ask.accountId, messages: done.value.restored, by })
      return done
    },
  }
}

/** The account is one of the directory's, by its keeper's word. */
function argument<N extends Name>(name: N, given: unknown): Ask<N> {
  const parsed = KEEPING_CALLS[name].safeParse(given)
  if (parsed.success) return parsed.data as unknown as Ask<N>
  throw new Fault('invalid', `${name}: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
}

/** A store's mailboxes, asked through its node API. */
export const remoteKeeping = (store: NodeCaller): RemoteKeeping => ({
  list: (ask) => store.call('mailbox.list', ask) as ReturnType<RemoteKeeping['list']>,
  acl: (ask) => store.call('mailbox.acl', ask) as ReturnType<RemoteKeeping['acl']>,
  grant: (ask) => store.call('mailbox.grant', ask) as ReturnType<RemoteKeeping['grant']>,
  retain: (ask) => store.call('mailbox.retain', ask) as ReturnType<RemoteKeeping['retain']>,
  expire: (ask) => store.call('mailbox.expire', ask) as ReturnType<RemoteKeeping['expire']>,
  gone: (ask) => store.call('mailbox.gone', ask) as ReturnType<RemoteKeeping['gone']>,
  damaged: () => store.call('mailbox.damaged', {}) as ReturnType<RemoteKeeping['damaged']>,
  usages: (ask) => store.call('mailbox.usages', ask) as ReturnType<RemoteKeeping['usages']>,
  recount: (ask) => store.call('mailbox.recount', ask) as ReturnType<RemoteKeeping['recount']>,
  undelete: (ask) => store.call('mailbox.undelete', ask) as ReturnType<RemoteKeeping['undelete']>,
})
