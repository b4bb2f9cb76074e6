import { useCallback, useEffect, useState } from 'react'
import type { ReactNode } from 'react'

import { MailFailure } from '#web/mail/client.ts'
import type { MailClient } from '#web/mail/client.ts'
import { go, useAddress } from '#web/parts/address.ts'
import { useWords } from '#web/parts/language.ts'
import { useNotices } from '#web/parts/notices.tsx'

import { useChoosing } from './choices-room.tsx'
import { activateScript, ownScripts, removeScript, saveScript } from './own-scripts.ts'
import type { OwnScript, OwnScripts, Refusal } from './own-scripts.ts'
import { ScriptEditor } from './script-editor.tsx'
import type { Draft } from './script-editor.tsx'
import { refusalSays } from '#web/parts/script-says.ts'

const HERE = '/settings/script'
const NEW = 'new'
const EMPTY: Draft = { name: '', text: 'require ["fileinto"];\n\n' }

/** What filters one's mail: the script that is made of the choices, and behind it one of one's own. */
export function ScriptPage({ client }: { readonly client: MailClient }): ReactNode {
  const { t } = useWords()
  const { view } = useChoosing()
  const { scripts, isAway, isBusy, load, act } = useScripts(client)
  const opened = useAddress().path.split('/')[3]
  const active = scripts?.list.find(({ isActive }) => isActive)
  const script = view.script.replaceAll('\r\n', '\n').trim()
  const { forward } = view
  return (
    <>
      <p className="state">
        {active === undefined ? t('scripts.noneRuns') : t('scripts.runs', { name: active.name })}
      </p>
      {forward !== null && forward.to.length > 0 && !forward.keep && (
        <p className="mark mark-warn wide-mark">△ {t('forwarding.noVacation')}</p>
      )}
      {isAway && (
        <p role="alert">
          {t('away.start')}{' '}
          <button type="button" className="plain-button" onClick={() => void load()}>
            {t('retry')}
          </button>
        </p>
      )}
      {scripts !== undefined && (
        <section className="sheet" aria-labelledby="own-scripts">
          <h2 id="own-scripts">{t('scripts.own')}</h2>
          <p className="faint">{t('scripts.what')}</p>
          <ul className="things">
            {scripts.list.map((each) => (
              <li key={each.id}>
                <span>
                  <bdi>{each.name}</bdi>{' '}
                  {each.isActive && (
                    <span className="mark mark-good">○ {t('scripts.isActive')}</span>
                  )}
                </span>
                <Acts
                  {...{ each, isBusy, client, act }}
                  active={active}
                  isOpen={opened === each.id}
                />
              </li>
            ))}
          </ul>
          {opened !== NEW && (
            <button type="button" className="answer" onClick={() => go(`${HERE}/${NEW}`)}>
              {t('scripts.new')}
            </button>
          )}
        </section>
      )}
      {scripts !== undefined && opened !== undefined && (
        <Opened key={opened} id={opened} {...{ scripts, isBusy, client, act }} />
      )}
      <section className="sheet" aria-labelledby="chosen-script">
        <h2 id="chosen-script">{t('script.chosen')}</h2>
        <p className="faint">{t('script.what')}</p>
        {script === '' ? (
          <p>{t('script.empty')}</p>
        ) : (
          // Who has no mouse can scroll it, too.
          <pre className="script" tabIndex={0} aria-labelledby="chosen-script">
            {script}
          </pre>
        )}
      </section>
    </>
  )
}

/** Does something, says what came of it, and loads what is now. */
type Act = (
  work: () => Promise<string | Refusal | undefined>,
  done: string,
  undo?: () => void,
) => Promise<string | boolean>

function useScripts(client: MailClient): {
  readonly scripts: OwnScripts | undefined
  readonly isAway: boolean
  readonly isBusy: boolean
  readonly load: () => Promise<void>
  readonly act: Act
} {
  const { t, language } = useWords()
  const tell = useNotices()
  const [scripts, setScripts] = useState<OwnScripts>()
  const [isAway, setAway] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const load = useCallback(async (): Promise<void> => {
    setAway(false)
    await ownScripts(client).then(setScripts, (thrown: unknown) => {
      if (!(thrown instanceof MailFailure && thrown.kind === 'expired')) setAway(true)
    })
  }, [client])
  useEffect(() => void load(), [load])
  const act: Act = async (work, done, undo) => {
    setBusy(true)
    try {
      const end = await work()
      await load()
      if (end === undefined || typeof end === 'string') {
        tell({ kind: 'done', text: done, ...(undo !== undefined && { undo }) })
        return end ?? true
      }
      const { type, description } = end
      const why = refusalSays(description, language)
      tell({
        kind: 'failed',
        text: t(`scripts.end.${REASONS.has(type) ? type : 'other'}`, { why }),
      })
      return false
    } catch (thrown) {
      const kind = thrown instanceof MailFailure ? thrown.kind : 'away'
      if (kind !== 'expired') tell({ kind: 'failed', text: t('scripts.end.away') })
      return false
    } finally {
      setBusy(false)
    }
  }
  return { scripts, isAway, isBusy, load, act }
}

