import { fromUtf8 } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { LdapChange } from '#codec/ldap/message.ts'
import { writeLdif, writeLdifChange } from '#codec/ldif/ldif.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { dnKey } from '#engine/people/dn.ts'
import { made, textsOf } from './entry.ts'
import {
  ATTRIBUTE_TYPES,
  INDEXES,
  LOCAL_MAIL_ATTRIBUTES,
  LOCAL_MAIL_CLASSES,
  MAIL_MEMBER,
  OBJECT_CLASSES,
  SECRET_ATTRIBUTES,
} from './schema.ts'

/** One step of a server's set-up: an entry to add, or one to change. */
export type Step =
  | { readonly kind: 'add'; readonly entry: DirectoryEntry }
  | { readonly kind: 'modify'; readonly dn: string; readonly changes: readonly LdapChange[] }

/** What a server shall be. */
export interface Intent {
  /** Where rows lie. */
  readonly base: string
  /** Who sets it up: it may make the first entries. */
  readonly admin: string
  /** A replica: where it follows from, and as whom. */
  readonly follows?: {
    readonly url: string
    readonly password: string
    /** `starttls=critical …`, as slapd.conf(5) has it behind syncrepl. */
    readonly tls: string
  }
}

export const serviceDn = (base: string): string => `cn=watari,${base}`
export const replicatorDn = (base: string): string => `cn=replicator,${base}`

/** Modules of Debian's slapd: news for those who follow, and binds by the hashes that we make. */
const MODULES = ['syncprov', 'argon2']
const MODULE_PATH = '/usr/lib/ldap'

/**
 * The steps that are left until the configuration of a server (the entries below cn=config) is what it
 * shall be; none where it is. Throws what an administrator has to do first.
 */
export function planServer(config: readonly DirectoryEntry[], intent: Intent): Step[] {
  const database = databaseOf(config, intent.base)
  return [
    ...moduleSteps(config),
    ...schemaSteps(config),
    ...sortingSteps(config),
    ...databaseSteps(database, intent),
    ...overlaySteps(config, database),
  ]
}

/** What a set-up cannot begin without. */
export class NotReady extends Error {}

export const ldifOf = (steps: readonly Step[]): string =>
  steps
    .map((step) =>
      step.kind === 'add'
        ? writeLdif({
            dn: step.entry.dn,
            attributes: [
              { type: 'changetype', values: [fromUtf8('add')] },
              ...step.entry.attributes,
            ],
          })
        : writeLdifChange(step.dn, step.changes),
    )
    .join('')

/** The configuration of Debian's slapd as it is installed, for those who read no server. */
export const asInstalled = (suffix: string): DirectoryEntry[] => [
  made('cn=module{0},cn=config', { objectClass: ['olcModuleList'], olcModuleLoad: ['back_mdb'] }),
  made('cn={3}inetorgperson,cn=schema,cn=config', {
    objectClass: ['olcSchemaConfig'],
    olcObjectClasses: ["NAME 'inetOrgPerson'"],
  }),
  made('olcDatabase={1}mdb,cn=config', {
    objectClass: ['olcMdbConfig'],
    olcSuffix: [suffix],
    olcDbIndex: ['objectClass eq', 'cn,uid eq'],
  }),
]

const isA = (entry: DirectoryEntry, objectClass: string): boolean =>
  textsOf(entry, 'objectClass').some((each) => asciiLower(each) === asciiLower(objectClass))

function databaseOf(config: readonly DirectoryEntry[], base: string): DirectoryEntry {
  const found = config.find((entry) =>
    textsOf(entry, 'olcSuffix').some((suffix) => `,${dnKey(base)}`.endsWith(`,${dnKey(suffix)}`)),
  )
  if (found !== undefined) return found
  throw new NotReady(
    `no database of that server has ${base} below its suffix: dpkg-reconfigure slapd makes one`,
  )
}

function moduleSteps(config: readonly DirectoryEntry[]): Step[] {
  const lists = config.filter((entry) => isA(entry, 'olcModuleList'))
  const loaded = new Set(
    lists
      .flatMap((entry) => textsOf(entry, 'olcModuleLoad'))
      .map((text) => withoutPlace(text).replace(/^.*\/|\.(?:la|so)$/g, '')),
  )
  const lacking = MODULES.filter((name) => !loaded.has(name))
  const [list] = lists
  if (lacking.length === 0) return []
  if (list === undefined)
    return [
      {
        kind: 'add',
        entry: made('cn=module,cn=config', {
          objectClass: ['olcModuleList'],
          cn: ['module'],
          olcModulePath: [MODULE_PATH],
          olcModuleLoad: lacking,
        }),
      },
    ]
  return [modify(list.dn, { kind: 'add', type: 'olcModuleLoad', values: lacking })]
}

