import { asciiLower } from '#base/text.ts'
import { addressKey, domainKey, formatAddress, isDomain, parseAddress } from '#model/address.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias, Forward, LocalDomain } from '#model/account.ts'
import { isReserved } from '#model/account-life.ts'
import { choicesFault } from '#model/choices-fault.ts'
import type { Choices } from '#model/choices.ts'
import { factsFault, isDay } from '#model/person-facts.ts'
import type { Address } from '#model/address.ts'
import { profileFault } from '#model/profile.ts'
import { formatNextHop, parseNextHop } from '#model/route.ts'
import type { RouteRow } from '#model/route.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { DirectorySource } from '#model/source.ts'
import { checkList, checkListRemoval, checkMember, ofAnotherList } from './check-lists.ts'
import type { Directory, DirectoryKey, DirectoryRow, FormerOwner } from './directory.ts'
import { refuse } from './refusal.ts'
import type { DirectoryRefusal } from './refusal.ts'

/** A row to write, or a key to remove. */
export type DirectoryEdit =
  | { readonly kind: 'put'; readonly row: DirectoryRow }
  | { readonly kind: 'remove'; readonly key: DirectoryKey }

const ADDRESSES_PER_ACCOUNT_MAX = 1_000
const TARGETS_MAX = 10_000
const NAME_LENGTH_MAX = 256

/** Undefined where the row may be written into this directory as it stands. */
export function checkRow(directory: Directory, row: DirectoryRow): DirectoryRefusal | undefined {
  switch (row.kind) {
    case 'domain':
      return checkDomain(directory, row.domain)
    case 'account':
      return checkAccount(directory, row.account)
    case 'alias':
      return checkAlias(directory, row.alias)
    case 'forward':
      return checkForward(directory, row.forward)
    case 'choices':
      return checkChoices(directory, row.choices)
    case 'route':
      return checkRoute(row.route)
    case 'source':
      return checkSource(row.source)
    case 'plan':
      return checkPlan(row.plan)
    case 'list':
      return checkList(directory, row.list)
    case 'member':
      return checkMember(directory, row.member)
  }
}

