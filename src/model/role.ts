/** Whether the role may do it. */
export const may = (role: Role, permission: Permission): boolean =>
  ROLE_PERMISSIONS[role].includes(permission)

/** What somebody may do with the installation, each word once. */
export const PERMISSIONS = [
  'status.read', // how it is: nodes, counts, the search index
  'people.read', // accounts, groups, domains and routes, and who answers for an address
  'people.help', // new passwords, suspension and its end
  'people.write', // all else of accounts; aliases, forwards, imports
  'lists.read', // mailing lists, and who is in them
  'lists.write', // all of them; their owners need no word of this
  'sources.read', // other directories, and how they are
  'sources.write', // their places, passwords and order
  'mailboxes.read', // names, sizes, retention and rights of mailboxes, names of scripts
  'mailboxes.restore', // expunged mail comes back to its owner, unseen by who asks
  'mailboxes.write', // retention, expiry, counters, and rights: who else reads it
  'content.read', // what people write: subjects of expunged mail, texts of scripts
  'content.write', // scripts of others
  'queue.read', // envelopes of what waits
  'queue.act', // hold, release, retry, drop
  'trace.read', // envelopes of what went
  'history.read', // who changed what of the directory, with before and after
  'settings.read', // settings, their history, the access list
  'settings.write',
  'routing.write', // domains, the keys that they sign by, and routes
  'nodes.write', // machines: taken in, drained, removed
  'bench', // judges and scripts tried on what is uploaded; nothing is stored
  'roles.write', // gives roles, and changes accounts that have one
] as const
export type Permission = (typeof PERMISSIONS)[number]

/** From most to least. */
export const ROLES = [
  'administrator',
  'directory-manager',
  'help-desk',
  'auditor',
  'user', // own things alone, through webmail and mail programs
] as const
export type Role = (typeof ROLES)[number]

/** Whoever has a role, as an account's row says it. */
interface Holder {
  readonly admin: boolean
  readonly role?: GivenRole
}

/** A role that stands in an account's row: an administrator is known by `admin`, a user by nothing. */
export type GivenRole = Exclude<Role, 'administrator' | 'user'>

const HELP = [
  'status.read',
  'people.read',
  'lists.read',
  'people.help',
  'mailboxes.read',
] as const satisfies readonly Permission[]

const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: PERMISSIONS,
  'directory-manager': [
    ...HELP,
    'people.write',
    'lists.write',
    'sources.read',
    'sources.write',
    'history.read',
  ],
  'help-desk': [...HELP, 'mailboxes.restore', 'queue.read', 'trace.read', 'bench'],
  auditor: [
    'status.read',
    'people.read',
    'lists.read',
    'sources.read',
    'mailboxes.read',
    'queue.read',
    'trace.read',
    'history.read',
    'settings.read',
  ],
  user: [],
}

export const permissionsOf = (role: Role): readonly Permission[] => ROLE_PERMISSIONS[role]

export const roleOf = ({ admin, role }: Holder): Role =>
  admin ? 'administrator' : (role ?? 'user')

/**
 * Whether the role may change this account: whoever sets a password has all that its owner may do, so
 * those with a role are changed by who may give roles.
 */
export const mayTouch = (role: Role, account: Holder): boolean =>
  roleOf(account) === 'user' || may(role, 'roles.write')

/** The role as an account's row has it. */
export const withRole = (role: Role): Holder => ({
  admin: role === 'administrator',
  ...(role !== 'administrator' && role !== 'user' && { role }),
})
