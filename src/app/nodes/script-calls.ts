import type { z } from 'zod'
import { Fault } from '#base/outcome.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import { SCRIPT_CALLS } from '#contract/node/scripts.ts'
import type { Scripts } from '#engine/deliver/scripts.ts'
import { importScripts } from '#engine/deliver/imported-scripts.ts'
import type { ScriptsBy } from '#engine/deliver/told-scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { RemoteScripts } from '#server/admin/context.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

type Name = keyof typeof SCRIPT_CALLS
type Argument<N extends Name> = z.infer<(typeof SCRIPT_CALLS)[N]>

/** What control may ask of a store about users' scripts. */
export function scriptCalls(
  scripts: ScriptsBy,
  mailboxes: Pick<MailboxStore, 'mailboxes'>,
): Readonly<Record<Name, (argument: never) => Promise<unknown>>> {
  return {
    'sieve.list': (given) => scripts('').list(argument('sieve.list', given)),
    'sieve.get': (given) => scripts('').get(argument('sieve.get', given)),
    'sieve.put': (given) => {
      const ask = argument('sieve.put', given)
      return scripts(ask.by).put(ask)
    },
    'sieve.activate': (given) => {
      const ask = argument('sieve.activate', given)
      return scripts(ask.by).activate(ask)
    },
    'sieve.remove': (given) => {
      const ask = argument('sieve.remove', given)
      return scripts(ask.by).remove(ask)
    },
    'sieve.import': (given) => {
      const { separator, prefix, ...ask } = argument('sieve.import', given)
      const declared = {
        ...(separator !== undefined && { separator }),
        ...(prefix !== undefined && { prefix }),
      }
      return importScripts({ ...ask, ...declared }, { scripts: scripts(ask.by), mailboxes })
    },
    'sieve.rename': (given) => {
      const ask = argument('sieve.rename', given)
      return scripts(ask.by).rename(ask)
    },
  }
}

/** The account is one of the directory's, by its keeper's word. */
function argument<N extends Name>(
  name: N,
  given: unknown,
): Argument<N> & { readonly accountId: AccountId } {
  const parsed = SCRIPT_CALLS[name].safeParse(given)
  if (parsed.success) return parsed.data as Argument<N> & { readonly accountId: AccountId }
  throw new Fault('invalid', `${name}: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
}

/** A store's scripts, asked through its node API. */
export function remoteScripts(store: NodeCaller): RemoteScripts {
  const call = <N extends Name>(name: N, ask: Argument<N>): Promise<unknown> =>
    store.call(name, ask)
  return {
    list: (ask) => call('sieve.list', ask) as ReturnType<Scripts['list']>,
    get: (ask) => call('sieve.get', ask) as ReturnType<Scripts['get']>,
    put: (ask) => call('sieve.put', ask) as ReturnType<Scripts['put']>,
    activate: (ask) => call('sieve.activate', ask) as ReturnType<Scripts['activate']>,
    remove: (ask) => call('sieve.remove', ask) as ReturnType<Scripts['remove']>,
    bringIn: (ask) =>
      call('sieve.import', { ...ask, scripts: [...ask.scripts] }) as ReturnType<
        RemoteScripts['bringIn']
      >,
    rename: (ask) => call('sieve.rename', ask) as ReturnType<Scripts['rename']>,
  }
}
