import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { searchPages } from '#client/ldap/search.ts'
import { EntryTextReader } from '#codec/ldap/entry-texts.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { matcherOf } from '#codec/ldap/match.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { MemberRef } from '#model/list-member.ts'
import type { DirectorySource } from '#model/source.ts'
import { PERSON_WORDS, personEntry } from './person-entry.ts'
import { askOf, keyOf } from './read-source.ts'

export type FilterRef = MemberRef & { readonly kind: 'filter' }

const PAGE_MS = 30 * SECOND_MS
/** All pages of one filter. */
const ASK_MS = 5 * MINUTE_MS
/** More than that is a filter that is set too wide. */
export const NAMED_MAX = 100_000
/** Accounts looked at in one go. */
const LOOKED_AT_ONCE = 500

/**
 * By what the people are known whom a source has for a filter, among those that are read of it at all.
 * What somebody wrote is parsed and sent as BER: it is never put into a text. Throws `limit` where they
 * are too many, `notFound` where there is no such base, and the faults of the connection.
 */
export async function askFilter(
  connection: LdapConnection,
  source: DirectorySource,
  { ref, clock }: { readonly ref: FilterRef; readonly clock: Clock },
): Promise<readonly string[]> {
  const { groups: _, ...people } = source
  const ask = askOf(people)
  const keys = new Set<string>()
  const cancel = clock.after(ASK_MS, () => connection.close())
  const pages = searchPages(
    connection,
    {
      ...ask,
      ...(ref.base !== undefined && { base: ref.base }),
      filter: { kind: 'and', filters: [ask.filter, filterIn(ref)] },
      attributes: [source.key],
    },
    { answerMs: PAGE_MS, readEntryAs: new EntryTextReader().read },
  )
  try {
    for await (const entries of pages)
      for (const entry of entries) {
        const key = keyOf(source, entry)
        if (key !== undefined) keys.add(key)
        if (keys.size > NAMED_MAX)
          throw new Fault('limit', `it names more than ${NAMED_MAX} people; make it narrower`)
      }
  } finally {
    cancel()
  }
  return [...keys]
}

/** Whom filters name among all accounts here; undefined: more than they may. */
export async function askAccounts(
  accounts: Iterable<Account>,
  refs: readonly FilterRef[],
): Promise<readonly (readonly AccountId[] | undefined)[]> {
  const tests = refs.map(({ filter }) => {
    const parsed = parseFilter(filter) // rows of older programs were not looked at
    return parsed.ok ? matcherOf(parsed.value, PERSON_WORDS) : () => false
  })
  const found = refs.map((): AccountId[] => [])
  let looked = 0
  for (const account of accounts) {
    if (account.deletedAt === undefined) {
      const entry = personEntry(account)
      for (const [at, test] of tests.entries()) if (test(entry)) found[at]!.push(account.id)
    }
    if (++looked % LOOKED_AT_ONCE === 0) await new Promise(setImmediate)
  }
  return found.map((ids) => (ids.length > NAMED_MAX ? undefined : ids.toSorted()))
}

function filterIn({ filter }: FilterRef): Filter {
  const parsed = parseFilter(filter)
  if (!parsed.ok) throw new Fault('invalid', parsed.error)
  return parsed.value
}
