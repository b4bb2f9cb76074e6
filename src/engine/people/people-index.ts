import type { Clock } from '#base/time.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { withoutVariants } from '#model/name-variants.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { Directory } from '#store/directory/directory.ts'
import { foldedTogether } from './folded-texts.ts'
import type { TextEntry } from './text-blocks.ts'
import { TextIndex } from './text-index.ts'

/** Looked at in one go: a millisecond or two, while everybody else of this process waits. */
const BLOCKS_AT_ONCE = 32
/** Where each row of a block is found. */
const WHOLE_BLOCKS_AT_ONCE = 4

/** Who is asked for; each word is in the name, the reading, a former name, a tag, an address or the external id. */
export interface PeopleAsk {
  readonly search?: string | undefined
  readonly tag?: string | undefined
  /** Those who were deleted and can be had back, and nobody else; else nobody of them. */
  readonly isDeleted?: boolean
  /** Asked of those alone whom the words fit. */
  readonly holds?: (account: Account) => boolean
  readonly limit: number
  /** The main address of the last one of the page before. */
  readonly after?: string | undefined
}

/** Somebody whom words fit. */
export interface FoundPerson {
  readonly id: AccountId
  readonly address: string
}

/** All people in the order of their addresses with what they are found by, in the memory of whoever shows them. */
export class PeopleIndex {
  readonly #directory: Pick<Directory, 'account'>
  readonly #index: TextIndex<Account>
  readonly #unsubscribe: () => void
  /** Who was deleted and can be had back, as the index is. */
  readonly #deleted = new Set<AccountId>()

  constructor(master: Pick<DirectoryMaster, 'directory' | 'onChange'>, clock: Clock) {
    const { directory } = master
    this.#directory = directory
    this.#index = new TextIndex<Account>(
      {
        all: () => directory.accounts(),
        row: (id) => directory.account(id as AccountId),
        entriesOf: (accounts) => {
          for (const { id, deletedAt } of accounts)
            if (deletedAt === undefined) this.#deleted.delete(id)
            else this.#deleted.add(id)
          return entriesOf(accounts)
        },
      },
      clock,
    )
    this.#unsubscribe = master.onChange((changes) => {
      // Read anew as a whole: so is this.
      if (changes.length === 0) this.#index.changed('all')
      else this.#index.changed(changes.flatMap(({ key }) => accountIn(key)))
    })
  }

  /** Makes it soon, in the background. */
  warm(): void {
    this.#index.warm()
  }

  /** People whom every word fits, in the order of their addresses. */
  async page(ask: PeopleAsk): Promise<{ items: Account[]; next?: string }> {
    const { tag, isDeleted = false, holds = () => true, limit, after } = ask
    const people = await this.#index.ready()
    const items: Account[] = []
    let last: string | undefined
    let blocks = 0
    for (const found of people.find({ words: wordsOf(ask), after })) {
      if (found === undefined) {
        if (++blocks % BLOCKS_AT_ONCE === 0) await turn()
        continue
      }
      const account = this.#directory.account(found.id as AccountId)
      if (account === undefined || (tag !== undefined && account.tags?.includes(tag) !== true))
        continue
      if ((account.deletedAt !== undefined) !== isDeleted || !holds(account)) continue
      if (items.length === limit) return { items, ...(last !== undefined && { next: last }) }
      items.push(account)
      last = found.key
    }
    return { items }
  }

  /** All whom every word fits, in the order of their addresses: no row of theirs is read but for a tag. */
  async whole(ask: Pick<PeopleAsk, 'search' | 'tag' | 'isDeleted'>): Promise<FoundPerson[]> {
    const { tag, isDeleted = false } = ask
    const people = await this.#index.ready()
    const all: FoundPerson[] = []
    let blocks = 0
    for (const found of people.find({ words: wordsOf(ask) })) {
      if (found === undefined) {
        if (++blocks % WHOLE_BLOCKS_AT_ONCE === 0) await turn()
        continue
      }
      const id = found.id as AccountId
      if (this.#deleted.has(id) !== isDeleted) continue
      if (tag === undefined || this.#directory.account(id)?.tags?.includes(tag) === true)
        all.push({ id, address: found.key })
    }
    return all
  }

  /** Gives back what it has. */
  close(): void {
    this.#unsubscribe()
    this.#index.close()
  }
}

const ACCOUNT = 'account:'
const accountIn = (key: string): string[] =>
  key.startsWith(ACCOUNT) ? [key.slice(ACCOUNT.length)] : []

/** The words that are searched for, each as it stands in what people are found by. */
const wordsOf = ({ search = '', tag = '' }: Pick<PeopleAsk, 'search' | 'tag'>): string[] => [
  ...new Set(
    `${search} ${tag}`
      .split(/\s+/u)
      .map((word) => folded(word).trim())
      .filter(Boolean),
  ),
]

const folded = (text: string): string => withoutVariants(foldText(text))

function entriesOf(accounts: readonly Account[]): TextEntry[] {
  const texts = foldedTogether(accounts.map(textsOf), folded)
  return accounts.map((account, at) => ({
    id: account.id,
    key: keyOf(account),
    text: texts[at]!,
  }))
}

const keyOf = (account: Account): string => formatAddress(mainAddressOf(account))

function textsOf(account: Account): string[] {
  const { name = '', reading = '', formerNames = [], tags = [], externalId = '' } = account
  const addresses = account.addresses.map(formatAddress)
  return [keyOf(account), ...addresses, externalId, name, reading, ...formerNames, ...tags]
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
