import { asciiLower } from '#base/text.ts'
import { membershipOf } from '#engine/list/membership.ts'
import type { SieveLists } from '#engine/sieve/message.ts'
import type { Account, AccountId, Alias } from '#model/account.ts'
import { addressKey, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Sender } from '#model/choices.ts'
import { isOwner, mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'

/** A list, as far as somebody's scripts may know it. */
type Named =
  | { readonly kind: 'senders'; readonly senders: readonly Sender[] }
  | { readonly kind: 'group'; readonly alias: Alias }
  | { readonly kind: 'list'; readonly list: MailingList }
  /** Everybody of ours, and whom the person has welcomed. */
  | { readonly kind: 'book'; readonly welcome: readonly Sender[] }

/** `tag:DOMAIN,DATE:KIND/NAME` (RFC 4151): `list/seminar`, `group/office@campus.example`, `own/NAME`. */
const TAG = /^tag:([^,:@]+),\d{4}(?:-\d{2}){0,2}:(list|group|own)\/(.+)$/is
/** RFC 6134 §2.6 */
const BOOK = /^(?::addrbook:|urn:ietf:params:sieve:addrbook:)default$/i

/**
 * The lists that scripts of an account can ask (RFC 6134), from this node's copy of the directory: groups,
 * mailing lists, the address book, and what the person keeps. Who is in a mailing list is asked by those
 * alone who may see its members.
 */
export function scriptLists(accountId: AccountId, directory: Directory, atMs: number): SieveLists {
  return new ScriptLists(accountId, directory, atMs)
}

class ScriptLists implements SieveLists {
  readonly #accountId: AccountId
  readonly #directory: Directory
  readonly #atMs: number
  /** A script may ask the same of each part of a mail. */
  readonly #named = new Map<string, Named | undefined>()
  readonly #memberships = new Map<string, ReturnType<typeof membershipOf>>()

  constructor(accountId: AccountId, directory: Directory, atMs: number) {
    this.#accountId = accountId
    this.#directory = directory
    this.#atMs = atMs
  }

  has(name: string): boolean {
    return this.#list(name) !== undefined
  }

  holds(name: string, value: string): boolean {
    const named = this.#list(name)
    const parsed = parseAddress(value.trim())
    if (named === undefined || !parsed.ok) return false
    const address = parsed.value
    switch (named.kind) {
      case 'senders':
        return isAmong(address, named.senders)
      case 'group':
        return this.#membership(address).isInGroup(named.alias.from)
      case 'list':
        return this.#membership(address).isIn(named.list.id)
      case 'book':
        return this.#isOurs(address) || isAmong(address, named.welcome)
    }
  }

  /** Mail to a group or mailing list goes to its own address, and by its rules. */
  addresses(name: string): readonly Address[] | undefined {
    const named = this.#list(name)
    switch (named?.kind) {
      case 'senders':
        return named.senders.flatMap((sender) => {
          const parsed = parseAddress(sender)
          return parsed.ok && sender.includes('@') ? [parsed.value] : []
        })
      case 'group':
        return [named.alias.from]
      case 'list':
        return [named.list.address]
      default:
        return undefined
    }
  }

  #membership(address: Address): ReturnType<typeof membershipOf> {
    const key = addressKey(address)
    let membership = this.#memberships.get(key)
    if (membership === undefined) {
      const somebody = this.#accountOf(address) ?? address
      membership = membershipOf(somebody, this.#directory, this.#atMs)
      this.#memberships.set(key, membership)
    }
    return membership
  }

  #accountOf(address: Address): Account | undefined {
    const directory = this.#directory
    return directory.byAddress(address) ?? directory.byFormerAddress(address)?.account
  }

  #isOurs(address: Address): boolean {
    const directory = this.#directory
    const account = this.#accountOf(address)
    if (account !== undefined) return account.deletedAt === undefined
    const named = directory.listByAddress(address)
    return (
      directory.alias(address) !== undefined ||
      (named?.purpose === 'post' && named.list.deletedAt === undefined)
    )
  }

  #list(name: string): Named | undefined {
    if (!this.#named.has(name)) this.#named.set(name, this.#found(name))
    return this.#named.get(name)
  }

  #found(name: string): Named | undefined {
    const directory = this.#directory
    const choices = directory.choices(this.#accountId)
    if (BOOK.test(name)) return { kind: 'book', welcome: choices?.welcome ?? [] }
    const [, domain = '', kind = '', rest = ''] = TAG.exec(name) ?? []
    if (domain === '' || directory.domain(asciiLower(domain)) === undefined) return undefined
    const called = unescaped(rest).normalize('NFC')
    if (asciiLower(kind) === 'own') {
      const lists = [
        ...(choices?.lists ?? []),
        { name: 'welcome', senders: choices?.welcome ?? [] },
        { name: 'blocked', senders: choices?.blocked ?? [] },
      ]
      const own = lists.find((each) => each.name.toLowerCase() === called.toLowerCase())
      return own && { kind: 'senders', senders: own.senders }
    }
    const parsed = parseAddress(called.includes('@') ? called : `${called}@${domain}`)
    if (!parsed.ok) return undefined
    if (asciiLower(kind) === 'group') {
      const alias = directory.alias(parsed.value)
      return alias && { kind: 'group', alias }
    }
    const found = directory.listByAddress(parsed.value)
    const list = found?.purpose === 'post' ? found.list : undefined
    return list !== undefined && this.#maySee(list) ? { kind: 'list', list } : undefined
  }

  #maySee(list: MailingList): boolean {
    const directory = this.#directory
    const account = directory.account(this.#accountId)
    if (account === undefined || list.deletedAt !== undefined) return false
    if (isOwner(list, account.id) || mayModerate(list, account.id, directory.moment.today))
      return true
    return list.roster === 'members' && membershipOf(account, directory, this.#atMs).isIn(list.id)
  }
}

/** In a URI what is not ASCII is escaped; people write it as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function isAmong(address: Address, senders: readonly Sender[]): boolean {
  const key = addressKey(address)
  const domain = key.slice(key.lastIndexOf('@') + 1)
  return senders.some((sender) =>
    sender.includes('@') ? sender === key : domain === sender || domain.endsWith(`.${sender}`),
  )
}
