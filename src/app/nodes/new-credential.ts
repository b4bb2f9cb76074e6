import type { Octets } from '#base/octets.ts'
import type { NewCredential } from '#contract/node/wire.ts'
import type { Account } from '#model/account.ts'
import { hashPassword, isDated } from '#store/directory/password.ts'
import { iterationsOf, makeScramKeys, parseScramKeys } from '#store/directory/scram-keys.ts'
import type { Settings } from '#store/settings/table.ts'

type AuthSettings = Pick<Settings, 'auth.rehash' | 'auth.scram' | 'auth.scramIterations'>

/** What is to be stored anew of a password that was right; undefined where all is as it should be. */
export async function renewed(
  { id, credential, credentialVersion: version, scram = '' }: Account,
  password: Octets,
  settings: AuthSettings,
): Promise<NewCredential | undefined> {
  const iterations = settings['auth.scramIterations']
  const rehashes = settings['auth.rehash'] && credential !== undefined && isDated(credential)
  const lacksKeys = settings['auth.scram'] && (rehashes || iterationsOf(scram) !== iterations)
  const keys = lacksKeys ? await makeScramKeys(password, iterations) : undefined
  if (!rehashes && keys === undefined) return undefined
  return {
    accountId: id,
    version,
    ...(rehashes && { credential: await hashPassword(password) }),
    ...(keys !== undefined && { scram: keys }),
  }
}

/**
 * The account with what a node has made anew; undefined where the password has changed meanwhile, or
 * somebody else was sooner. It is the same password: its version stays, and with it the session of
 * the browser whose login brought this about.
 */
export function withRenewed(
  account: Account | undefined,
  made: NewCredential,
  settings: AuthSettings,
): Account | undefined {
  const { credential, scram } = made
  if (account?.credential === undefined || account.credentialVersion !== made.version)
    return undefined
  const hash =
    settings['auth.rehash'] &&
    credential !== undefined &&
    !isDated(credential) &&
    isDated(account.credential)
  const keys =
    settings['auth.scram'] &&
    scram !== undefined &&
    parseScramKeys(scram) !== undefined &&
    iterationsOf(scram) !== iterationsOf(account.scram ?? '')
  if (!hash && !keys) return undefined
  return {
    ...account,
    ...(hash && { credential }),
    ...(keys && { scram }),
  }
}