/** Refusals that have words of their own. */
const REASONS: ReadonlySet<string> = new Set([
  'alreadyExists',
  'invalidSieve',
  'tooLarge',
  'overQuota',
  'invalidProperties',
  'notFound',
  'stateMismatch',
])

interface Room {
  readonly client: MailClient
  readonly isBusy: boolean
  readonly act: Act
}

/** What can be done with one; all of it can be undone for a while. */
function Acts(
  props: Room & {
    readonly each: OwnScript
    readonly active: OwnScript | undefined
    readonly isOpen: boolean
  },
): ReactNode {
  const { t } = useWords()
  const { each, active, isOpen, isBusy, client, act } = props
  const { id, name, isActive } = each
  const activate = (): void => {
    const [done, before] = isActive
      ? [t('scripts.off', { name }), id]
      : [t('scripts.on', { name }), active?.id ?? null]
    void act(
      () => activateScript(client, isActive ? null : id),
      done,
      () => void act(() => activateScript(client, before), t('done.undone')),
    )
  }
  const remove = async (): Promise<void> => {
    let text = ''
    await act(
      async () => {
        text = await client.text(each.blobId)
        return removeScript(client, id)
      },
      t('scripts.removed', { name }),
      () => void act(() => saveScript(client, { name, text }), t('done.undone')),
    )
  }
  return (
    <span className="acts">
      <button
        type="button"
        className="plain-button"
        aria-expanded={isOpen}
        aria-label={t('filters.editOf', { name })}
        onClick={() => go(isOpen ? HERE : `${HERE}/${id}`)}
      >
        {t('edit')}
      </button>
      <button
        type="button"
        className="plain-button"
        disabled={isBusy}
        aria-label={t(isActive ? 'scripts.switchOffOf' : 'scripts.switchOnOf', { name })}
        onClick={activate}
      >
        {t(isActive ? 'scripts.switchOff' : 'scripts.switchOn')}
      </button>
      <button
        type="button"
        className="plain-button"
        // One that filters is never removed by mistake (RFC 9661 §2.4).
        disabled={isBusy || isActive}
        aria-label={t('removeOf', { name })}
        onClick={() => void remove()}
      >
        {t('remove')}
      </button>
    </span>
  )
}

/** The one that the address names, once its text is there. */
function Opened(props: Room & { readonly id: string; readonly scripts: OwnScripts }): ReactNode {
  const { t } = useWords()
  const { id, scripts, client, isBusy, act } = props
  const isNew = id === NEW
  const script = scripts.list.find((each) => each.id === id)
  const [draft, setDraft] = useState<Draft | undefined>(isNew ? EMPTY : undefined)
  const [isAway, setAway] = useState(false)
  /** As it was when its text was read: what others change meanwhile is not written over. */
  const [blobId, setBlobId] = useState(script?.blobId)
  useEffect(() => {
    if (isNew || script === undefined || draft !== undefined) return
    setBlobId(script.blobId)
    client.text(script.blobId).then(
      (text) => setDraft({ name: script.name, text: text.replaceAll('\r\n', '\n') }),
      () => setAway(true),
    )
  }, [client, isNew, script, draft])
  if (!isNew && script === undefined) return <p role="alert">{t('scripts.end.notFound')}</p>
  if (isAway) return <p role="alert">{t('away.start')}</p>
  if (draft === undefined) return <p className="faint">{t('loading')}</p>
  const store = async (wanted: Draft): Promise<string | Refusal> => {
    const isStale = blobId !== undefined && script?.blobId !== blobId
    const end: string | Refusal = isStale
      ? { type: 'stateMismatch', description: '' }
      : await saveScript(client, { ...(!isNew && { id }), ...wanted }, scripts.state)
    // It was said: whoever saves again means it.
    if (typeof end !== 'string' && end.type === 'stateMismatch') setBlobId(undefined)
    return end
  }
  const save = async (next: Draft): Promise<void> => {
    const undo = (): void => {
      setDraft(undefined)
      void act(() => saveScript(client, { id, ...draft }), t('done.undone'))
    }
    const said = t('scripts.saved', { name: next.name })
    const done = await act(() => store(next), said, isNew ? undefined : undo)
    if (done === false) return
    // It is read anew, with what the server has made of its name.
    if (isNew) go(`${HERE}/${String(done)}`)
    else setDraft(undefined)
  }
  return (
    <ScriptEditor
      key={`${draft.name} ${draft.text.length}`}
      client={client}
      script={draft}
      isActive={script?.isActive === true}
      isBusy={isBusy}
      close={() => go(HERE)}
      save={save}
    />
  )
}
