import { asciiLower } from '#base/text.ts'
import type { Account } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { ApiError } from './errors.ts'

/** The address, or the API's error. */
export function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address.ok) return address.value
  throw new ApiError(
    'invalid',
    `${text === '' ? 'an empty text' : text} is no address`,
    'Give user@domain.',
  )
}

/** An address; a bare user name is one of the default domain. */
export function addressIn(directory: Directory, text: string): Address {
  if (text.includes('@') || directory.defaultDomain === undefined) return addressOf(text)
  return addressOf(`${text}@${directory.defaultDomain}`)
}

/** By id, user name or any address. */
export function accountOf(directory: Directory, text: string): Account {
  const account = directory.account(text as Account['id']) ?? directory.byLogin(text)
  if (account !== undefined) return account
  throw new ApiError('notFound', `there is no user ${text}`, 'watari user ls shows the users.')
}

export const mainAddress = (account: Account): string =>
  formatAddress({ localpart: account.username, domain: account.domain })

export const badCursor = (after: string): ApiError =>
  new ApiError('invalid', `${after} is no place in this list`, 'Give the next of the page before.')

/** The number of the last item of the page before. */
export function numberAfter(after: string | undefined): number | undefined {
  if (after === undefined) return undefined
  if (!/^\d{1,15}$/.test(after)) throw badCursor(after)
  return Number(after)
}

/** Items in the order of their keys, from after `after` on; the key of the last is the next cursor. */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  ask: { readonly limit: number; readonly after?: string | undefined },
): { items: T[]; next?: string } {
  const keyed = all.map((item) => [keyOf(item), item] as const)
  const sorted = keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const after = ask.after
  const rest = after === undefined ? sorted : sorted.filter(([key]) => key > after)
  const shown = rest.slice(0, ask.limit)
  return {
    items: shown.map(([, item]) => item),
    ...(rest.length > shown.length && { next: shown.at(-1)![0] }),
  }
}

export const lower = (text: string): string => asciiLower(text.trim()).normalize('NFC')
