import { isDeepStrictEqual } from 'node:util'
import type { Account, Alias } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { FACTS } from '#model/person-facts.ts'
import type { Person } from '#model/person.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { mainAddress } from '#server/admin/lookup.ts'
import { ScimError } from './scim-error.ts'
import type { Secrets } from './resource-kind.ts'

/** Throws where something is to be changed that another directory says: it would say it again. */
export function keepSourceTruth(
  { sources }: Pick<AdminDeps, 'sources'>,
  before: Account,
  { after, secrets }: { readonly after: Account; readonly secrets: Secrets | undefined },
): void {
  if (!isTheirs(before)) return
  const differs = (...fields: readonly (keyof Account)[]): boolean =>
    fields.some((field) => !isDeepStrictEqual(before[field], after[field]))
  if (differs('username', 'domain')) throw readOnly(before, 'userName')
  if (differs('addresses')) throw readOnly(before, 'emails')
  if (secrets !== undefined) throw readOnly(before, 'password')
  if (before.isDisabledThere === true && !after.disabled) throw readOnly(before, 'active')
  const said = saidBy(sources, before)
  for (const field of ['name', 'quota', ...FACTS] as const)
    if (differs(field) && said(field)) throw readOnly(before, field)
}

/** Throws where the account would come back with the next reading. */
export function keepSourcePeople(account: Account): void {
  if (isTheirs(account))
    throw new ScimError(
      403,
      `${mainAddress(account)} is in ${sourceOf(account)}: remove it there, or set active to false`,
      'mutability',
    )
}

/** Throws where another directory says who is in a group. */
export function keepSourceGroup({ from, origins = [] }: Alias): void {
  if (origins.length > 0)
    throw new ScimError(
      403,
      `${formatAddress(from)} is a group of ${sourceOf({ origins })}: change it there`,
      'mutability',
    )
}

const isTheirs = ({ origins, isOwn, isGone }: Account): boolean =>
  origins !== undefined && isOwn !== true && isGone !== true

const sourceOf = ({ origins = [] }: Pick<Account, 'origins'>): string =>
  origins.map(({ source }) => source).join(', ')

const readOnly = (account: Account, what: string): ScimError =>
  new ScimError(
    403,
    `${what} of ${mainAddress(account)} is what ${sourceOf(account)} says: change it there`,
    'mutability',
  )

/** Whether a source says something of it; one that has not been read since the start may say anything. */
function saidBy(
  sources: AdminDeps['sources'],
  { origins = [] }: Account,
): (field: 'name' | 'quota' | (typeof FACTS)[number]) => boolean {
  const readings = sources?.readings() ?? []
  const people = origins.map(
    ({ source, key }): Person | undefined =>
      readings.find((reading) => reading.source.name === source)?.people.get(key)?.person,
  )
  return (field) => people.some((person) => person === undefined || person[field] !== undefined)
}
