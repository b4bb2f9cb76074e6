import type { ReactNode } from 'react'

import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { LineForm } from './line-form.tsx'
import { NamedThing } from './named-thing.tsx'

/** Blocked and welcome senders. */
export function Senders(): ReactNode {
  return (
    <>
      <SenderList kind="blocked" />
      <SenderList kind="welcome" />
    </>
  )
}

function SenderList({ kind }: { readonly kind: 'blocked' | 'welcome' }): ReactNode {
  const { t } = useWords()
  const { view, set } = useChoosing()
  const senders = view[kind]
  const add = async (text: string): Promise<boolean> => {
    // A column of a spreadsheet, or a line: whatever stands between them.
    const wanted = text.split(/[\s,;、，；]+/).filter((each) => each !== '')
    const next = [...new Set([...senders, ...wanted])]
    return set({ [kind]: next }, t(`senders.${kind}.added`, { count: wanted.length }))
  }
  return (
    <section className="sheet" aria-labelledby={`${kind}-title`}>
      <h2 id={`${kind}-title`}>{t(`senders.${kind}`)}</h2>
      <p className="faint">{t(`senders.${kind}.what`)}</p>
      <LineForm label={t('senders.new')} hint={t('senders.hint')} word={t('add')} done={add} />
      {senders.length === 0 && <p className="faint">{t('senders.none')}</p>}
      <ul className="things">
        {senders.map((sender) => (
          <NamedThing
            key={sender}
            name={sender}
            remove={() =>
              void set(
                { [kind]: senders.filter((each) => each !== sender) },
                t('senders.removed', { name: sender }),
              )
            }
          />
        ))}
      </ul>
    </section>
  )
}
