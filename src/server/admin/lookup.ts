import { sortedInSteps } from '#base/sorted.ts'
import { asciiLower } from '#base/text.ts'
import { Turns, inSlices } from '#base/turns.ts'
import { mainAddressOf } from '#model/account.ts'
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

/** By id, user name or any address; also one that was deleted and can still be had back. */
export function anyAccountOf(directory: Directory, text: string): Account {
  const account = directory.account(text as Account['id']) ?? directory.byLogin(text)
  if (account !== undefined) return account
  throw new ApiError('notFound', `there is no user ${text}`, 'watari user ls shows the users.')
}

/** One that was not deleted. */
export function accountOf(directory: Directory, text: string): Account {
  const account = anyAccountOf(directory, text)
  if (account.deletedAt === undefined) return account
  throw new ApiError(
    'notFound',
    `there is no user ${text}: it was deleted at ${account.deletedAt}`,
    `It can be had back: watari user undelete ${text}`,
  )
}

export const mainAddress = (account: Account): string => formatAddress(mainAddressOf(account))

export const badCursor = (after: string): ApiError =>
  new ApiError('invalid', `${after} is no place in this list`, 'Give the next of the page before.')

/** The number of the last item of the page before. */
export function numberAfter(after: string | undefined): number | undefined {
  if (after === undefined) return undefined
  if (!/^\d{1,15}$/.test(after)) throw badCursor(after)
  return Number(after)
}

/** Beyond two pages, so that short pages do not sort again and again. */
const KEPT_AT_ONCE = 1_000

/** What each item is on a page. */
interface Listing<T, B> {
  readonly keyOf: (item: T) => string
  readonly bodyOf: (item: T) => B
  /** False: it stands on no page. */
  readonly holds?: (item: T) => boolean
}

/**
 * Items in the order of their keys, from after `after` on; the key of the last is the next cursor.
 * One pass over all of them keeps what may still stand on the page: a whole list is never sorted, and
 * whoever else waits for this process comes in between.
 */
export async function pageOf<T, B>(
  all: Iterable<T>,
  { keyOf, bodyOf, holds = () => true }: Listing<T, B>,
  ask: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ items: B[]; next?: string }> {
  const { limit, after } = ask
  let kept: (readonly [key: string, item: T])[] = []
  let beyond: string | undefined
  const turns = new Turns()
  for (const item of all) {
    if (turns.isOver) await turns.next()
    const key = keyOf(item)
    if (after !== undefined && key <= after) continue
    if (beyond !== undefined && key >= beyond) continue
    if (!holds(item)) continue
    kept.push([key, item])
    if (kept.length < 2 * limit + KEPT_AT_ONCE) continue
    kept = kept.sort(byKey).slice(0, limit + 1)
    beyond = kept[limit]![0]
  }
  const shown = kept.sort(byKey).slice(0, limit)
  return {
    items: await inTurns(shown, ([, item]) => bodyOf(item)),
    ...(kept.length > limit && { next: shown.at(-1)![0] }),
  }
}

/** Everything in the order of its keys; whoever else waits for this process comes in between. */
export async function ordered<T>(
  all: Iterable<T>,
  { keyOf, holds = () => true }: Pick<Listing<T, unknown>, 'keyOf' | 'holds'>,
): Promise<T[]> {
  const kept: (readonly [key: string, item: T])[] = []
  const turns = new Turns()
  for (const item of all) {
    if (turns.isOver) await turns.next()
    if (holds(item)) kept.push([keyOf(item), item])
  }
  return (await inSlices(sortedInSteps(kept, byKey))).map(([, item]) => item)
}

/** What is made of each item; others have their turn in between. */
export async function inTurns<T, R>(items: readonly T[], make: (item: T) => R): Promise<R[]> {
  const turns = new Turns()
  const made: R[] = []
  for (const item of items) {
    if (turns.isOver) await turns.next()
    made.push(make(item))
  }
  return made
}

/** Others have their turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0

export const lower = (text: string): string => asciiLower(text.trim()).normalize('NFC')

/** True where one of its texts holds what is searched for; nothing searched for is held by all. */
export function holding<T>(
  search: string | undefined,
  textsOf: (item: T) => readonly string[],
): (item: T) => boolean {
  const wanted = search === undefined ? '' : lower(search)
  return (item) => wanted === '' || textsOf(item).some((text) => lower(text).includes(wanted))
}
