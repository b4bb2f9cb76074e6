import { createHash } from 'node:crypto'
import { isSameEntry } from '#model/adoption.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { quotaBeside } from '#model/quota.ts'
import type { Person } from '#model/person.ts'
import { csnServer } from '#codec/ldap/csn.ts'
import type { Moment } from '#model/account-life.ts'
import { factsAfter } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
import type { Origin } from '#model/source.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { isKnownHash } from '#store/directory/password.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { renamed } from './account-change.ts'
import { addressIn, takenBy, takenFacts } from './claims.ts'
import { personAddress } from './gather.ts'
import type { Gathered, Share } from './gather.ts'
import type { TrialDirectory } from './plan.ts'

/** Why something of somebody's is not taken. */
export interface SourceNote {
  readonly source: string
  readonly key: string
  readonly dn: string
  readonly text: string
}

/** The rows that make accounts what their sources say, each tried behind those before it. */
export function planSources(
  directory: TrialDirectory,
  people: readonly Gathered[],
  newId: () => AccountId,
): { readonly edits: readonly DirectoryEdit[]; readonly notes: readonly SourceNote[] } {
  const trial = directory.trial()
  const edits: DirectoryEdit[] = []
  const notes: SourceNote[] = []
  try {
    for (const gathered of people) {
      const told: string[] = []
      const before = gathered.id === undefined ? undefined : directory.account(gathered.id)
      if (gathered.id !== undefined && before === undefined) continue
      const account = accountOf(directory, { before, shares: gathered.shares }, { newId, told })
      const [first] = gathered.shares
      if (account !== undefined && !isSame(before, account)) {
        const row = { kind: 'account', account } as const
        const refusal = checkRow(directory, row)
        if (refusal === undefined) {
          trial.put(rowKey(row), row)
          edits.push({ kind: 'put', row })
        } else told.push(refusal.message)
      }
      if (first === undefined) continue
      const { source, key, dn } = first
      for (const text of told) notes.push({ source: source.name, key, dn, text })
    }
    return { edits, notes }
  } finally {
    trial.end()
  }
}

function accountOf(
  directory: Directory,
  { before, shares }: { readonly before: Account | undefined; readonly shares: readonly Share[] },
  { newId, told }: { readonly newId: () => AccountId; readonly told: string[] },
): Account | undefined {
  const [first] = shares
  if (first === undefined) return before && leftBy(before)
  const isOwn = before !== undefined && (before.isOwn === true || before.origins === undefined)
  const main = isOwn ? mainAddressOf(before) : personAddress(directory, first.person)
  if (main === undefined) {
    told.push('there is no domain for it')
    return undefined
  }
  const taken = takenBy(directory, main, before)
  if (taken !== undefined) {
    told.push(taken)
    return undefined
  }
  const from = <T>(take: (person: Person) => T | undefined): T | undefined => {
    for (const { person } of shares) {
      const value = take(person)
      if (value !== undefined) return value
    }
    return undefined
  }
  const name = (isOwn ? before.name : undefined) ?? from((person) => person.name)
  const quota =
    (isOwn ? before.quota : undefined) ??
    quotaBeside(
      before,
      from((person) => person.quota),
    )
  const disabled = disabledOf(before, from((person) => person.disabled) === true)
  return {
    id: before?.id ?? newId(),
    username: main.localpart,
    domain: main.domain,
    ...(name !== undefined && { name }),
    ...factsOf(directory, { before, isOwn, shares, told }),
    admin: before?.admin ?? false,
    ...(before?.role !== undefined && { role: before.role }),
    ...disabled,
    ...secretOf(before, { isOwn, shares, told }),
    addresses: addressesOf(directory, { before, isOwn, main, shares, told }),
    delegated: before?.delegated ?? [],
    ...(quota !== undefined && { quota }),
    origins: shares.map((share) => originOf(share, before)),
    ...(isOwn && { isOwn: true }),
    ...(before?.profile !== undefined && { profile: before.profile }),
    ...(before?.appPasswords !== undefined && { appPasswords: before.appPasswords }),
    ...lifeOf(before, main, directory.moment),
  }
}

/** What was said of its life here; under a new name the old one goes on for a while. */
function lifeOf(
  before: Account | undefined,
  main: Address,
  moment: Moment,
): Pick<Account, 'formerAddresses' | 'afterLeaving' | 'expiryNotice' | 'deletedAt'> {
  if (before === undefined) return {}
  const { formerAddresses, afterLeaving, expiryNotice, deletedAt } = renamed(before, main, moment)
  return {
    ...(formerAddresses !== undefined && { formerAddresses }),
    ...(afterLeaving !== undefined && { afterLeaving }),
    ...(expiryNotice !== undefined && { expiryNotice }),
    ...(deletedAt !== undefined && { deletedAt }),
  }
}

/** Facts told here stay where no source tells them; of what was made here those of here come first. */
function factsOf(
  directory: Directory,
  ask: {
    readonly before: Account | undefined
    readonly isOwn: boolean
    readonly shares: readonly Share[]
    readonly told: string[]
  },
): PersonFacts {
  const { before, isOwn, shares, told } = ask
  const here = before === undefined ? {} : factsAfter(before)
  const there = shares.reduceRight<PersonFacts>(
    (facts, { person }) => ({ ...facts, ...takenFacts(directory, person, { before, told }) }),
    {},
  )
  return isOwn ? { ...there, ...here } : { ...here, ...there }
}

