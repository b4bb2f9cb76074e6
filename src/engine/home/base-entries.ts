import { createHmac } from 'node:crypto'
import type { Octets } from '#base/octets.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { hashPassword } from '#store/directory/password.ts'
import { FOLDERS } from './row-entry.ts'
import { replicatorDn, serviceDn } from './provision-plan.ts'
import { made } from './entry.ts'

/** The entries that rows lie below, and those who write and copy them. */
export async function baseEntries(base: string, password: Octets): Promise<DirectoryEntry[]> {
  const [, name = ''] = /^[^=]*=((?:\\.|[^,\\])*)/.exec(base) ?? []
  const login = async (dn: string, cn: string, secret: Octets): Promise<DirectoryEntry> =>
    made(dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: [cn],
      userPassword: [`{ARGON2}${await hashPassword(secret)}`],
    })
  return [
    made(base, { objectClass: ['organizationalUnit'], ou: [name] }),
    ...Object.values(FOLDERS).map((ou) =>
      made(`ou=${ou},${base}`, { objectClass: ['organizationalUnit'], ou: [ou] }),
    ),
    await login(serviceDn(base), 'watari', password),
    await login(replicatorDn(base), 'replicator', fromUtf8(replicatorPassword(password))),
  ]
}

/** The replicas' own, made of the service's: a set-up that is run again makes the same. */
export const replicatorPassword = (password: Octets): string =>
  createHmac('sha256', password).update('watari replicator').digest('base64url')
