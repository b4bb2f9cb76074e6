import { randomUUID } from 'node:crypto'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { hashPassword } from '#store/directory/password.ts'
import { makeScramKeys, newSaltKey } from '#store/directory/scram-keys.ts'
import { SETTINGS } from '#store/settings/table.ts'
import { FIRST_SUBDOMAIN } from '#app/start/first-run.ts'
import type { FirstRun } from '#app/start/first-run.ts'

/** Enters the first domain and accounts, all in one change. */
export async function seed(
  directory: DirectoryMaster,
  firstRun: FirstRun | undefined,
): Promise<void> {
  if (firstRun === undefined)
    throw new Fault(
      'config',
      'the directory is empty and first-run.json is gone; begin a new data folder',
    )
  const edits: DirectoryEdit[] = [
    {
      kind: 'put',
      row: { kind: 'domain', domain: { name: firstRun.domain, saltKey: newSaltKey() } },
    },
    {
      kind: 'put',
      row: {
        kind: 'domain',
        domain: {
          name: FIRST_SUBDOMAIN,
          convertTo: firstRun.domain,
          saltKey: newSaltKey(),
        },
      },
    },
  ]
  for (const { username, password, admin } of firstRun.accounts) {
    const octets = fromUtf8(password)
    const credential = await hashPassword(octets)
    const scram = await makeScramKeys(octets, SETTINGS['auth.scramIterations'].default)
    edits.push({
      kind: 'put',
      row: {
        kind: 'account',
        account: {
          id: randomUUID() as string as AccountId,
          username,
          domain: firstRun.domain,
          admin,
          disabled: false,
          credential,
          ...(scram !== undefined && { scram }),
          credentialVersion: 1,
          addresses: [],
          delegated: [],
        },
      },
    })
  }
  const written = await directory.write(edits, { who: 'watari', from: 'first run' })
  if (!written.ok) throw new Fault('config', `first run: ${written.error.message}`)
}

/** Gives each domain its secret for salts of names that do not exist; those of older programs have none. */
export async function giveSaltKeys(directory: DirectoryMaster): Promise<void> {
  const without = directory.directory.domains().filter(({ saltKey }) => saltKey === undefined)
  if (without.length === 0) return
  const edits = without.map((domain): DirectoryEdit => ({
    kind: 'put',
    row: { kind: 'domain', domain: { ...domain, saltKey: newSaltKey() } },
  }))
  const written = await directory.write(edits, { who: 'watari', from: 'start' })
  if (!written.ok) throw new Fault('config', `domains: ${written.error.message}`)
}
