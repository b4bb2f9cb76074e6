import { isDeepStrictEqual } from 'node:util'
import { scriptFault } from '#engine/choices/chosen-script.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { choicesFault, parseSender } from '#model/choices-fault.ts'
import { noChoices, withParts } from '#model/choices.ts'
import type { Sender } from '#model/choices.ts'
import type { Census, MailGroup, Person } from '#model/person.ts'
import { FACTS, factsAfter } from '#model/person-facts.ts'
import { findCycle } from '#engine/route/check.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import type { Directory, DirectoryKey, DirectoryRow } from '#store/directory/directory.ts'
import { addressIn, takenBy } from './claims.ts'
import { isKnownHash } from '#store/directory/password.ts'
import { rowKey } from '#store/directory/row-key.ts'

/** What becomes of one person or group. */
export interface PlannedRow {
  readonly source: string
  readonly kind: 'person' | 'group'
  readonly address: string
  readonly outcome: 'added' | 'changed' | 'same' | 'refused'
  /** What changes of somebody who is there, by its name. */
  readonly changes: readonly string[]
  /** What of it is not taken, and why; of what is refused: that. */
  readonly notes: readonly string[]
}

export interface ImportPlan {
  readonly edits: readonly DirectoryEdit[]
  readonly rows: readonly PlannedRow[]
}

/** A directory that edits can be tried in. */
export interface TrialDirectory extends Directory {
  trial(): { put(key: DirectoryKey, row: DirectoryRow | null): void; end(): void }
}

export interface ImportRules {
  readonly newId: () => AccountId
  /** Hashes take the place of passwords that are there. */
  readonly replacePasswords: boolean
  /** Whether whoever imports may change this account; of others nothing is taken. */
  readonly mayTouch: (account: Account) => boolean
}

/**
 * What it takes to have these people and groups, beside what is there. Whoever exists keeps what the file
 * does not speak of, and all addresses; nobody is removed. Each row is tried behind those before it: one
 * that cannot be had is refused by itself.
 */
export function planImport(
  directory: TrialDirectory,
  census: Pick<Census, 'people' | 'groups'>,
  rules: ImportRules,
): ImportPlan {
  const trial = directory.trial()
  const planner = new Planner(directory, trial, rules)
  try {
    const rows = [
      ...census.people.map((person) => planner.person(person)),
      // Behind all people, whom they lead to.
      ...census.groups.map((group) => planner.group(group)),
    ]
    return { edits: planner.edits, rows }
  } finally {
    trial.end()
  }
}

class Planner {
  readonly edits: DirectoryEdit[] = []
  readonly #directory: Directory
  readonly #trial: ReturnType<TrialDirectory['trial']>
  readonly #rules: ImportRules

  constructor(
    directory: Directory,
    trial: ReturnType<TrialDirectory['trial']>,
    rules: ImportRules,
  ) {
    this.#directory = directory
    this.#trial = trial
    this.#rules = rules
  }