function schemaSteps(config: readonly DirectoryEntry[]): Step[] {
  const schemas = config.filter((entry) => isA(entry, 'olcSchemaConfig'))
  const classes = schemas.flatMap((entry) => textsOf(entry, 'olcObjectClasses')).join('\n')
  if (!classes.includes("'inetOrgPerson'"))
    throw new NotReady(
      'that server does not know inetOrgPerson: ldapadd -Y EXTERNAL -H ldapi:/// -f /etc/ldap/schema/inetorgperson.ldif',
    )
  const localMail = classes.includes("'inetLocalMailRecipient'")
    ? []
    : [schemaOf('watari-local-mail', LOCAL_MAIL_ATTRIBUTES, LOCAL_MAIL_CLASSES)]
  const known = schemas.flatMap((entry) => textsOf(entry, 'olcAttributeTypes')).join('\n')
  if (!known.includes("'rfc822MailMember'"))
    localMail.push(schemaOf('watari-mail-member', [MAIL_MEMBER], []))
  const ours = schemas.find(({ dn }) => /^cn=(?:\{\d+\})?watari,/i.test(dn))
  if (ours === undefined) return [...localMail, schemaOf('watari', ATTRIBUTE_TYPES, OBJECT_CLASSES)]
  const changes = (
    [
      ['olcAttributeTypes', ATTRIBUTE_TYPES],
      ['olcObjectClasses', OBJECT_CLASSES],
    ] as const
  ).flatMap(([type, wanted]): LdapChange[] => {
    const there = new Set(textsOf(ours, type).map((text) => plainly(withoutPlace(text))))
    if (wanted.every((text) => there.has(plainly(text)))) return []
    return [{ kind: 'replace', type, values: wanted.map(fromUtf8) }]
  })
  return [
    ...localMail,
    ...(changes.length > 0 ? [{ kind: 'modify', dn: ours.dn, changes } as const] : []),
  ]
}

const schemaOf = (
  name: string,
  olcAttributeTypes: readonly string[],
  olcObjectClasses: readonly string[],
): Step => ({
  kind: 'add',
  entry: made(`cn=${name},cn=schema,cn=config`, {
    objectClass: ['olcSchemaConfig'],
    cn: [name],
    olcAttributeTypes,
    ...(olcObjectClasses.length > 0 && { olcObjectClasses }),
  }),
})

/** A group of 10,000 is looked through once for each new member unless they lie in order. */
const SORTED = 'watariTo'

function sortingSteps(config: readonly DirectoryEntry[]): Step[] {
  const sorted = config.flatMap((entry) => textsOf(entry, 'olcSortVals'))
  if (sorted.some((text) => text.split(/\s+/).includes(SORTED))) return []
  return [
    modify('olcDatabase={-1}frontend,cn=config', {
      kind: 'add',
      type: 'olcSortVals',
      values: [SORTED],
    }),
  ]
}

function databaseSteps(database: DirectoryEntry, intent: Intent): Step[] {
  const { base, follows } = intent
  const changes: LdapChange[] = []
  const [suffix = ''] = textsOf(database, 'olcSuffix')
  const access = accessChange(textsOf(database, 'olcAccess'), accessRules(intent, suffix), base)
  if (access !== undefined) changes.push(access)
  const limits = [serviceDn(base), replicatorDn(base)].map(
    (dn) => `dn.exact="${dn}" size=unlimited time=unlimited`,
  )
  changes.push(...lacking(database, 'olcLimits', limits))
  const indexed = new Set(
    textsOf(database, 'olcDbIndex').flatMap((text) =>
      asciiLower(text.split(/\s/)[0] ?? '').split(','),
    ),
  )
  const indexes = INDEXES.filter(([types]) => types.every((type) => !indexed.has(asciiLower(type))))
  if (indexes.length > 0)
    changes.push({
      kind: 'add',
      type: 'olcDbIndex',
      values: indexes.map(([types, how]) => fromUtf8(`${types.join(',')} ${how}`)),
    })
  if (follows !== undefined) changes.push(...followChanges(database, base, follows))
  return changes.length === 0 ? [] : [{ kind: 'modify', dn: database.dn, changes }]
}

/** Who may what below the base; the first rule that fits counts (slapd.access(5)). */
function accessRules({ base, admin }: Intent, suffix: string): string[] {
  const [service, replicator] = [serviceDn(base), replicatorDn(base)]
  const ours = `by dn.exact="${service}" write by dn.exact="${replicator}" read by dn.exact="${admin}" write`
  return [
    // x without r: who owns it may set a password and log in by it, and reads no hash.
    `to dn.subtree="${base}" attrs=userPassword ${ours} by self =xw by anonymous auth by * none`,
    `to dn.subtree="${base}" attrs=${SECRET_ATTRIBUTES.join(',')} ${ours} by * none`,
    `to dn.subtree="${base}" ${ours} by self read by * none`,
    `to dn.base="${parentOf(base)}" attrs=children by dn.exact="${admin}" write by * break`,
    `to dn.base="${suffix}" attrs=entry,contextCSN by dn.exact="${service}" read by dn.exact="${replicator}" read by * break`,
  ]
}

