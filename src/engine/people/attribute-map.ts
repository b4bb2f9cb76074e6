/** Where people and groups of a directory say what we want to know; names without case. */
export interface AttributeMap {
  /** Entries of one of these object classes are people. */
  readonly people: readonly string[]
  readonly groups: readonly string[]
  readonly username: readonly string[]
  readonly name: readonly string[]
  /** With the option `;phonetic`, where that says how another attribute is said. */
  readonly reading: readonly string[]
  readonly externalId: readonly string[]
  /** What only we say of people. */
  readonly formerNames?: readonly string[]
  readonly tags?: readonly string[]
  readonly startsOn?: readonly string[]
  readonly expiresOn?: readonly string[]
  /** All addresses, the one that others see first. */
  readonly addresses: readonly string[]
  readonly forward: readonly string[]
  /** Says that mail which is sent on is kept as well. */
  readonly keep?: (value: string) => boolean
  readonly keepIn?: string
  readonly password: readonly string[]
  readonly quotaBytes: readonly string[]
  readonly quotaMessages?: readonly string[]
  readonly isDisabled?: { readonly attribute: string; readonly test: (value: string) => boolean }
  /** Members by their DN, by user name, and by address. */
  readonly memberDn: readonly string[]
  readonly memberName: readonly string[]
  readonly memberAddress: readonly string[]
}

const INET: AttributeMap = {
  people: ['inetorgperson', 'posixaccount', 'organizationalperson', 'person', 'account'],
  groups: [
    'groupofnames',
    'groupofuniquenames',
    'posixgroup',
    'nismailalias',
    'mailgroup',
    'inetmailgroup',
    'groupofurls',
  ],
  username: ['uid'],
  name: ['displayname', 'cn', 'gecos'],
  reading: ['displayname;phonetic', 'cn;phonetic', 'msds-phoneticdisplayname'],
  externalId: ['employeenumber'],
  addresses: [
    'mail',
    'rfc822mailbox',
    'mailalternateaddress',
    'mailequivalentaddress',
    'mailalias',
  ],
  forward: ['mailforwardingaddress', 'maildrop'],
  password: ['userpassword'],
  quotaBytes: [],
  memberDn: ['member', 'uniquemember'],
  memberName: ['memberuid'],
  memberAddress: ['rfc822mailmember', 'mgrprfc822mailmember'],
}

const ACCOUNT_DISABLE = 0x2

/** What widespread directories are made of. */
export const PRESETS = {
  /** What an export of ours is made of. */
  watari: {
    ...INET,
    people: ['watariaccount'],
    groups: ['watarialias'],
    name: ['displayname'],
    formerNames: ['watariformername'],
    tags: ['wataritag'],
    startsOn: ['wataristartson'],
    expiresOn: ['watariexpireson'],
    addresses: ['mail'],
    forward: ['watariforward'],
    keepIn: 'watarikeep',
    keep: (value) => value.toUpperCase() === 'TRUE',
    quotaBytes: ['watariquotabytes'],
    quotaMessages: ['watariquotamessages'],
    isDisabled: {
      attribute: 'wataridisabled',
      test: (value) => value.toUpperCase() === 'TRUE',
    },
    memberDn: [],
    memberName: [],
    memberAddress: ['watarimember'],
  },
  /** RFC 2798 and what grew around it: inetOrgPerson, posixAccount, mail groups. */
  inetOrgPerson: INET,
  posixAccount: { ...INET, people: ['posixaccount'], name: ['gecos', 'cn', 'displayname'] },
  inetLocalMailRecipient: {
    ...INET,
    people: ['inetlocalmailrecipient'],
    addresses: ['maillocaladdress', 'mail'],
    forward: ['mailroutingaddress'],
  },
  zimbra: {
    ...INET,
    people: ['zimbraaccount'],
    groups: ['zimbradistributionlist'],
    addresses: ['zimbramaildeliveryaddress', 'mail', 'zimbramailalias'],
    // The second one was set by an administrator, hidden from its owner.
    forward: ['zimbraprefmailforwardingaddress', 'zimbramailforwardingaddress'],
    keepIn: 'zimbraprefmaillocaldeliverydisabled',
    keep: (value) => value.toUpperCase() !== 'TRUE',
    quotaBytes: ['zimbramailquota'],
    isDisabled: {
      attribute: 'zimbraaccountstatus',
      test: (value) => !['active', 'lockout'].includes(value.toLowerCase()),
    },
    memberDn: [],
    memberName: [],
    memberAddress: ['zimbramailforwardingaddress'],
  },
  activeDirectory: {
    ...INET,
    people: ['user'],
    groups: ['group'],
    username: ['samaccountname', 'uid'],
    externalId: ['employeeid', 'employeenumber'],
    addresses: ['proxyaddresses', 'mail'],
    forward: ['altrecipient'],
    password: [],
    isDisabled: {
      attribute: 'useraccountcontrol',
      test: (value) => (Number(value) & ACCOUNT_DISABLE) !== 0,
    },
    memberDn: ['member'],
    memberName: [],
    memberAddress: [],
  },
} as const satisfies Readonly<Record<string, AttributeMap>>

export type Preset = keyof typeof PRESETS

/** From the most particular one on: the first that knows one of an entry's classes reads it. */
const BY_CLASS: readonly Preset[] = [
  'watari',
  'zimbra',
  'activeDirectory',
  'inetLocalMailRecipient',
  'inetOrgPerson',
]

/** What an entry is read by. */
export interface Reading {
  readonly map: AttributeMap
  readonly kind: 'person' | 'group'
}

interface Ranked extends Reading {
  /** The lowest of those of an entry's classes counts. */
  readonly rank: number
}

function byClass(presets: readonly Preset[]): ReadonlyMap<string, Ranked> {
  const all = new Map<string, Ranked>()
  let rank = 0
  for (const preset of presets) {
    const map: AttributeMap = PRESETS[preset]
    for (const [kind, names] of [
      ['group', map.groups],
      ['person', map.people],
    ] as const) {
      for (const name of names) if (!all.has(name)) all.set(name, { map, kind, rank })
      rank++
    }
  }
  return all
}

const OF_ALL = byClass(BY_CLASS)
const OF_EACH: ReadonlyMap<string, ReadonlyMap<string, Ranked>> = new Map(
  Object.keys(PRESETS).map((preset) => [preset, byClass([preset as Preset])]),
)

/** The map that reads an entry of these object classes, and what it takes the entry for. */
export function mapOf(classes: readonly string[], preset?: Preset): Reading | undefined {
  const known = preset === undefined ? OF_ALL : OF_EACH.get(preset)!
  let best: Ranked | undefined
  for (const name of classes) {
    const found = known.get(name.toLowerCase())
    if (found !== undefined && (best === undefined || found.rank < best.rank)) best = found
  }
  return best
}
