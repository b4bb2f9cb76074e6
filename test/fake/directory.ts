import type { Account, AccountId } from '#model/account.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
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

/** A Directory of the given rows, for tests. */
export const fakeDirectory = (rows: readonly DirectoryRow[]): Directory => new MemoryDirectory(rows)
