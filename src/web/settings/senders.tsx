import type { ReactNode } from 'react'

import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

import { useChoosing } from './choices-room.tsx'
import { OwnLists } from './own-lists.tsx'
import { SenderSet } from './sender-set.tsx'

/** Blocked and welcome senders, and lists of senders that one's own scripts ask. */
export function Senders({ client }: { readonly client: MailClient }): ReactNode {
  return (
    <>
      <SenderList kind="blocked" />
      <SenderList kind="welcome" />
      <OwnLists client={client} />
    </>
  )
}

function SenderList({ kind }: { readonly kind: 'blocked' | 'welcome' }): ReactNode {
  const { t } = useWords()
  const { view, set } = useChoosing()
  const senders = view[kind]
  return (
    <section className="sheet" aria-labelledby={`${kind}-title`}>
      <h2 id={`${kind}-title`}>{t(`senders.${kind}`)}</h2>
      <p className="faint">{t(`senders.${kind}.what`)}</p>
      <SenderSet
        senders={senders}
        save={(next, { added }) =>
          set({ [kind]: [...next] }, t(`senders.${kind}.added`, { count: added }))
        }
        remove={(sender) =>
          void set(
            { [kind]: senders.filter((each) => each !== sender) },
            t('senders.removed', { name: sender }),
          )
        }
      />
    </section>
  )
}