function checkDomain(directory: Directory, domain: LocalDomain): DirectoryRefusal | undefined {
  const { name, convertTo } = domain
  if (!isDomain(name) || name.startsWith('[') || name !== asciiLower(name).normalize('NFC'))
    return refuse('invalid', `${name} is no domain name`, 'Give a name such as campus.example.')
  if (convertTo === undefined) return undefined
  if (domainKey(convertTo) === domainKey(name))
    return refuse('invalid', `${name} cannot be converted to itself`, 'Name another local domain.')
  if (directory.domain(convertTo) === undefined)
    return refuse(
      'notFound',
      `${convertTo} is no local domain`,
      `Add it first: watari domain add ${convertTo}`,
    )
  // All accounts are looked at for a new conversion only.
  const isNew = directory.domain(name)?.convertTo !== convertTo
  const owner = isNew
    ? directory
        .accounts()
        .find(
          ({ domain: of, deletedAt }) =>
            deletedAt === undefined && domainKey(of) === domainKey(name),
        )
    : undefined
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${name} has accounts of its own, ${owner.username}@${name} among them`,
      'Move or delete them before the domain is converted.',
    )
  return undefined
}

function checkAccount(directory: Directory, account: Account): DirectoryRefusal | undefined {
  const own = parseAddress(`${account.username}@${account.domain}`)
  if (
    !own.ok ||
    account.username !== asciiLower(account.username).normalize('NFC') ||
    account.username.includes('+')
  )
    return refuse(
      'invalid',
      `${account.username}@${account.domain} is no address for an account`,
      'Give user@domain in lower case, without "+".',
    )
  const domain = directory.domain(account.domain)
  if (domain === undefined)
    return refuse(
      'notFound',
      `${account.domain} is no local domain`,
      `Add it first: watari domain add ${account.domain}`,
    )
  if (domain.convertTo !== undefined)
    return refuse(
      'conflict',
      `addresses of ${domain.name} are those of ${domain.convertTo}`,
      `Add the account as ${account.username}@${domain.convertTo}.`,
    )
  if ((account.name?.length ?? 0) > NAME_LENGTH_MAX)
    return refuse('limit', `the name is longer than ${NAME_LENGTH_MAX} characters`, 'Shorten it.')
  const fault = factsFault(account)
  if (fault !== undefined) return refuse('invalid', fault, 'Give it as it is to be.')
  const profileIs = profileFault(account.profile ?? {})
  if (profileIs !== undefined) return refuse('invalid', profileIs, 'Shorten it.')
  const { afterLeaving } = account
  if (afterLeaving !== undefined) {
    if (!isDay(afterLeaving.until))
      return refuse('invalid', `${afterLeaving.until} is no day`, 'Give one such as 2031-09-30.')
    const leads = checkTargets(afterLeaving.to, formatAddress(own.value))
    if (leads !== undefined) return leads
  }
  const namesake =
    account.externalId === undefined ? undefined : directory.byExternalId(account.externalId)
  if (namesake !== undefined && namesake.id !== account.id)
    return refuse(
      'conflict',
      `${account.externalId} is the external id of ${formatAddress(mainAddressOf(namesake))}`,
      'Give each person an external id of their own.',
    )
  if (account.addresses.length > ADDRESSES_PER_ACCOUNT_MAX)
    return refuse(
      'limit',
      `more than ${ADDRESSES_PER_ACCOUNT_MAX} addresses`,
      'Use aliases instead.',
    )
  const before = directory.account(account.id)
  if (before === undefined || addressKey(own.value) !== addressKey(mainAddressOf(before))) {
    const taken = checkFree(directory, own.value, account)
    if (taken !== undefined) return taken
  }
  for (const address of account.addresses) {
    const taken = checkFree(directory, address, account)
    if (taken !== undefined) return taken
  }
  return undefined
}

function checkFree(
  directory: Directory,
  address: Address,
  account: Account,
): DirectoryRefusal | undefined {
  const text = formatAddress(address)
  if (directory.domain(address.domain) === undefined)
    return refuse(
      'notFound',
      `${address.domain} is no local domain`,
      `Add it first: watari domain add ${address.domain}`,
    )
  const owner = directory.byAddress(address)
  if (owner !== undefined && owner.id !== account.id)
    return refuse(
      'conflict',
      `${text} belongs to ${owner.username}@${owner.domain}${owner.deletedAt === undefined ? '' : ', who was deleted and can still be had back'}`,
      owner.deletedAt === undefined
        ? 'Choose another address.'
        : `Choose another address; or: watari user undelete ${text}, watari user delete ${text} --for-good`,
    )
  const reserved = reservedFor(directory, address)
  if (reserved !== undefined && reserved.account.id !== account.id) return isReservedFor(reserved)
  if (directory.alias(address) !== undefined)
    return refuse('conflict', `${text} is an alias`, `Remove it first: watari alias rm ${text}`)
  return ofAnotherList(directory, address)
}

/** Whose it was, where nobody else is to have it yet. */
function reservedFor(directory: Directory, address: Address): FormerOwner | undefined {
  const owner = directory.byFormerAddress(address)
  return owner !== undefined && isReserved(owner.former, directory.moment) ? owner : undefined
}

function isReservedFor({ account, former }: FormerOwner): DirectoryRefusal {
  const text = formatAddress(former.address)
  return refuse(
    'conflict',
    `${text} was an address of ${formatAddress(mainAddressOf(account))}, and is kept from others until ${former.reservedUntil.slice(0, 10)}`,
    `Choose another one, or set it free: watari user release ${text}`,
  )
}

function checkAlias(directory: Directory, alias: Alias): DirectoryRefusal | undefined {
  const from = formatAddress(alias.from)
  if (directory.domain(alias.from.domain) === undefined)
    return refuse(
      'notFound',
      `${alias.from.domain} is no local domain`,
      `Add it first: watari domain add ${alias.from.domain}`,
    )
  const owner = directory.byAddress(alias.from)
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${from} is an address of ${owner.username}@${owner.domain}`,
      `Forward its mail instead: watari forward set ${owner.username}@${owner.domain} TO --keep`,
    )
  const reserved = reservedFor(directory, alias.from)
  if (reserved !== undefined) return isReservedFor(reserved)
  const listed = ofAnotherList(directory, alias.from)
  if (listed !== undefined) return listed
  if ([alias.name, alias.externalId].some((text) => text !== undefined && !isLine(text)))
    return refuse(
      'invalid',
      `a name and an external id are one line of 1 to ${NAME_LENGTH_MAX} characters`,
      'Shorten it.',
    )
  // A group is made first, and gets its members later.
  if (alias.name !== undefined && alias.to.length === 0) return undefined
  return checkTargets(alias.to, from)
}

