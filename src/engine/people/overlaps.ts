import type { Account } from '#model/account.ts'
import { FACTS } from '#model/person-facts.ts'
import type { Person } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import type { SourceReading } from './gather.ts'

/** Somebody whom several directories have, and whose word counts where they differ. */
export interface Overlap {
  /** First to last; `here` where the account was made here. */
  readonly sources: readonly string[]
  readonly rows: readonly Contest[]
}

export interface Contest {
  readonly what: string
  readonly value: string
  readonly by: string
  /** Who says something else, and is not believed. */
  readonly losers: readonly { readonly source: string; readonly value: string }[]
}

/** Whether several directories have it. */
export const isOverlap = ({ origins = [], isOwn, isGone }: Account): boolean =>
  isGone !== true && origins.length + (isOwn === true ? 1 : 0) > 1

/** Who is believed in what; of a source that has not been read since the start nothing can be told. */
export function overlapOf(account: Account, readings: readonly SourceReading[]): Overlap {
  const voices = (account.origins ?? []).map(({ source: name, key }) => {
    const reading = readings.find(({ source }) => source.name === name)
    return { name, source: reading?.source, person: reading?.people.get(key)?.person }
  })
  const isOwn = account.isOwn === true
  const rows = Object.entries(WORDS).flatMap(([what, { here, there }]): Contest[] => {
    const said = [
      ...(isOwn ? [{ source: 'here', value: here(account) }] : []),
      ...voices.map(({ name, source, person }) => ({
        source: name,
        value: person && source && there(person, source),
      })),
    ].flatMap(({ source, value }) =>
      value === undefined || value === '' ? [] : [{ source, value }],
    )
    const [winner, ...others] = said
    if (winner === undefined) return []
    const losers = others.filter(({ value }) => value !== winner.value)
    return losers.length === 0 ? [] : [{ what, value: winner.value, by: winner.source, losers }]
  })
  return { sources: [...(isOwn ? ['here'] : []), ...voices.map(({ name }) => name)], rows }
}

interface Word {
  readonly here: (account: Account) => string | undefined
  readonly there: (person: Person, source: DirectorySource) => string | undefined
}

const listed = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' || value === undefined ? value : value.join(' ')

const sizeOf = ({ quota }: Account | Person): string | undefined =>
  quota && [quota.bytes, quota.messages].map((limit) => limit ?? '-').join(' bytes, ')

/** What can be contested, as `planSources` decides it. */
const WORDS: Readonly<Record<string, Word>> = {
  name: { here: ({ name }) => name, there: ({ name }) => name },
  // What was made here keeps its own beside them.
  addresses: { here: () => undefined, there: ({ addresses }) => listed(addresses) },
  quota: { here: sizeOf, there: sizeOf },
  password: {
    here: ({ credential }) => (credential === undefined ? undefined : 'a hash here'),
    there: ({ passwordHash }, { name, auth }) =>
      auth === 'bind'
        ? `a bind to ${name}`
        : passwordHash === undefined
          ? undefined
          : `a hash of ${name}`,
  },
  ...Object.fromEntries(
    FACTS.map((fact) => [
      fact,
      {
        here: (account: Account) => listed(account[fact]),
        there: (person: Person) => listed(person[fact]),
      },
    ]),
  ),
}
