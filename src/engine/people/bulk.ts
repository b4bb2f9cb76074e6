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
import { bulkChanged } from './account-change.ts'

/** What becomes of one account. */
export interface BulkRow {
  readonly id: AccountId | undefined
  readonly address: string
  readonly name?: string
  readonly outcome: 'changed' | 'same' | 'refused'
  readonly changes: readonly string[]
  /** Why it is refused. */
  readonly note?: string
  /** The kind of reason, for whoever has words of his own for it. */
  readonly code?: string
}

/** What becomes of one, and what has to be written for it. */
export interface BulkStep {
  readonly row: BulkRow
  readonly edit?: DirectoryEdit
}

/** Undefined: nobody who is meant was met for a while, and others may have their turn. */
export type BulkSteps = Generator<BulkStep | undefined, undefined>

export interface BulkPlan {
  readonly edits: readonly DirectoryEdit[]
  readonly rows: readonly BulkRow[]
}

/** Whom a change of many is about, and what it is. */
export interface BulkAsk {
  readonly where: Selection
  readonly change: BulkChange
}

/** Why this account may not be changed; undefined: it may. */
export type WhyNot = (account: Account) => string | undefined

/** An account before and after a change. */
export interface AccountChange {
  readonly before: Account
  readonly after: Account
}

/** Looked at in one go: a millisecond or two, while everybody else of this process waits. */
const LOOKED_AT_ONCE = 500
const anybody: WhyNot = () => undefined

/**
 * What it takes to change all who are meant, each as it is when its turn comes: one that cannot be had is
 * refused by itself. Nothing of such a change is what another account could claim, so none of them has to
 * be tried behind those before it. Whoever was deleted is not meant.
 */
export function* bulkSteps(
  directory: Directory,
  { where, change }: BulkAsk,
  why: WhyNot = anybody,
): BulkSteps {
  for (const before of selected(directory, where))
    if (before === undefined) yield undefined
    else if (typeof before === 'string') yield { row: unknownRow(before) }
    else {
      const after = bulkChanged(before, change, directory.moment)
      yield stepOf(directory, { before, after }, why)
    }
  return undefined
}

/**
 * Takes changes of many back, field by field: who has been given another value since is refused, and
 * whatever else has become of an account since stays.
 */
export function* undoSteps(
  directory: Directory,
  changes: readonly AccountChange[],
  why: WhyNot = anybody,
): BulkSteps {
  for (const { before, after } of changes) {
    const now = directory.account(after.id)
    const fields = FIELDS.filter((field) => !isSame(before, after, field))
    if (now === undefined) yield { row: unknownRow(addressOf(after)) }
    else if (fields.every((field) => isSame(now, after, field) || isSame(now, before, field)))
      yield stepOf(directory, { before: now, after: withFields(now, before, fields) }, why)
    else yield { row: refused(now, fields, CHANGED_SINCE) }
  }
  return undefined
}

/** All steps in one go, for few: whoever takes them in turns holds nobody up. */
export const planBulk = (directory: Directory, ask: BulkAsk, why?: WhyNot): BulkPlan =>
  bulkPlanOf([...bulkSteps(directory, ask, why)])

/** What steps come to. */
export function bulkPlanOf(steps: readonly (BulkStep | undefined)[]): BulkPlan {
  const taken = steps.filter((step) => step !== undefined)
  return {
    edits: taken.flatMap(({ edit }) => (edit === undefined ? [] : [edit])),
    rows: taken.map(({ row }) => row),
  }
}

/** Who has a role is changed by administrators only. */
export const whyNotBy =
  (role: Role): WhyNot =>
  (account) =>
    mayTouch(role, account)
      ? undefined
      : `is ${roleOf(account)}: only an administrator changes that account`

export const countsOf = ({ rows }: Pick<BulkPlan, 'rows'>) => {
  const of = (outcome: BulkRow['outcome']): number =>
    rows.reduce((sum, row) => sum + (row.outcome === outcome ? 1 : 0), 0)
  return { changed: of('changed'), same: of('same'), refused: of('refused') }
}

function stepOf(directory: Directory, { before, after }: AccountChange, why: WhyNot): BulkStep {
  const changes = FIELDS.filter((field) => !isSame(before, after, field))
  if (changes.length === 0) return { row: { ...named(before), outcome: 'same', changes: [] } }
  const may = why(before)
  if (may !== undefined) return { row: refused(before, changes, { code: 'hasRole', message: may }) }
  const row = { kind: 'account', account: after } as const
  const refusal = checkRow(directory, row)
  if (refusal !== undefined) return { row: refused(before, changes, refusal) }
  return {
    row: { ...named(before), outcome: 'changed', changes: namesOf(changes) },
    edit: { kind: 'put', row },
  }
}

/** Whoever is meant, or what names nobody; undefined now and then, where nobody is met for a while. */
function* selected(
  directory: Directory,
  { tags = [], users }: Selection,
): Generator<Account | string | undefined, undefined> {
  const isMeant = (account: Account): boolean =>
    account.deletedAt === undefined && tags.every((tag) => account.tags?.includes(tag) === true)
  if (users === undefined) {
    let looked = 0
    for (const account of directory.accounts()) {
      if (isMeant(account)) yield account
      else if (++looked % LOOKED_AT_ONCE === 0) yield undefined
    }
    return undefined
  }
  const seen = new Set<AccountId>()
  for (const text of users) {
    const account = directory.account(text as AccountId) ?? directory.byLogin(text)
    if (account === undefined || account.deletedAt !== undefined) yield text
    else if (isMeant(account) && !seen.has(account.id)) {
      seen.add(account.id)
      yield account
    }
  }
  return undefined
}

const FIELDS = ['tags', 'startsOn', 'expiresOn', 'disabled', 'quota', 'deletedAt'] as const
type Field = (typeof FIELDS)[number]

const isSame = (a: Account, b: Account, field: Field): boolean =>
  isDeepStrictEqual(a[field], b[field])

const namesOf = (fields: readonly Field[]): string[] =>
  fields.map((field) => (field === 'deletedAt' ? 'deleted' : field))

function withFields(now: Account, from: Account, fields: readonly Field[]): Account {
  const others = Object.entries(now).filter(([name]) => !fields.includes(name as Field))
  const back = fields.flatMap((field) => (from[field] === undefined ? [] : [[field, from[field]]]))
  return Object.fromEntries([...others, ...back]) as Account
}

const CHANGED_SINCE = { code: 'changedSince', message: 'it was changed again since' }

const addressOf = (account: Account): string => formatAddress(mainAddressOf(account))

const named = (account: Account) => ({
  id: account.id,
  address: addressOf(account),
  ...(account.name !== undefined && { name: account.name }),
})

const refused = (
  account: Account,
  changes: readonly Field[],
  { code, message }: { readonly code: string; readonly message: string },
): BulkRow => ({
  ...named(account),
  outcome: 'refused',
  changes: namesOf(changes),
  note: message,
  code,
})

const unknownRow = (text: string): BulkRow => ({
  id: undefined,
  address: text,
  outcome: 'refused',
  changes: [],
  note: 'nobody is called so',
  code: 'nobody',
})
