import { useEffect, useState } from 'react'
import type { TFunction } from 'i18next'
import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'
import { dateText } from '#web/parts/times.ts'

import { isAway } from './client.ts'
import type { Desk } from './desk.ts'
import { mailboxName } from './mailboxes.ts'
import { plain } from './nouns.ts'

/** A mail that was deleted for good, and can come back for some days. */
interface Expunged {
  readonly id: string
  readonly mailbox: readonly string[]
  readonly subject: string
  readonly from: string
  readonly expungedAt: string
}

/** Who deleted more within two weeks finds the rest once these are back, or asks the administrator. */
const SHOWN_MAX = 1_000
const AT_ONCE = 500

type Found = readonly Expunged[] | 'loading' | 'away' | 'refused'

/** What was deleted for good lately, the latest first; what is chosen goes back to where it lay. */
export function RestoreDialog(props: {
  readonly desk: Desk
  readonly close: () => void
}): ReactNode {
  const { t, language } = useWords()
  const { desk } = props
  const [found, setFound] = useState<Found>('loading')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    let isThere = true
    find(desk)
      .catch((thrown: unknown) => (isAway(thrown) ? 'away' : 'refused'))
      .then((answer) => isThere && setFound(answer))
      .catch(() => undefined)
    return () => {
      isThere = false
    }
  }, [desk])
  const choose = (id: string): void => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  const bring = (): void => {
    props.close()
    void restore(desk, [...chosen]).then(
      (count) => desk.telling.tell(t('told.restored', { count })),
      (thrown: unknown) =>
        desk.telling.tell(t(isAway(thrown) ? 'told.away' : 'told.refused'), { isTrouble: true }),
    )
  }
  return (
    <Dialog title={t('restore.title')} hasClose onClose={props.close}>
      {typeof found === 'string' ? (
        <p role="status">{t(`restore.${found}`)}</p>
      ) : found.length === 0 ? (
        <p role="status">{t('restore.none')}</p>
      ) : (
        <>
          <p className="faint">{t('restore.what')}</p>
          <ul className="choices">
            {found.map((each) => (
              <li key={each.id}>
                <label className="expunged">
                  <input
                    type="checkbox"
                    checked={chosen.has(each.id)}
                    onChange={() => choose(each.id)}
                  />
                  <span>
                    <bdi className="expunged-subject">
                      {plain(each.subject) || t('mail.noSubject')}
                    </bdi>
                    <span className="faint">
                      <bdi>{plain(each.from)}</bdi> · <bdi>{placeText(t, desk, each.mailbox)}</bdi>{' '}
                      · {dateText(language, each.expungedAt)}
                    </span>
                  </span>
                </label>
              </li>
            ))}
          </ul>
          <button
            type="button"
            className="answer expunged-back"
            disabled={chosen.size === 0}
            onClick={bring}
          >
            {t('restore.yes', { count: chosen.size })}
          </button>
        </>
      )}
    </Dialog>
  )
}

/** As the tree calls it, where it is still there. */
function placeText(t: TFunction, desk: Desk, path: readonly string[]): string {
  const [top = '', ...rest] = path
  const box =
    top === 'INBOX'
      ? desk.byRole('inbox')
      : desk.own.find(({ parentId, name }) => parentId === null && name === top)
  return [box === undefined ? plain(top) : mailboxName(t, box), ...rest.map(plain)].join(' / ')
}

async function find(desk: Desk): Promise<readonly Expunged[]> {
  const found: Expunged[] = []
  let after: string | null = null
  do {
    const answer = await desk.client.call('Email/expunged', after === null ? {} : { after })
    found.push(...(answer['list'] as Expunged[]))
    after = answer['next'] as string | null
  } while (after !== null && found.length < SHOWN_MAX)
  return found.toSorted((a, b) => (a.expungedAt < b.expungedAt ? 1 : -1))
}

async function restore(desk: Desk, ids: readonly string[]): Promise<number> {
  let count = 0
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const answer = await desk.client.call('Email/restore', { ids: ids.slice(at, at + AT_ONCE) })
    count += answer['restored'] as number
  }
  return count
}
