import type { ReactNode } from 'react'

import { Dialog } from '#web/parts/dialog.tsx'
import { useWords } from '#web/parts/language.ts'

import { AppPasswords } from './app-passwords.tsx'
import type { MailClient } from './client.ts'

/** Passwords of single programs, beside the mail. */
export function AppPasswordsDialog(props: {
  readonly client: MailClient
  readonly close: () => void
}): ReactNode {
  const { t } = useWords()
  return (
    <Dialog title={t('appPasswords.title')} hasClose onClose={props.close}>
      <AppPasswords client={props.client} />
    </Dialog>
  )
}
