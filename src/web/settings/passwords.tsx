import type { ReactNode } from 'react'

import { AppPasswords } from '#web/mail/app-passwords.tsx'
import type { MailClient } from '#web/mail/client.ts'

/** Passwords of single programs. */
export function Passwords({ client }: { readonly client: MailClient }): ReactNode {
  return (
    <section className="sheet">
      <AppPasswords client={client} />
    </section>
  )
}
