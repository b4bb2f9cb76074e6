import { hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Account } from '#model/account.ts'
import type { AppPassword, AppProtocol } from '#model/app-password.ts'
import type { LoginAttempt } from './authenticator.ts'
import { makeScramKeys, parseScramKeys, scramBasisOf } from './scram-keys.ts'

/** Letters that nobody takes for another one; 5 bits each. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
const GROUP = 5
const GROUPS = 4
const ID_BYTES = 6

/** A new one, and what of it is kept. The password itself is shown once. */
export async function makeAppPassword(
  account: Account,
  ask: {
    readonly name: string
    readonly protocols?: readonly AppProtocol[]
    readonly atMs: number
    /** Of the SCRAM keys, where the account has none yet. */
    readonly iterations: number
  },
): Promise<{ readonly password: string; readonly row: AppPassword }> {
  const groups = Array.from({ length: GROUPS }, () =>
    Array.from({ length: GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  )
  const password = groups.join('-')
  const basis = basisOf(account) ?? { iterations: ask.iterations, salt: undefined }
  const scram = await makeScramKeys(fromUtf8(password), basis.iterations, basis.salt)
  return {
    password,
    row: {
      id: randomBytes(ID_BYTES).toString('hex'),
      name: ask.name,
      hash: hashOf(password),
      scram: scram!, // SASLprep has nothing against these letters
      createdAt: new Date(ask.atMs).toISOString(),
      ...(ask.protocols !== undefined && { protocols: ask.protocols }),
    },
  }
}

/** The one that this is, where its program may log in there. */
export function matchingAppPassword(
  { appPasswords = [] }: Account,
  { password, protocol }: Pick<LoginAttempt, 'password' | 'protocol'>,
): AppPassword | undefined {
  const text = shaped(password)
  if (text === undefined || appPasswords.length === 0) return undefined
  const given = Buffer.from(hashOf(text))
  return appPasswords.find(
    (each) =>
      each.hash.length === given.length &&
      timingSafeEqual(Buffer.from(each.hash), given) &&
      isFor(each, protocol),
  )
}

/** SCRAM offers one salt a name: all passwords of an account have keys on the same. */
export const appPasswordKeys = (
  { scram = '', appPasswords = [] }: Account,
  protocol: LoginAttempt['protocol'],
) =>
  appPasswords
    .filter((each) => isFor(each, protocol) && scramBasisOf(each.scram) === scramBasisOf(scram))
    .flatMap((each) => {
      const keys = parseScramKeys(each.scram)
      return keys === undefined ? [] : [{ id: each.id, keys }]
    })

/** On which salt, and with how many iterations, keys of the account have to be made. */
export function basisOf({
  scram,
  appPasswords = [],
}: Pick<Account, 'scram' | 'appPasswords'>):
  | { readonly iterations: number; readonly salt: Buffer }
  | undefined {
  // Those of app passwords cannot be made anew: the password is not known any more.
  return parseScramKeys(appPasswords[0]?.scram ?? scram ?? '')
}

/** Whether keys of the account's own password are such that all its passwords can log in by SCRAM. */
export function areKeysRight(
  { scram, appPasswords = [] }: Pick<Account, 'scram' | 'appPasswords'>,
  iterations: number,
): boolean {
  if (scram === undefined) return false
  const [first] = appPasswords
  if (first === undefined) return scramBasisOf(scram).startsWith(`SCRAM-SHA-256$${iterations}:`)
  return scramBasisOf(scram) === scramBasisOf(first.scram)
}

/** People type capitals, and leave out hyphens; undefined: it cannot be one. */
function shaped(password: Octets): string | undefined {
  if (password.length < GROUP * GROUPS || password.length > 2 * GROUP * GROUPS) return undefined
  const letters = Buffer.from(password).toString('latin1').toLowerCase().replaceAll(/[\s-]/g, '')
  if (letters.length !== GROUP * GROUPS) return undefined
  return letters.match(new RegExp(`.{${GROUP}}`, 'g'))!.join('-')
}

const hashOf = (text: string): string => hash('sha256', text, 'base64')

/** Of a login; undefined: it lets in nowhere there. */
export const appProtocolOf = (protocol: LoginAttempt['protocol']): AppProtocol | undefined =>
  PROTOCOLS[protocol]

const PROTOCOLS: Readonly<Partial<Record<LoginAttempt['protocol'], AppProtocol>>> = {
  imap: 'imap',
  pop3: 'pop3',
  smtp: 'smtp',
  http: 'jmap',
  managesieve: 'sieve',
  ldap: 'ldap',
}

function isFor({ protocols }: AppPassword, protocol: LoginAttempt['protocol']): boolean {
  const as = PROTOCOLS[protocol]
  return as !== undefined && (protocols === undefined || protocols.includes(as))
}