/** No source has it any more: what was made here stays, others let nobody in until they come back. */
function leftBy(account: Account): Account {
  if (account.isOwn !== true) return { ...account, isGone: true, ...disabledOf(account, true) }
  const { origins: _, bind: __, isOwn: ___, isDisabledThere, ...own } = account
  return { ...own, disabled: own.disabled && isDisabledThere !== true }
}

/** Who was disabled here stays so, whatever others say. */
function disabledOf(
  before: Account | undefined,
  isThere: boolean,
): Pick<Account, 'disabled' | 'isDisabledThere'> {
  const isHere = before?.disabled === true && before.isDisabledThere !== true
  if (isHere || !isThere) return { disabled: isHere }
  return { disabled: true, isDisabledThere: true }
}

const originOf = (
  { source, key, dn, person, csn }: Share,
  before: Account | undefined,
): Origin => ({
  source: source.name,
  key,
  dn,
  ...(isAdopted(before, { source: source.name, key }) && { isAdopted: true }),
  ...(csn !== undefined && { csn }),
  ...(source.auth === 'hash' &&
    person.passwordHash !== undefined && { hashMark: markOf(person.passwordHash) }),
})

/** Once it is ours, no other setting of the source takes it away again. */
const isAdopted = (before: Account | undefined, entry: Pick<Origin, 'source' | 'key'>): boolean =>
  before?.origins?.some((origin) => origin.isAdopted === true && isSameEntry(origin, entry)) ===
  true

/** Enough to see that a hash is another one than before, and of no use to guess by. */
const markOf = (hash: string): string =>
  createHash('sha256').update(hash).digest('hex').slice(0, 12)

/** How a password is checked: as here where one was set here, else as the first source that can. */
function secretOf(
  before: Account | undefined,
  ask: { readonly isOwn: boolean; readonly shares: readonly Share[]; readonly told: string[] },
): Pick<Account, 'credential' | 'scram' | 'credentialVersion' | 'bind'> {
  const { credential, scram, credentialVersion = 1 } = before ?? {}
  const kept = {
    ...(credential !== undefined && { credential }),
    ...(scram !== undefined && { scram }),
    credentialVersion,
  }
  const isOfSource = before?.origins?.some(({ hashMark }) => hashMark !== undefined) === true
  if (ask.isOwn && credential !== undefined && !isOfSource) return kept
  for (const share of ask.shares) {
    if (share.source.auth === 'bind') {
      const bind = originOf(share, undefined)
      if (credential !== undefined && isAdopted(before, bind)) return kept
      return { credentialVersion: credentialVersion + (credential === undefined ? 0 : 1), bind }
    }
    const { passwordHash } = share.person
    if (passwordHash === undefined) continue
    if (!isKnownHash(passwordHash)) {
      ask.told.push('the hash of the password is of a kind that cannot be checked')
      continue
    }
    // Made anew at a login, it is no longer the one that stands there, and is right all the same.
    const isSame =
      before?.origins?.some(({ hashMark }) => hashMark === markOf(passwordHash)) === true
    if (isSame && credential !== undefined) return kept
    return { credential: passwordHash, credentialVersion: credentialVersion + 1 }
  }
  return isOfSource ? { credentialVersion: credentialVersion + 1 } : kept
}

/** Those of the first source that has any; of what was made here also its own. */
function addressesOf(
  directory: Directory,
  ask: {
    readonly before: Account | undefined
    readonly isOwn: boolean
    readonly main: Address
    readonly shares: readonly Share[]
    readonly told: string[]
  },
): Address[] {
  const { before, isOwn, main, shares, told } = ask
  const addresses = new Map<string, Address>()
  const take = (address: Address): void => {
    if (addressKey(address) !== addressKey(main)) addresses.set(addressKey(address), address)
  }
  if (isOwn) for (const address of before?.addresses ?? []) take(address)
  // What its owner has chosen no source has to know.
  const chosen = before && directory.choices(before.id)?.chosen
  for (const { address } of chosen ?? []) take(address)
  const { person } = shares.find((share) => share.person.addresses.length > 0) ?? shares[0]!
  for (const text of person.addresses) {
    const address = addressIn(directory, text)
    const why = typeof address === 'string' ? address : takenBy(directory, address, before)
    if (why !== undefined) told.push(why)
    else if (typeof address !== 'string') take(address)
  }
  return [...addresses.values()]
}

const isSame = (before: Account | undefined, after: Account): boolean =>
  before !== undefined && sorted(before) === sorted(after) && !isRenumbered(before, after)

/** A source that was set up anew counts its changes anew: what it has come to by then is not compared with what was. */
const isRenumbered = ({ origins = [] }: Account, after: Account): boolean =>
  (after.origins ?? []).some(({ csn }, at) => {
    const was = origins[at]?.csn
    if (was === undefined || csn === undefined) return was !== csn
    return csn < was || csnServer(csn) !== csnServer(was)
  })

/**
 * Fields in one order: rows of the disk and rows that are made have them in different ones. A change of an
 * entry that changes nothing here is not written.
 */
const sorted = (account: Account): string =>
  JSON.stringify(
    Object.entries(account).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    (name, value: unknown) => (name === 'csn' ? undefined : value),
  )
