/** What people are found, gathered and known by besides names and addresses; all of it may be absent. */
export interface PersonFacts {
  /** How the name is said, in kana or in letters. */
  readonly reading?: string
  /** Names borne before, to be found by. */
  readonly formerNames?: readonly string[]
  /** Cohort, faculty, office: free words that many are changed by at once. */
  readonly tags?: readonly string[]
  /** What another system calls somebody; of one person alone. */
  readonly externalId?: string
  /** The first day on which the account is in use. */
  readonly startsOn?: Day
  /** The last one. */
  readonly expiresOn?: Day
}

/** `2027-03-31`, of the calendar that the settings name. */
export type Day = string

export const FACTS = [
  'reading',
  'formerNames',
  'tags',
  'externalId',
  'startsOn',
  'expiresOn',
] as const satisfies readonly (keyof PersonFacts)[]

/** Facts as they are told: null takes one away, and so does an empty one; absent, it stays. */
export type FactsChange = {
  readonly [F in keyof PersonFacts]?: PersonFacts[F] | null | undefined
}

const TEXT_LENGTH_MAX = 256
const FORMER_NAMES_MAX = 20
const TAGS_MAX = 50
const TAG_LENGTH_MAX = 64
const EXTERNAL_ID_LENGTH_MAX = 256

/** These facts alone, of whatever has more; as they are after the change. */
export function factsAfter(before: PersonFacts, change: FactsChange = {}): PersonFacts {
  const after: Record<string, unknown> = {}
  for (const fact of FACTS) {
    const value = change[fact] === undefined ? before[fact] : tidy(fact, change[fact])
    if (value !== undefined && value !== null && value.length > 0) after[fact] = value
  }
  return after
}

/** All but these facts. */
export function withoutFacts<T extends PersonFacts>(of: T): Omit<T, keyof PersonFacts> {
  const others = Object.entries(of).filter(([name]) => !(FACTS as readonly string[]).includes(name))
  return Object.fromEntries(others) as Omit<T, keyof PersonFacts>
}

/** Full-width digits and letters of a tag mean what they look like: it is compared, not read. */
function tidy(
  fact: keyof PersonFacts,
  value: string | readonly string[] | null | undefined,
): string | readonly string[] | null | undefined {
  if (value === null || value === undefined) return value
  const form = fact === 'tags' || fact.endsWith('On') ? 'NFKC' : 'NFC'
  if (typeof value === 'string') return value.normalize(form).trim()
  return [...new Set(value.map((each) => each.normalize(form).trim()))].filter(
    (each) => each !== '',
  )
}

/** What is wrong with these facts by themselves; undefined: nothing. */
export function factsFault({
  reading = '',
  formerNames = [],
  tags = [],
  externalId = '',
  startsOn,
  expiresOn,
}: PersonFacts): string | undefined {
  if ([reading, ...formerNames].some((text) => text.length > TEXT_LENGTH_MAX || CONTROL.test(text)))
    return `a reading and a former name are one line of at most ${TEXT_LENGTH_MAX} characters`
  if (formerNames.length > FORMER_NAMES_MAX) return `more than ${FORMER_NAMES_MAX} former names`
  if (tags.length > TAGS_MAX) return `more than ${TAGS_MAX} tags`
  const tag = tags.find((each) => !isTag(each))
  if (tag !== undefined)
    return `'${tag}' is no tag: 1 to ${TAG_LENGTH_MAX} characters, no comma, no semicolon`
  if (externalId.length > EXTERNAL_ID_LENGTH_MAX || CONTROL.test(externalId))
    return `an external id is one line of at most ${EXTERNAL_ID_LENGTH_MAX} characters`
  for (const day of [startsOn, expiresOn])
    if (day !== undefined && !isDay(day)) return `'${day}' is no day such as 2027-03-31`
  if (startsOn !== undefined && expiresOn !== undefined && expiresOn < startsOn)
    return `it expires on ${expiresOn}, before it starts on ${startsOn}`
  return undefined
}

// What a line cannot hold.
const CONTROL = /[\u0000-\u001f\u007f]/

/** Commas and semicolons part the tags of a table's cell. */
export const isTag = (text: string): boolean =>
  text !== '' &&
  text.length <= TAG_LENGTH_MAX &&
  text.trim() === text &&
  !CONTROL.test(text) &&
  !/[,;、]/.test(text)

/** A day that the calendar has: 2027-02-30 is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text)
}
