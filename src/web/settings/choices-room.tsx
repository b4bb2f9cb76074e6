import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'

import type { ChoicesBody, ChoicesPatchBody, OwnActBody, OwnEnd } from '#contract/admin/choices.ts'
import { MailFailure } from '#web/mail/client.ts'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'
import { dateText } from '#web/parts/times.ts'

/** What somebody has chosen, and how it is changed. */
export interface Choosing {
  readonly view: ChoicesBody
  readonly isBusy: boolean
  /**
   * Does it, says so, and shows what is now; false where it was refused, which is said too. `back`
   * undoes it, for a while.
   */
  readonly act: (act: OwnActBody, done: string, back?: OwnActBody) => Promise<boolean>
  /** Changes parts, onto what is shown; it can be undone for a while. */
  readonly set: (patch: ChoicesPatchBody, done: string) => Promise<boolean>
}

const Context = createContext<Choosing | undefined>(undefined)

export function useChoosing(): Choosing {
  const choosing = useContext(Context)
  if (choosing === undefined) throw new Error('there is no room of choices')
  return choosing
}

/** Holds the choices for all pages of the settings. */
export function ChoicesRoom(props: {
  readonly client: MailClient
  readonly children: ReactNode
}): ReactNode {
  const { t, language } = useWords()
  const tell = useNotices()
  const { client } = props
  const [view, setView] = useState<ChoicesBody>()
  const [isAway, setAway] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const load = useCallback(async (): Promise<void> => {
    setAway(false)
    try {
      setView(await client.choices())
    } catch (thrown) {
      if (!(thrown instanceof MailFailure && thrown.kind === 'expired')) setAway(true)
    }
  }, [client])
  useEffect(() => void load(), [load])

  const act = useCallback(
    async (wanted: OwnActBody, done: string, undo?: () => void): Promise<boolean> => {
      setBusy(true)
      try {
        const end = await client.choose(wanted)
        if (end.end === 'done') {
          setView(await client.choices())
          tell({ kind: 'done', text: done, ...(undo !== undefined && { undo }) })
          return true
        }
        tell({ kind: 'failed', text: t(`end.${end.end}`, whyOf(end, language)) })
        if (end.end === 'stale') setView(await client.choices())
        return false
      } catch (thrown) {
        const kind = thrown instanceof MailFailure ? thrown.kind : 'away'
        if (kind !== 'expired')
          tell({ kind: 'failed', text: t(kind === 'refused' ? 'end.invalid' : 'end.away', NO_WHY) })
        return false
      } finally {
        setBusy(false)
      }
    },
    [client, language, t, tell],
  )
  const choosing = useMemo((): Choosing | undefined => {
    if (view === undefined) return undefined
    return {
      view,
      isBusy,
      act: (wanted, done, back) =>
        act(wanted, done, back && (() => void act(back, t('done.undone')))),
      set: (patch, done) =>
        act({ kind: 'set', revision: view.revision, patch }, done, () => {
          void act({ kind: 'set', patch: partsOf(view, patch) }, t('done.undone'))
        }),
    }
  }, [view, isBusy, act, t])
  if (isAway && view === undefined)
    return (
      <main className="alone" role="alert">
        <p>{t('away.start')}</p>
        <button type="button" className="plain-button" onClick={() => void load()}>
          {t('retry')}
        </button>
      </main>
    )
  if (choosing === undefined) return <p className="alone faint">{t('loading')}</p>
  return <Context value={choosing}>{props.children}</Context>
}

/** The same parts as they were before. */
const partsOf = (view: ChoicesBody, patch: ChoicesPatchBody): ChoicesPatchBody =>
  Object.fromEntries(Object.keys(patch).map((part) => [part, view[part as keyof ChoicesPatchBody]]))

const NO_WHY = { why: '', from: '' }

/** What the sentence of a refusal names. */
const whyOf = (end: OwnEnd, language: 'en' | 'ja'): { why: string; from: string } =>
  end.end === 'done'
    ? NO_WHY
    : { why: end.message, from: end.from === undefined ? '' : dateText(language, end.from) }
