import type { MailClient } from '#web/mail/client.ts'

import type { TriedMail } from './filter-match.ts'

/** So many are looked at: one answer of the server. */
const RECENT_MAX = 200

/** The newest mails of all mailboxes, with what filters look at. Rejects with a MailFailure. */
export async function recentMails(client: MailClient): Promise<readonly TriedMail[]> {
  const query = { sort: [{ property: 'receivedAt', isAscending: false }], limit: RECENT_MAX }
  const found = await client.call('Email/query', query)
  const properties = ['subject', 'from', 'to', 'cc', 'header:List-Id:asText']
  const { list } = await client.call('Email/get', { ids: found['ids'], properties })
  return (list as readonly Record<string, unknown>[]).map((email) => ({
    subject: (email['subject'] as string | null) ?? '',
    from: (email['from'] as TriedMail['from'] | null) ?? [],
    to: (email['to'] as TriedMail['to'] | null) ?? [],
    cc: (email['cc'] as TriedMail['cc'] | null) ?? [],
    list: (email['header:List-Id:asText'] as string | null) ?? '',
  }))
}