const parentOf = (dn: string): string => /^(?:\\.|[^,\\])*,(.*)$/s.exec(dn)?.[1] ?? ''

function accessChange(
  there: readonly string[],
  wanted: readonly string[],
  base: string,
): LdapChange | undefined {
  const rules = there.map(withoutPlace)
  const ours = new Set(wanted.map(plainly))
  const own = `to dn.subtree="${base}"`
  const others = rules.filter((rule) => !plainly(rule).startsWith(own) && !ours.has(plainly(rule)))
  const all = [...wanted, ...others]
  if (all.map(plainly).join('\n') === rules.map(plainly).join('\n')) return undefined
  const isNew = others.length === rules.length
  const placed = (list: readonly string[]) => list.map((rule, at) => fromUtf8(`{${at}}${rule}`))
  return isNew
    ? { kind: 'add', type: 'olcAccess', values: placed(wanted) }
    : { kind: 'replace', type: 'olcAccess', values: placed(all) }
}

function lacking(entry: DirectoryEntry, type: string, wanted: readonly string[]): LdapChange[] {
  const there = new Set(textsOf(entry, type).map((text) => plainly(withoutPlace(text))))
  const values = wanted.filter((text) => !there.has(plainly(text))).map(fromUtf8)
  return values.length === 0 ? [] : [{ kind: 'add', type, values }]
}

function followChanges(
  database: DirectoryEntry,
  base: string,
  follows: NonNullable<Intent['follows']>,
): LdapChange[] {
  const there = textsOf(database, 'olcSyncrepl')
  const bare = there.map(withoutPlace)
  const ours = bare.findIndex((text) => text.includes(`searchbase="${base}"`))
  const taken = new Set(bare.map((text) => /\brid=(\d+)/.exec(text)?.[1]))
  const rid =
    ours >= 0
      ? /\brid=(\d+)/.exec(bare[ours]!)?.[1]
      : Array.from({ length: 999 }, (_, n) => String(n + 1).padStart(3, '0')).find(
          (each) => !taken.has(each),
        )
  const wanted = [
    `rid=${rid ?? '001'}`,
    `provider=${follows.url}`,
    'bindmethod=simple',
    `binddn="${replicatorDn(base)}"`,
    `credentials="${follows.password}"`,
    `searchbase="${base}"`,
    'type=refreshAndPersist',
    // After a cut soon again, then each five seconds for good; a silent line is found by TCP.
    'retry="1 30 5 +"',
    'keepalive=30:3:10',
    'timeout=10',
    ...(follows.tls === '' ? [] : [follows.tls]),
  ].join(' ')
  const refers = textsOf(database, 'olcUpdateref').includes(follows.url)
    ? []
    : [{ kind: 'replace', type: 'olcUpdateref', values: [fromUtf8(follows.url)] } as const]
  if (ours >= 0 && plainly(bare[ours]!) === plainly(wanted)) return refers
  const all = ours < 0 ? [...bare, wanted] : bare.with(ours, wanted)
  return [{ kind: 'replace', type: 'olcSyncrepl', values: all.map(fromUtf8) }, ...refers]
}

/** On replicas too: whoever follows may follow them. */
function overlaySteps(config: readonly DirectoryEntry[], database: DirectoryEntry): Step[] {
  const has = config.some(
    (entry) =>
      isA(entry, 'olcSyncProvConfig') && dnKey(entry.dn).endsWith(`,${dnKey(database.dn)}`),
  )
  if (has) return []
  return [
    {
      kind: 'add',
      entry: made(`olcOverlay=syncprov,${database.dn}`, {
        objectClass: ['olcOverlayConfig', 'olcSyncProvConfig'],
        olcOverlay: ['syncprov'],
        olcSpCheckpoint: ['100 10'],
        olcSpSessionlog: ['10000'],
      }),
    },
  ]
}

const modify = (
  dn: string,
  { kind, type, values }: { kind: 'add'; type: string; values: readonly string[] },
): Step => ({ kind: 'modify', dn, changes: [{ kind, type, values: values.map(fromUtf8) }] })

/** `{3}` in front of a value says its place (RFC draft X-ORDERED). */
const withoutPlace = (text: string): string => text.replace(/^\{-?\d+\}/, '')

const plainly = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
