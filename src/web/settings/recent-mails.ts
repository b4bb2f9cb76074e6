import type { MailClient } from '#web/mail/client.ts'

import type { TriedMail } from './filter-match.ts'

/** So many are looked at: one answer of the server. */
const RECENT_MAX = 200

export interface RecentMail extends TriedMail {
  readonly id: string
}

/** The newest mails, with what filters look at; those of mailboxes with a role are left out by it. Rejects with a MailFailure. */
export async function recentMails(
  client: MailClient,
  asked: { readonly limit?: number; readonly notIn?: readonly string[] } = {},
): Promise<readonly RecentMail[]> {
  const { limit = RECENT_MAX, notIn = [] } = asked
  const inMailboxOtherThan = notIn.length === 0 ? [] : await mailboxesOf(client, notIn)
  const query = {
    ...(inMailboxOtherThan.length > 0 && { filter: { inMailboxOtherThan } }),
    sort: [{ property: 'receivedAt', isAscending: false }],
    limit,
  }
  const found = await client.call('Email/query', query)
  const properties = ['subject', 'from', 'to', 'cc', 'header:List-Id:asText']
  const { list } = await client.call('Email/get', { ids: found['ids'], properties })
  return (list as readonly Record<string, unknown>[]).map((email) => ({
    id: String(email['id']),
    subject: (email['subject'] as string | null) ?? '',
    from: (email['from'] as TriedMail['from'] | null) ?? [],
    to: (email['to'] as TriedMail['to'] | null) ?? [],
    cc: (email['cc'] as TriedMail['cc'] | null) ?? [],
    list: (email['header:List-Id:asText'] as string | null) ?? '',
  }))
}

/** Those of the roles, with all that lies below them. */
async function mailboxesOf(client: MailClient, roles: readonly string[]): Promise<string[]> {
  const properties = ['role', 'parentId']
  const all = (await client.call('Mailbox/get', { ids: null, properties }))['list'] as readonly {
    readonly id: string
    readonly role: string | null
    readonly parentId: string | null
  }[]
  const found = new Set(all.filter(({ role }) => roles.includes(role ?? '')).map(({ id }) => id))
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const { id, parentId } of all) if (found.has(parentId ?? '')) found.add(id)
  }
  return [...found]
}
