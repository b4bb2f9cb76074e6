import type { Account, AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { ListMember } from '#model/list-member.ts'
import { LIST_RULES } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory, DirectoryRow } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'

/** The address in `text`; throws where it is none. */
export function addr(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error}`)
  return parsed.value
}

export function fakeAccount(text: string, further: readonly string[] = []): Account {
  const { localpart, domain } = addr(text)
  return {
    id: `id-${text}` as AccountId,
    username: localpart,
    domain,
    admin: false,
    disabled: false,
    credentialVersion: 1,
    addresses: further.map(addr),
    delegated: [],
  }
}

/** A list of nobody, by its address. */
export const fakeList = (text: string): MailingList => ({
  ...LIST_RULES,
  id: `id-${text}` as AccountId,
  address: addr(text),
  addresses: [],
  owners: [],
  moderators: [],
})

/** A member since 2026 of the list of this address. */
export const fakeMember = (list: string, who: ListMember['who']): ListMember => ({
  list: fakeList(list).id,
  who,
  as: 'member',
  delivery: 'each',
  terms: [{ from: '2026-04-01T00:00:00.000Z' }],
})

/** A Directory of the given rows, for tests. */
export const fakeDirectory = (rows: readonly DirectoryRow[]): Directory => new MemoryDirectory(rows)
