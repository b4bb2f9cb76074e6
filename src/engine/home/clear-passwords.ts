import { asciiLower } from '#base/text.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { FoundRow } from '#store/directory/directory-home.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { hashPassword, isKnownHash, isPassword } from '#store/directory/password.ts'
import { makeScramKeys } from '#store/directory/scram-keys.ts'

/**
 * Somebody who sets a password there by a simple change leaves it as it was typed: it becomes a hash here
 * and there. A text: why it cannot.
 */
export async function hashedPassword(
  found: FoundRow,
  {
    entry,
    here,
    iterations,
  }: {
    readonly entry: DirectoryEntry
    readonly here: DirectoryRow | undefined
    readonly iterations: number | undefined
  },
): Promise<FoundRow | string> {
  if (found.row?.kind !== 'account') return found
  const { account } = found.row
  const { credential } = account
  if (credential === undefined || isKnownHash(credential)) return found
  const before = here?.kind === 'account' ? here.account : undefined
  if (before?.credential === credential) return found
  if (/^\{[A-Za-z0-9.-]+\}/.test(credential)) return 'its password is of a scheme that is not known'
  const [password] = entry.attributes
    .filter(({ type }) => asciiLower(type) === 'userpassword')
    .flatMap(({ values }) => values)
  if (password === undefined || !isPassword(password)) return 'its password is none'
  const { scram: _, ...rest } = account
  const scram = iterations === undefined ? undefined : await makeScramKeys(password, iterations)
  const row: DirectoryRow = {
    kind: 'account',
    account: {
      ...rest,
      credential: await hashPassword(password),
      ...(scram !== undefined && { scram }),
      credentialVersion: (before?.credentialVersion ?? account.credentialVersion) + 1,
    },
  }
  return { ...found, row, isSettled: true }
}