const isLine = (text: string): boolean =>
  text !== '' && text.length <= NAME_LENGTH_MAX && !/[\u0000-\u001f\u007f]/.test(text)

function checkForward(directory: Directory, forward: Forward): DirectoryRefusal | undefined {
  const account = directory.account(forward.accountId)
  if (account === undefined)
    return refuse(
      'notFound',
      `there is no account ${forward.accountId}`,
      'watari user ls shows the accounts.',
    )
  return checkTargets(forward.to, formatAddress(mainAddressOf(account)))
}

function checkChoices(directory: Directory, choices: Choices): DirectoryRefusal | undefined {
  if (directory.account(choices.accountId) === undefined)
    return refuse(
      'notFound',
      `there is no account ${choices.accountId}`,
      'watari user ls shows the accounts.',
    )
  const fault = choicesFault(choices)
  return fault === undefined ? undefined : refuse('invalid', fault, 'Give it as it is to be.')
}

function checkTargets(to: readonly Address[], from: string): DirectoryRefusal | undefined {
  if (to.length === 0)
    return refuse('invalid', `${from} leads nowhere`, 'Give at least one address.')
  if (to.length > TARGETS_MAX)
    return refuse('limit', `${from} leads to more than ${TARGETS_MAX} addresses`, 'Make it a list.')
  if (new Set(to.map(addressKey)).size !== to.length)
    return refuse('invalid', `${from} names an address twice`, 'Name each address once.')
  return undefined
}

function checkRoute(route: RouteRow): DirectoryRefusal | undefined {
  const { match } = route
  const known = match.includes('@') ? parseAddress(match).ok : isDomain(match)
  if (!known || match !== asciiLower(match).normalize('NFC'))
    return refuse(
      'invalid',
      `${match} is neither a domain nor an address`,
      'Give example.org or user@example.org.',
    )
  const hop = formatNextHop(route.nextHop)
  if (route.nextHop.kind !== 'mx' && parseNextHop(hop) === undefined)
    return refuse(
      'invalid',
      `${hop} is no next hop`,
      'Give smtp:HOST:PORT, lmtp:HOST:PORT, local or hold.',
    )
  return undefined
}

/** Undefined where the row of this key may go. */
export function checkRemoval(
  directory: Directory,
  key: DirectoryKey,
): DirectoryRefusal | undefined {
  const colon = key.indexOf(':')
  const kind = key.slice(0, colon)
  const name = key.slice(colon + 1)
  if (!exists(directory, kind, name))
    return refuse(
      'notFound',
      `there is no ${kind} ${name}`,
      `watari ${NOUNS[kind] ?? kind} ls shows what there is.`,
    )
  if (kind === 'domain') return checkDomainRemoval(directory, name)
  if (kind === 'list') return checkListRemoval(directory, name as Account['id'])
  if (kind === 'account' && directory.forward(name as Account['id']) !== undefined)
    return refuse(
      'conflict',
      `account ${name} has a forward`,
      'Remove the forward in the same step.',
    )
  if (kind === 'account' && directory.choices(name as Account['id']) !== undefined)
    return refuse('conflict', `account ${name} has choices`, 'Remove the choices in the same step.')
  return undefined
}

const NOUNS: Readonly<Record<string, string>> = { account: 'user', plan: 'directory plans' }

