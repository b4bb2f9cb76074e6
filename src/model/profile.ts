/** What an organisation says of somebody besides: kept and shown, and nothing is decided by it. */
export interface Profile {
  readonly familyName?: string
  readonly givenName?: string
  readonly title?: string
  /** As in Accept-Language. */
  readonly language?: string
  readonly employeeNumber?: string
  readonly costCenter?: string
  readonly organization?: string
  readonly division?: string
  readonly department?: string
  /** The id of another account, or what somebody else calls that person. */
  readonly manager?: string
  /** Which of its addresses others are shown first; absent: the main one. */
  readonly shownAddress?: string
}

const PROFILE = [
  'familyName',
  'givenName',
  'title',
  'language',
  'employeeNumber',
  'costCenter',
  'organization',
  'division',
  'department',
  'manager',
  'shownAddress',
] as const satisfies readonly (keyof Profile)[]

const TEXT_LENGTH_MAX = 256

/** What is wrong with it; undefined: nothing. */
export function profileFault(profile: Profile): string | undefined {
  const wrong = PROFILE.find((field) => !isLine(profile[field] ?? ''))
  return wrong && `${wrong} is one line of at most ${TEXT_LENGTH_MAX} characters`
}

const isLine = (text: string): boolean =>
  text.length <= TEXT_LENGTH_MAX && !/[\u0000-\u001f\u007f]/.test(text)
