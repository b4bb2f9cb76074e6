/** An attribute of ours, with what it holds in the words of RFC 4512 §4.1.2. */
interface OwnAttribute {
  readonly number: number
  readonly name: string
  readonly text: string
  readonly syntax: keyof typeof SYNTAXES
  readonly isMany?: true
}

/**
 * Ours by ITU-T X.667: an arc that a UUID gives, with no authority to ask. Numbers are never used again
 * for anything else.
 */
const ARC = '2.25.36815954366765370847405651402483133379'

const SYNTAXES = {
  /** Compared as people do: case and further blanks say nothing. */
  text: 'EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15',
  exact: 'EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15',
  /** Of any length, looked up by nobody. */
  octets: 'EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40',
  flag: 'EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7',
  number:
    'EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27',
} as const

const ATTRIBUTES: readonly OwnAttribute[] = [
  { number: 1, name: 'watariKey', text: 'names a row for good: kind:name', syntax: 'exact' },
  {
    number: 2,
    name: 'watariRest',
    text: 'what of a row has no attribute of its own, in JSON',
    syntax: 'octets',
  },
  { number: 3, name: 'watariEditedBy', text: 'who changed it last, in JSON', syntax: 'octets' },
  { number: 4, name: 'watariDomainName', text: 'a domain of ours', syntax: 'text' },
  {
    number: 5,
    name: 'watariConvertTo',
    text: 'the domain whose addresses its own are',
    syntax: 'text',
  },
  {
    number: 6,
    name: 'watariSaltKey',
    text: 'secret of salts of names that do not exist',
    syntax: 'octets',
  },
  { number: 7, name: 'watariAdmin', text: 'may administer everything', syntax: 'flag' },
  { number: 8, name: 'watariDisabled', text: 'may not log in', syntax: 'flag' },
  {
    number: 9,
    name: 'watariCredentialVersion',
    text: 'grows with each new password',
    syntax: 'number',
  },
  { number: 10, name: 'watariScram', text: 'keys of SCRAM-SHA-256 (RFC 5803)', syntax: 'octets' },
  {
    number: 11,
    name: 'watariAddress',
    text: 'a further address that is not ASCII (RFC 6531)',
    syntax: 'text',
    isMany: true,
  },
  {
    number: 12,
    name: 'watariDelegated',
    text: 'an address that it may also send under',
    syntax: 'text',
    isMany: true,
  },
  { number: 13, name: 'watariFrom', text: 'the address of an alias', syntax: 'text' },
  { number: 14, name: 'watariTo', text: 'where mail is led', syntax: 'text', isMany: true },
  { number: 15, name: 'watariKeep', text: 'a forward keeps a copy', syntax: 'flag' },
  { number: 16, name: 'watariMatch', text: 'the domain or address of a route', syntax: 'text' },
  { number: 17, name: 'watariNextHop', text: 'where a route leads', syntax: 'text' },
  {
    number: 18,
    name: 'watariScriptId',
    text: 'names a script for good, among those of its account',
    syntax: 'exact',
  },
  { number: 19, name: 'watariScriptName', text: 'what its owner calls a script', syntax: 'exact' },
  { number: 20, name: 'watariScriptActive', text: 'the script filters', syntax: 'flag' },
  { number: 21, name: 'watariScript', text: 'a script of Sieve (RFC 5228)', syntax: 'octets' },
]

/** What only the service account and replicas see. */
export const SECRET_ATTRIBUTES = [
  'watariScram',
  'watariSaltKey',
  'watariRest',
  'watariEditedBy',
  'watariScript',
  'watariScriptName',
]

/** What an entry of any class of ours may have. */
const COMMON = 'watariRest $ watariEditedBy $ description'

export const ATTRIBUTE_TYPES: readonly string[] = ATTRIBUTES.map(
  ({ number, name, text, syntax, isMany }) =>
    `( ${ARC}.1.${number} NAME '${name}' DESC '${text}' ${SYNTAXES[syntax]}${isMany === true ? '' : ' SINGLE-VALUE'} )`,
)

const objectClass = (number: number, name: string, rest: string): string =>
  `( ${ARC}.2.${number} NAME '${name}' ${rest} )`

/** Of scripts: entries below an account's, which are no rows. */
export const SCRIPT_CLASS = 'watariSieveScript'

/** A class a kind of row; rows of kinds that are newer than the schema are entries of watariObject. */
export const OBJECT_CLASSES: readonly string[] = [
  objectClass(
    1,
    'watariObject',
    `DESC 'a row of a mail directory' SUP top STRUCTURAL MUST watariKey MAY ( ${COMMON} )`,
  ),
  objectClass(
    2,
    'watariAccount',
    `DESC 'who has mailboxes' SUP top AUXILIARY MUST ( watariKey $ uid $ watariDomainName ) MAY ( ${COMMON} $ watariAdmin $ watariDisabled $ watariCredentialVersion $ watariScram $ watariAddress $ watariDelegated )`,
  ),
  objectClass(
    3,
    'watariDomain',
    `SUP watariObject STRUCTURAL MUST watariDomainName MAY ( watariConvertTo $ watariSaltKey )`,
  ),
  objectClass(4, 'watariAlias', `SUP watariObject STRUCTURAL MUST ( watariFrom $ watariTo )`),
  objectClass(5, 'watariForward', `SUP watariObject STRUCTURAL MUST watariTo MAY watariKeep`),
  objectClass(6, 'watariRoute', `SUP watariObject STRUCTURAL MUST ( watariMatch $ watariNextHop )`),
  objectClass(7, 'watariSource', `SUP watariObject STRUCTURAL`),
  objectClass(
    8,
    SCRIPT_CLASS,
    `DESC 'a script of Sieve, below whose it is' SUP top STRUCTURAL MUST ( watariScriptId $ watariScriptName ) MAY ( watariScriptActive $ watariScript $ description )`,
  ),
]

/** Further addresses as mail servers of old have them; Debian's slapd has this in a file and does not load it. */
export const LOCAL_MAIL_ATTRIBUTES: readonly string[] = [
  "( 2.16.840.1.113730.3.1.13 NAME 'mailLocalAddress' DESC 'RFC822 email address of this recipient' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} )",
  "( 2.16.840.1.113730.3.1.18 NAME 'mailHost' DESC 'FQDN of the SMTP/MTA of this recipient' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} SINGLE-VALUE )",
  "( 2.16.840.1.113730.3.1.47 NAME 'mailRoutingAddress' DESC 'RFC822 routing address of this recipient' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} SINGLE-VALUE )",
]

export const LOCAL_MAIL_CLASSES: readonly string[] = [
  "( 2.16.840.1.113730.3.2.147 NAME 'inetLocalMailRecipient' DESC 'Internet local mail recipient' SUP top AUXILIARY MAY ( mailLocalAddress $ mailHost $ mailRoutingAddress ) )",
]

/** Members of a group who are no entries; in the file of Debian's slapd that has inetLocalMailRecipient. */
export const MAIL_MEMBER =
  "( 1.3.6.1.4.1.42.2.27.2.1.15 NAME 'rfc822MailMember' DESC 'rfc822 mail address of group member(s)' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )"

/** Looked up by readers of ours and of others. */
export const INDEXES: readonly (readonly [types: readonly string[], how: string])[] = [
  [['objectClass'], 'eq'],
  [['entryUUID'], 'eq'],
  [['entryCSN'], 'eq'],
  [['watariKey'], 'eq'],
  [['uid'], 'eq'],
  [['mail'], 'eq'],
  [['mailLocalAddress'], 'eq'],
  [['watariFrom'], 'eq'],
]
