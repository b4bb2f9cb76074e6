import type { z } from 'zod'
import { Fault } from '#base/outcome.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import { SCRIPT_HOME_CALLS } from '#contract/node/scripts.ts'
import type { HomedScripts } from '#engine/deliver/homed-scripts.ts'
import type { Scripts } from '#engine/deliver/scripts.ts'
import type { ScriptStore } from '#engine/home/script-store.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { JoinedNode } from './joined-node.ts'

type Name = keyof typeof SCRIPT_HOME_CALLS
type Argument<N extends Name> = z.infer<(typeof SCRIPT_HOME_CALLS)[N]> & {
  readonly accountId: AccountId
}

/** What control asks of a store where scripts have their home elsewhere. */
export function scriptHomeCalls(
  scripts: Pick<HomedScripts, 'stand' | 'take'>,
  parts: {
    readonly mailboxes: Pick<MailboxStore, 'scriptAccounts'>
    readonly node: Pick<JoinedNode, 'scriptHome' | 'keepScriptHome'>
  },
): Readonly<Record<Name, (argument: never) => Promise<unknown>>> {
  const { mailboxes, node } = parts
  return {
    'sieve.home': async (given) => {
      const { home } = argument('sieve.home', given)
      const before = node.scriptHome ?? null
      await node.keepScriptHome(home ?? undefined)
      return { before }
    },
    'sieve.stand': (given) => scripts.stand(argument('sieve.stand', given)),
    'sieve.stands': (given) => mailboxes.scriptAccounts(argument('sieve.stands', given)),
    'sieve.take': (given) => scripts.take(argument('sieve.take', given)),
  }
}

/** The account is one of the directory's, by its keeper's word. */
function argument<N extends Name>(name: N, given: unknown): Argument<N> {
  const parsed = SCRIPT_HOME_CALLS[name].safeParse(given)
  if (parsed.success) return parsed.data as Argument<N>
  throw new Fault('invalid', `${name}: ${parsed.error.issues[0]?.message ?? 'invalid'}`)
}

/** A store's side of a home of scripts, asked through its node API. */
export function remoteScriptStore(store: NodeCaller): ScriptStore {
  const call = <N extends Name>(name: N, ask: z.infer<(typeof SCRIPT_HOME_CALLS)[N]>) =>
    store.call(name, ask)
  return {
    home: (ask) => call('sieve.home', ask) as ReturnType<ScriptStore['home']>,
    stand: (ask) => call('sieve.stand', ask) as ReturnType<ScriptStore['stand']>,
    stands: (ask) => call('sieve.stands', ask) as ReturnType<ScriptStore['stands']>,
    take: (ask) => call('sieve.take', ask) as ReturnType<ScriptStore['take']>,
    text: async (ask) => {
      const got = (await store.call('sieve.get', ask)) as Awaited<ReturnType<Scripts['get']>>
      return got.ok ? got.value.text : undefined
    },
  }
}
