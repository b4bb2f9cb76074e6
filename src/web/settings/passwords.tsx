import { useState } from 'react'
import type { ReactNode } from 'react'

import { AppPasswordsDialog } from '#web/mail/app-passwords-dialog.tsx'
import type { MailClient } from '#web/mail/client.ts'
import { useWords } from '#web/parts/language.ts'

/** Passwords of single programs. */
export function Passwords({ client }: { readonly client: MailClient }): ReactNode {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <section className="sheet">
      <p>{t('appPasswords.what')}</p>
      <button type="button" className="answer" onClick={() => setOpen(true)}>
        {t('appPasswords.open')}
      </button>
      {isOpen && <AppPasswordsDialog client={client} close={() => setOpen(false)} />}
    </section>
  )
}
