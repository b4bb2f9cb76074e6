import { useState } from 'react'
import type { ReactNode } from 'react'

import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { testScript } from './own-scripts.ts'
import type { TriedMail } from './own-scripts.ts'
import { recentMails } from './recent-mails.ts'
import type { RecentMail } from './recent-mails.ts'
import { Said } from './said.tsx'

/** As many as one trial takes. */
const TRIED_MAX = 50
/** Where mail lies that did not come in, or that was judged: a trial knows no verdict of it. */
const NOT_ARRIVED = ['sent', 'drafts', 'junk', 'trash'] as const

type Row = readonly [mail: RecentMail, tried: TriedMail]

/** A script tried on the newest mails, as a delivery would run it now: behind the settings. */
export function ScriptTrial(props: {
  readonly client: MailClient
  readonly text: string
  readonly canTry: boolean
}): ReactNode {
  const { t } = useWords()
  const { client, text } = props
  const [found, setFound] = useState<{ readonly text: string; readonly rows: readonly Row[] }>()
  const [state, setState] = useState<'idle' | 'busy' | 'away'>('idle')
  const run = async (): Promise<void> => {
    setState('busy')
    try {
      const mails = await recentMails(client, { limit: TRIED_MAX, notIn: NOT_ARRIVED })
      const ids = mails.map(({ id }) => id)
      const { list } = await testScript(client, text, ids)
      const byId = new Map(list.map((each) => [each.id, each]))
      const rows = mails.flatMap((mail): Row[] => {
        const tried = byId.get(mail.id)
        return tried === undefined ? [] : [[mail, tried]]
      })
      setFound({ text, rows })
      setState('idle')
    } catch {
      setState('away')
    }
  }
  const moved = (found?.rows ?? []).filter(([, tried]) => !isPlain(tried))
  return (
    <div className="trial script-trial">
      <button
        type="button"
        className="plain-button"
        disabled={!props.canTry || state === 'busy'}
        onClick={() => void run()}
      >
        {t('filters.try')}
      </button>
      {state === 'away' && <p role="alert">{t('away.start')}</p>}
      <div role="status">
        {found !== undefined && (
          <>
            <p>
              {t('scripts.tried', { count: moved.length, all: found.rows.length })}
              {found.text !== text && <span className="faint"> {t('scripts.triedBefore')}</span>}
            </p>
            <ul className="things">
              {moved.map(([mail, tried]) => (
                <li key={mail.id}>
                  <span>
                    <bdi>{mail.subject === '' ? t('scripts.noSubject') : mail.subject}</bdi>
                    <span className="faint small">
                      {mail.from.map(({ name, email }) => name ?? email).join(', ')}
                    </span>
                  </span>
                  <Fate tried={tried} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}

/** Kept in the inbox as it came: nothing to tell of. */
const isPlain = ({ filed, sent, refusal, trouble }: TriedMail): boolean =>
  filed.length === 1 &&
  filed[0]?.mailbox === 'INBOX' &&
  filed[0].flags.length === 0 &&
  sent.length === 0 &&
  refusal === undefined &&
  trouble.length === 0

/** What becomes of a mail, in a few words. */
function Fate({ tried }: { readonly tried: TriedMail }): ReactNode {
  const { t } = useWords()
  const { filed, sent, refusal, trouble, isAsked } = tried
  const fates = [
    ...filed.map(({ mailbox, flags }) => {
      const folder = mailbox === 'INBOX' ? t('scripts.inbox') : mailbox
      return flags.length === 0
        ? t('scripts.does.filed', { folder })
        : t('scripts.does.marked', { folder, flags: flags.join(' ') })
    }),
    ...sent.map(({ kind, to }) =>
      t(`scripts.does.${SENT[kind] ?? 'answered'}`, { to: to.join(', ') }),
    ),
    ...(refusal === undefined ? [] : [t('scripts.does.refused')]),
  ]
  return (
    <span className="fate">
      {fates.length === 0 ? t('scripts.does.gone') : fates.join(t('filters.join.acts'))}
      {!isAsked && <span className="faint small">{t('scripts.bySettings')}</span>}
      {trouble.map(({ line, message }, at) => (
        <span key={at} className="mark mark-bad wide-mark">
          ✕ {t('scripts.stopped', { line })} <Said message={message} />
        </span>
      ))}
    </span>
  )
}

const SENT: Readonly<Record<string, string>> = { redirect: 'sent', notify: 'told' }
