import type { AccountId } from '#model/account.ts'
import { addressKey, domainKey, matchKey } from '#model/address.ts'
import { memberKey } from '#model/list-member.ts'
import type { DirectoryKey, DirectoryRow } from './directory.ts'

const ACCOUNT = 'account:'

/** Of the name of an account's row. */
export const accountIdOf = (key: DirectoryKey): AccountId | undefined =>
  key.startsWith(ACCOUNT) ? (key.slice(ACCOUNT.length) as AccountId) : undefined

/** The name of a row in the log and in the replicas. */
export function rowKey(row: DirectoryRow): DirectoryKey {
  switch (row.kind) {
    case 'domain':
      return `domain:${domainKey(row.domain.name)}`
    case 'account':
      return `${ACCOUNT}${row.account.id}`
    case 'alias':
      return `alias:${addressKey(row.alias.from)}`
    case 'forward':
      return `forward:${row.forward.accountId}`
    case 'choices':
      return `choices:${row.choices.accountId}`
    case 'route':
      return `route:${matchKey(row.route.match)}`
    case 'source':
      return `source:${row.source.name}`
    case 'plan':
      return `plan:${row.plan.id}`
    case 'list':
      return `list:${row.list.id}`
    case 'member':
      return `member:${row.member.list}:${memberKey(row.member)}`
  }
}
