import { fromUtf8, isAscii } from '#base/octets.ts'
import { resolveMembers } from '#engine/list/resolve.ts'
import type { Alias } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory, DirectoryKey } from '#store/directory/directory.ts'
import type { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { made } from './entry.ts'
import { serviceDn } from './provision-plan.ts'
import { dnOf, escapedName } from './row-entry.ts'

/** A row that is a group for others, as they know groups. */
export interface GroupEntry {
  readonly entry: DirectoryEntry
  /** Rows, and keys of addresses, that it was made of: it may be another one when they change. */
  readonly madeOf: readonly string[]
}

export const GROUP_TYPES = ['cn', 'mail', 'member', 'rfc822MailMember', 'description'] as const

export const groupsDn = (base: string): string => `ou=groups,${base}`

/**
 * An alias or a mailing list as a groupOfNames (RFC 4519 §3.5): accounts and groups of ours as `member`,
 * addresses elsewhere as `rfc822MailMember`, which no class of groups that Debian's slapd knows has beside
 * it: so it is an extensibleObject (RFC 4512 §4.3) as well. Undefined: there is no such group.
 */
export async function groupEntry(
  key: DirectoryKey,
  { directory, base, atMs }: { directory: MemoryDirectory; base: string; atMs: number },
): Promise<GroupEntry | undefined> {
  const row = directory.row(key)
  if (row?.kind === 'alias') return ofAlias(row.alias, directory, base)
  if (row?.kind === 'list' && row.list.deletedAt === undefined)
    return ofList(row.list, (await resolveMembers(row.list.id, directory, atMs)).recipients, base)
  return undefined
}

interface Member {
  readonly dn?: string
  readonly address: Address
}

function ofAlias({ from, to }: Alias, directory: Directory, base: string): GroupEntry {
  const madeOf: string[] = []
  const members = to.map((address): Member => {
    madeOf.push(addressKey(address))
    const account = directory.byAddress(address)
    if (account !== undefined && account.isGone !== true) {
      madeOf.push(`account:${account.id}`)
      return { address, dn: accountDn(account.id, base) }
    }
    const named = directory.listByAddress(address)
    const group =
      directory.alias(address)?.from ?? (named?.purpose === 'post' ? named.list.address : undefined)
    return { address, ...(group !== undefined && { dn: groupDn(group, base) }) }
  })
  return { entry: entryOf({ addresses: [from], members, base }), madeOf }
}

const ofList = (
  { address, addresses, name, description }: MailingList,
  recipients: readonly { readonly address: Address; readonly accountId?: AccountId }[],
  base: string,
): GroupEntry => ({
  entry: entryOf({
    addresses: [address, ...addresses],
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    members: recipients.map(({ accountId, address: of }) => ({
      address: of,
      ...(accountId !== undefined && { dn: accountDn(accountId, base) }),
    })),
    base,
  }),
  madeOf: [],
})

function entryOf(group: {
  readonly addresses: readonly Address[]
  readonly name?: string
  readonly description?: string
  readonly members: readonly Member[]
  readonly base: string
}): DirectoryEntry {
  const { addresses, name = '', description = '', members, base } = group
  const [main] = addresses as [Address]
  const own = groupDn(main, base)
  const dns = distinct(members.flatMap(({ dn }) => (dn === undefined || dn === own ? [] : [dn])))
  const elsewhere = asciiTexts(
    members.flatMap(({ dn, address }) => (dn === undefined ? address : [])),
  )
  const mail = asciiTexts(addresses)
  return made(own, {
    objectClass: ['groupOfNames', 'extensibleObject'],
    cn: distinct([formatAddress(main), name].filter((text) => text.trim() !== '')),
    // A group has to have a member: where it has nobody of ours, one who has no mail.
    member: dns.length === 0 ? [serviceDn(base)] : dns,
    ...(mail.length > 0 && { mail }),
    ...(elsewhere.length > 0 && { rfc822MailMember: elsewhere }),
    ...(description.trim() !== '' && { description: [description] }),
  })
}

const groupDn = (address: Address, base: string): string =>
  `cn=${escapedName(formatAddress(address))},${groupsDn(base)}`

const accountDn = (id: AccountId, base: string): string => dnOf(`account:${id}`, base)

/** Those that an IA5String holds: others have no attribute that programs would read them in. */
const asciiTexts = (addresses: readonly Address[]): readonly string[] =>
  distinct(addresses.map(formatAddress).filter((text) => isAscii(fromUtf8(text))))

/** Only one of those that LDAP takes for the same. */
const distinct = (texts: readonly string[]): readonly string[] => [
  ...new Map(texts.map((text) => [text.normalize('NFKC').toLowerCase(), text])).values(),
]
