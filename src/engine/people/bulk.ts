import { isDeepStrictEqual } from 'node:util'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { BulkChange, Selection } from '#model/plan.ts'
import { mayTouch, roleOf } from '#model/role.ts'
import type { Role } from '#model/role.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { bulkChanged } from './account-change.ts'
import type { TrialDirectory } from './plan.ts'

/** What becomes of one account. */
export interface BulkRow {
  readonly id: AccountId | undefined
  readonly address: string
  readonly name?: string
  readonly outcome: 'changed' | 'same' | 'refused'
  readonly changes: readonly string[]
  /** Why it is refused. */
  readonly note?: string
}

export interface BulkPlan {
  readonly edits: readonly DirectoryEdit[]
  readonly rows: readonly BulkRow[]
}

/**
 * What it takes to change all who are meant, each tried behind those before it: one that cannot be had
 * is refused by itself. Whoever was deleted is not meant. `why`: why this account may not be changed.
 */
export function planBulk(
  directory: TrialDirectory,
  { where, change }: { readonly where: Selection; readonly change: BulkChange },
  why: (account: Account) => string | undefined = () => undefined,
): BulkPlan {
  const { moment } = directory
  const { accounts, unknown } = selected(directory, where)
  const edits: DirectoryEdit[] = []
  const rows: BulkRow[] = unknown.map((text) => ({
    id: undefined,
    address: text,
    outcome: 'refused',
    changes: [],
    note: 'nobody is called so',
  }))
  const trial = directory.trial()
  try {
    for (const before of accounts) {
      const account = bulkChanged(before, change, moment)
      const changes = changedFields(before, account)
      const row = { kind: 'account', account } as const
      const note =
        changes.length === 0 ? undefined : (why(before) ?? checkRow(directory, row)?.message)
      if (changes.length > 0 && note === undefined) {
        trial.put(rowKey(row), row)
        edits.push({ kind: 'put', row })
      }
      rows.push({
        id: before.id,
        address: formatAddress(mainAddressOf(before)),
        ...(before.name !== undefined && { name: before.name }),
        outcome: note !== undefined ? 'refused' : changes.length > 0 ? 'changed' : 'same',
        changes,
        ...(note !== undefined && { note }),
      })
    }
    return { edits, rows }
  } finally {
    trial.end()
  }
}

/** Who has a role is changed by administrators only. */
export const whyNotBy =
  (role: Role) =>
  (account: Account): string | undefined =>
    mayTouch(role, account)
      ? undefined
      : `is ${roleOf(account)}: only an administrator changes that account`

export const countsOf = ({ rows }: Pick<BulkPlan, 'rows'>) => {
  const of = (outcome: BulkRow['outcome']): number =>
    rows.reduce((sum, row) => sum + (row.outcome === outcome ? 1 : 0), 0)
  return { changed: of('changed'), same: of('same'), refused: of('refused') }
}

function selected(
  directory: Directory,
  { tags = [], users }: Selection,
): { readonly accounts: readonly Account[]; readonly unknown: readonly string[] } {
  const isMeant = (account: Account): boolean =>
    account.deletedAt === undefined && tags.every((tag) => account.tags?.includes(tag) === true)
  if (users === undefined)
    return { accounts: directory.accounts().filter(isMeant).toArray(), unknown: [] }
  const accounts = new Map<AccountId, Account>()
  const unknown: string[] = []
  for (const text of users) {
    const account = directory.account(text as AccountId) ?? directory.byLogin(text)
    if (account === undefined || account.deletedAt !== undefined) unknown.push(text)
    else if (isMeant(account)) accounts.set(account.id, account)
  }
  return { accounts: [...accounts.values()], unknown }
}

const FIELDS = ['tags', 'startsOn', 'expiresOn', 'disabled', 'quota', 'deletedAt'] as const

const changedFields = (before: Account, after: Account): string[] =>
  FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field])).map((field) =>
    field === 'deletedAt' ? 'deleted' : field,
  )