  person(person: Person): PlannedRow {
    const domain = person.domain ?? this.#directory.defaultDomain ?? ''
    const main = { localpart: person.username, domain }
    const row = { source: person.source, kind: 'person', address: formatAddress(main) } as const
    const before = this.#directory.byAddress(main)
    if (before !== undefined && addressKey(mainAddressOf(before)) !== addressKey(main))
      return refused(row, `${row.address} is an address of ${formatAddress(mainAddressOf(before))}`)
    if (before !== undefined && !this.#rules.mayTouch(before))
      return refused(row, 'it has a role: only an administrator changes it')
    const notes: string[] = []
    const account = withFreshKeys(before, this.#account(person, { before, domain, notes }))
    const changes = before === undefined ? [] : changesOf(before, account)
    if (before === undefined || changes.length > 0) {
      const refusal = this.#put({ kind: 'account', account })
      if (refusal !== undefined) return refused(row, refusal)
    }
    const sentOn = this.#forward(account, person, notes)
    if (sentOn) changes.push('forward')
    changes.push(...this.#wishes(account, person, notes))
    const outcome = before === undefined ? 'added' : changes.length > 0 ? 'changed' : 'same'
    return { ...row, outcome, changes: before === undefined ? [] : changes, notes }
  }

  #account(
    person: Person,
    known: {
      readonly before: Account | undefined
      readonly domain: string
      readonly notes: string[]
    },
  ): Account {
    const { before, domain, notes } = known
    const addresses = [...(before?.addresses ?? [])]
    for (const text of person.addresses) {
      const address = addressIn(this.#directory, text)
      const taken =
        typeof address === 'string' ? address : takenBy(this.#directory, address, before)
      if (taken !== undefined) notes.push(taken)
      else if (typeof address !== 'string' && !addresses.some((each) => same(each, address)))
        addresses.push(address)
    }
    const {
      name = before?.name,
      disabled = before?.disabled ?? false,
      quota = before?.quota,
    } = person
    const secret = this.#secret(person, before, notes)
    return {
      ...(before ?? {
        id: this.#rules.newId(),
        username: person.username,
        domain,
        admin: false,
        credentialVersion: 1,
        delegated: [],
      }),
      ...factsAfter(before ?? {}, factsAfter(person)),
      disabled,
      ...(name !== undefined && { name }),
      addresses,
      ...(secret !== undefined && { credential: secret }),
      ...(quota !== undefined && { quota: { ...before?.quota, ...quota } }),
    }
  }

  /** The hash that becomes the password; undefined: it stays as it is. */
  #secret(
    { passwordHash }: Person,
    before: Account | undefined,
    notes: string[],
  ): string | undefined {
    if (passwordHash === undefined || passwordHash === before?.credential) return undefined
    if (before?.credential !== undefined && !this.#rules.replacePasswords) return undefined
    if (isKnownHash(passwordHash)) return passwordHash
    notes.push('the hash of the password is of a kind that cannot be checked')
    return undefined
  }

  #forward(account: Account, { forward }: Person, notes: string[]): boolean {
    if (forward === undefined) return false
    const to = this.#targets(forward.to, notes)
    const before = this.#directory.forward(account.id)
    if (to.length === 0) return false
    if (before !== undefined && before.keep === forward.keep && sameAll(before.to, to)) return false
    const row = { accountId: account.id, to, keep: forward.keep }
    const refusal = this.#put({ kind: 'forward', forward: row })
    if (refusal !== undefined) notes.push(`forward: ${refusal}`)
    return refusal === undefined
  }

  /** What somebody has chosen here goes on; names of the parts that are new. */
  #wishes({ id }: Account, { wishes = {} }: Person, notes: string[]): string[] {
    const before = this.#directory.choices(id) ?? noChoices(id)
    const senders = (texts: readonly string[] = [], part: string): readonly Sender[] =>
      [...new Set(texts)].flatMap((text) => {
        const sender = parseSender(text)
        if (sender === undefined)
          notes.push(`${part}: '${text}' is neither an address nor a domain`)
        return sender ?? []
      })
    const blocked = senders(wishes.blocked, 'blocked')
    // Where somebody is both, nothing of his is lost.
    const welcome = senders(wishes.welcome, 'welcome')
    const both = blocked.filter((each) => welcome.includes(each))
    for (const each of both) notes.push(`blocked: ${each} is welcome as well, and stays so`)
    const wanted = {
      vacation: wishes.vacation,
      blocked: blocked.filter((each) => !welcome.includes(each)),
      welcome,
    }
    const taken: string[] = []
    let after = before
    for (const part of ['vacation', 'blocked', 'welcome'] as const) {
      const value = wanted[part]
      if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
      if (isDeepStrictEqual(before[part], value)) continue
      if (before[part] !== undefined) {
        notes.push(`${part}: something else was chosen here, and stays`)
        continue
      }
      const next = withParts(after, { [part]: value })
      const fault = choicesFault(next) ?? scriptFault(this.#directory, next)
      if (fault !== undefined) {
        notes.push(`${part}: ${fault}`)
        continue
      }
      after = next
      taken.push(part)
    }
    if (taken.length === 0) return []
    const choices = { ...after, revision: before.revision + 1 }
    const refusal = this.#put({ kind: 'choices', choices })
    if (refusal === undefined) return taken
    notes.push(`${taken.join(', ')}: ${refusal}`)
    return []
  }

  group(group: MailGroup): PlannedRow {
    const from = addressIn(this.#directory, group.address)
    if (typeof from === 'string')
      return refused({ source: group.source, kind: 'group', address: group.address }, from)
    const row = { source: group.source, kind: 'group', address: formatAddress(from) } as const
    const notes: string[] = []
    const to = this.#targets(group.to, notes)
    if (to.length === 0) return refused(row, ['nobody is left in it', ...notes].join('; '))
    const before = this.#directory.alias(from)
    if (before !== undefined && sameAll(before.to, to))
      return { ...row, outcome: 'same', changes: [], notes }
    const [origin] = before?.origins ?? []
    if (origin !== undefined) return refused(row, `it is a group of ${origin.source}`)
    const refusal = this.#put({ kind: 'alias', alias: { ...before, from, to } })
    if (refusal !== undefined) return refused(row, refusal)
    if (before === undefined) return { ...row, outcome: 'added', changes: [], notes }
    return { ...row, outcome: 'changed', changes: ['members'], notes }
  }

  #targets(texts: readonly string[], notes: string[]): Address[] {
    return texts.flatMap((text) => {
      const address = addressIn(this.#directory, text)
      if (typeof address !== 'string') return [address]
      notes.push(address)
      return []
    })
  }

  /** Tries a row behind all before it; what is wrong with it. */
  #put(row: DirectoryRow): string | undefined {
    const key = rowKey(row)
    const refusal: DirectoryRefusal | undefined = checkRow(this.#directory, row)
    const message = refusal?.message ?? findCycle(this.#directory, { key, row })
    if (message !== undefined) return message
    this.#trial.put(key, row)
    this.edits.push({ kind: 'put', row })
    return undefined
  }
}

/** A new password has no SCRAM keys yet: those of the old one would still let it in. */
function withFreshKeys(before: Account | undefined, after: Account): Account {
  if (before === undefined || before.credential === after.credential) return after
  const { scram: _, ...account } = after
  return { ...account, credentialVersion: before.credentialVersion + 1 }
}

const same = (a: Address, b: Address): boolean => addressKey(a) === addressKey(b)

const sameAll = (a: readonly Address[], b: readonly Address[]): boolean =>
  a.length === b.length && a.every((address, index) => same(address, b[index]!))

const refused = (
  row: Pick<PlannedRow, 'source' | 'kind' | 'address'>,
  why: string,
): PlannedRow => ({ ...row, outcome: 'refused', changes: [], notes: [why] })

function changesOf(before: Account, after: Account): string[] {
  const words: readonly (readonly [keyof Account, string])[] = [
    ['name', 'name'],
    ['disabled', 'disabled'],
    ['addresses', 'addresses'],
    ['credential', 'password'],
    ['quota', 'quota'],
    ...FACTS.map((fact) => [fact, fact] as const),
  ]
  return words
    .filter(([field]) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map(([, word]) => word)
}
