import type { Outcome } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { Scripts, ScriptsRefusal } from './scripts.ts'

/** Scripts as somebody changes them, whom the event of each change names. */
export type ScriptsBy = (by: string) => Scripts

/** The same scripts by whatever door; each change that was made is an event. */
export function toldScripts(
  scripts: Scripts,
  told: { readonly events: EventSink; readonly clock: Clock },
): ScriptsBy {
  const tell = async <T>(
    what: Readonly<Record<'act' | 'by', string>> & { readonly accountId: AccountId },
    names: Readonly<Record<string, string | null>>,
    change: Promise<Outcome<T, ScriptsRefusal>>,
  ): Promise<Outcome<T, ScriptsRefusal>> => {
    const done = await change
    const { act, by, accountId } = what
    const named = Object.entries(names).map(([key, name]) => [key, name?.normalize('NFC') ?? null])
    const fields = { act, accountId, ...Object.fromEntries(named), by }
    if (done.ok) told.events.emit({ atMs: told.clock.nowMs(), name: 'store.script', fields })
    return done
  }
  return (by) => ({
    list: (ask) => scripts.list(ask),
    get: (ask) => scripts.get(ask),
    put: ({ accountId, name, text, activate, newOnly = false }) => {
      const act = activate ? 'putActive' : 'put'
      const change = scripts.put({ accountId, name, text, activate, newOnly })
      return tell({ act, by, accountId }, { script: name }, change)
    },
    keep: ({ accountId, name, text }) => {
      const change = scripts.keep({ accountId, name, text })
      return tell({ act: 'keep', by, accountId }, { script: name }, change)
    },
    activate: ({ accountId, name }) => {
      const change = scripts.activate({ accountId, name })
      return tell({ act: 'activate', by, accountId }, { script: name }, change)
    },
    remove: ({ accountId, name }) => {
      const change = scripts.remove({ accountId, name })
      return tell({ act: 'remove', by, accountId }, { script: name }, change)
    },
    rename: ({ accountId, name, to }) => {
      const change = scripts.rename({ accountId, name, to })
      return tell({ act: 'rename', by, accountId }, { script: name, to }, change)
    },
  })
}