function exists(directory: Directory, kind: string, name: string): boolean {
  switch (kind) {
    case 'domain':
      return directory.domain(name) !== undefined
    case 'account':
      return directory.account(name as Account['id']) !== undefined
    case 'forward':
      return directory.forward(name as Account['id']) !== undefined
    case 'choices':
      return directory.choices(name as Account['id']) !== undefined
    case 'route':
      return directory.route(name) !== undefined
    case 'source':
      return directory.source(name) !== undefined
    case 'plan':
      return directory.plan(name) !== undefined
    case 'list':
      return directory.list(name as Account['id']) !== undefined
    case 'member': {
      const colon = name.indexOf(':')
      const list = name.slice(0, colon) as Account['id']
      return directory.member(list, name.slice(colon + 1)) !== undefined
    }
    case 'alias': {
      const address = parseAddress(name)
      return address.ok && directory.alias(address.value) !== undefined
    }
    default:
      return false
  }
}

const PLANS_USERS_MAX = 100_000

/** Its change is checked when it is planned and again when it is made, with each account. */
function checkPlan({ title, on, where, change }: DatedPlan): DirectoryRefusal | undefined {
  if (title.trim() === '' || title.length > NAME_LENGTH_MAX)
    return refuse('invalid', 'the plan has no title, or too long a one', 'Give it a short title.')
  if (!isDay(on)) return refuse('invalid', `${on} is no day`, 'Give one such as 2027-04-01.')
  const { tags = [], users } = where
  if (tags.length === 0 && users === undefined)
    return refuse('invalid', 'it names nobody', 'Give a tag, or users.')
  if ((users?.length ?? 0) > PLANS_USERS_MAX)
    return refuse('limit', `more than ${PLANS_USERS_MAX} users`, 'Give them a tag, and name that.')
  if (Object.values(change).every((each) => each === undefined))
    return refuse('invalid', 'it changes nothing', 'Say what is to change.')
  return undefined
}

const SERVERS_MAX = 16
const SOURCE_TEXT_LENGTH_MAX = 10_000

function checkSource(source: DirectorySource): DirectoryRefusal | undefined {
  const { name, order, servers, base, filter = '', key } = source
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    return refuse('invalid', `${name} is no name for a source`, 'Give a word such as campus-ldap.')
  if (!Number.isInteger(order) || order < 1 || order > 1_000_000)
    return refuse('invalid', `${order} is no place in an order`, 'Give a number from 1 on.')
  if (servers.length === 0 || servers.length > SERVERS_MAX)
    return refuse('limit', 'a source has 1 to 16 servers', 'Give --url for each of them.')
  if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(key))
    return refuse('invalid', `${key} is no attribute`, 'Give one such as employeeNumber.')
  if (base === '' || `${base}${filter}`.length > SOURCE_TEXT_LENGTH_MAX)
    return refuse('invalid', 'the base is missing or too long', 'Give --base DN.')
  return undefined
}

function checkDomainRemoval(directory: Directory, name: string): DirectoryRefusal | undefined {
  const key = domainKey(name)
  const converted = directory
    .domains()
    .find(({ convertTo }) => convertTo !== undefined && domainKey(convertTo) === key)
  if (converted !== undefined)
    return refuse(
      'conflict',
      `${converted.name} is converted to ${name}`,
      `Remove ${converted.name} first.`,
    )
  const owner = directory.accounts().find(
    (account) =>
      // Who is deleted comes back when the domain does.
      account.deletedAt === undefined &&
      [account, ...account.addresses].some(({ domain }) => domainKey(domain) === key),
  )
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${owner.username}@${owner.domain} has an address in ${name}`,
      'Move or delete its accounts first.',
    )
  const alias = directory.aliases().find((row) => domainKey(row.from.domain) === key)
  if (alias !== undefined)
    return refuse(
      'conflict',
      `${formatAddress(alias.from)} is an alias in ${name}`,
      `Remove it first: watari alias rm ${formatAddress(alias.from)}`,
    )
  const list = directory
    .lists()
    .find(
      ({ address, addresses, deletedAt }) =>
        deletedAt === undefined &&
        [address, ...addresses].some(({ domain }) => domainKey(domain) === key),
    )
  if (list !== undefined)
    return refuse(
      'conflict',
      `${formatAddress(list.address)} is a list with an address in ${name}`,
      `Delete it first: watari list delete ${formatAddress(list.address)}`,
    )
  return undefined
}
