import type { Octets } from '#base/octets.ts'
import type { NewCredential } from '#contract/node/wire.ts'
import type { Account } from '#model/account.ts'
import { adopt, isToAdopt } from '#model/adoption.ts'
import type { DirectorySource } from '#model/source.ts'
import { hashPassword, isDated } from '#store/directory/password.ts'
import { areKeysRight, basisOf } from '#store/directory/app-passwords.ts'
import {
  iterationsOf,
  makeScramKeys,
  parseScramKeys,
  scramBasisOf,
} from '#store/directory/scram-keys.ts'
import type { Settings } from '#store/settings/table.ts'

type AuthSettings = Pick<Settings, 'auth.rehash' | 'auth.scram' | 'auth.scramIterations'>

/** Sources by their names. */
type SourceOf = (name: string) => DirectorySource | undefined

/** What is to be stored anew, or for the first time, of a password that was right; undefined where all is as it should be. */
export async function renewed(
  account: Account,
  password: Octets,
  parts: { readonly settings: AuthSettings; readonly sourceOf: SourceOf },
): Promise<NewCredential | undefined> {
  const { id, credential, credentialVersion: version } = account
  const { settings } = parts
  const iterations = settings['auth.scramIterations']
  const adopts = isToAdopt(account, parts.sourceOf)
  if (credential === undefined && !adopts) return undefined
  const hashes = adopts || (settings['auth.rehash'] && isDated(credential!))
  const lacksKeys = settings['auth.scram'] && (hashes || !areKeysRight(account, iterations))
  const basis = basisOf({ ...account, scram: '' }) ?? { iterations, salt: undefined }
  const keys = lacksKeys ? await makeScramKeys(password, basis.iterations, basis.salt) : undefined
  if (!hashes && keys === undefined) return undefined
  return {
    accountId: id,
    version,
    ...(hashes && { credential: await hashPassword(password) }),
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
  parts: { readonly settings: AuthSettings; readonly sourceOf: SourceOf },
): Account | undefined {
  if (account?.credentialVersion !== made.version) return undefined
  const { credential, scram } = made
  const { settings } = parts
  const isOurs = credential !== undefined && !isDated(credential)
  const areKeys =
    settings['auth.scram'] &&
    scram !== undefined &&
    parseScramKeys(scram) !== undefined &&
    areKeysRight({ ...account, scram }, iterationsOf(scram))
  if (isToAdopt(account, parts.sourceOf))
    return isOurs ? adopt(account, { credential, ...(areKeys && { scram }) }) : undefined
  if (account.credential === undefined) return undefined
  const hash = settings['auth.rehash'] && isOurs && isDated(account.credential)
  const keys = areKeys && scramBasisOf(scram) !== scramBasisOf(account.scram ?? '')
  if (!hash && !keys) return undefined
  return {
    ...account,
    ...(hash && { credential }),
    ...(keys && { scram }),
  }
}
