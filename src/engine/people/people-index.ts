import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { withoutVariants } from '#model/name-variants.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import { PeopleBlocks } from './people-blocks.ts'
import type { BlockEntry } from './people-blocks.ts'

/** Nobody has looked for so long: what it takes is given back. */
const QUIET_MS = 10 * MINUTE_MS
/** Made, and looked at, in one go: a millisecond or two, while everybody else of this process waits. */
const MADE_AT_ONCE = 250
const BLOCKS_AT_ONCE = 32

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

/**
 * All people in the order of their addresses with what they are found by, in the memory of whoever
 * shows them: made when somebody looks first, kept up by what changes, forgotten when nobody looks.
 */
export class PeopleIndex {
  readonly #master: Pick<DirectoryMaster, 'directory' | 'onChange'>
  readonly #clock: Clock
  /** Under which key each of them stands. */
  #keys = new Map<AccountId, string>()
  #blocks = new PeopleBlocks()
  readonly #changed = new Set<AccountId>()
  #making: Promise<void> | undefined
  #unsubscribe: () => void = () => undefined
  #cancel: () => void = () => undefined

  constructor(master: Pick<DirectoryMaster, 'directory' | 'onChange'>, clock: Clock) {
    this.#master = master
    this.#clock = clock
  }

  /** People whom every word fits, in the order of their addresses. */
  async page(ask: PeopleAsk): Promise<{ items: Account[]; next?: string }> {
    const { search = '', tag, isDeleted = false, holds = () => true, limit, after } = ask
    await this.#ready()
    const { directory } = this.#master
    const words = wordsOf(tag === undefined ? search : `${search} ${tag}`)
    const items: Account[] = []
    let last: string | undefined
    let blocks = 0
    for (const found of this.#blocks.find(words, after)) {
      if (found === undefined) {
        if (++blocks % BLOCKS_AT_ONCE === 0) await turn()
        continue
      }
      const account = directory.account(found.id)
      if (account === undefined || (tag !== undefined && account.tags?.includes(tag) !== true))
        continue
      if ((account.deletedAt !== undefined) !== isDeleted || !holds(account)) continue
      if (items.length === limit) return { items, ...(last !== undefined && { next: last }) }
      items.push(account)
      last = found.key
    }
    return { items }
  }

  /** Gives back what it has. */
  close(): void {
    this.#unsubscribe()
    this.#cancel()
    this.#making = undefined
    this.#keys = new Map()
    this.#blocks = new PeopleBlocks()
    this.#changed.clear()
  }

  async #ready(): Promise<void> {
    this.#cancel()
    this.#cancel = this.#clock.after(QUIET_MS, () => this.close())
    for (;;) {
      const making = (this.#making ??= this.#make())
      try {
        await making
      } catch (thrown) {
        if (this.#making === making) this.close()
        throw thrown
      }
      // Forgotten meanwhile, since the directory was read anew.
      if (this.#making === making) break
    }
    this.#follow()
  }

  async #make(): Promise<void> {
    this.#unsubscribe = this.#master.onChange((changes) => {
      // Read anew as a whole: so is this.
      if (changes.length === 0) this.close()
      for (const { key } of changes)
        if (key.startsWith('account:')) this.#changed.add(key.slice('account:'.length) as AccountId)
    })
    const keys = this.#keys
    const entries: BlockEntry[] = []
    let some: Account[] = []
    const take = (): void => {
      for (const entry of entriesOf(some)) {
        entries.push(entry)
        keys.set(entry.id, entry.key)
      }
      some = []
    }
    for (const account of this.#master.directory.accounts()) {
      some.push(account)
      if (some.length < MADE_AT_ONCE) continue
      take()
      await turn()
    }
    take()
    // Sorted in one go: a tenth of a second, once.
    if (keys === this.#keys) this.#blocks = PeopleBlocks.of(entries)
  }

  /** Takes up what has changed: one pass, however much that was. */
  #follow(): void {
    if (this.#changed.size === 0) return
    const { directory } = this.#master
    const gone = new Set<string>()
    const accounts: Account[] = []
    for (const id of this.#changed) {
      const before = this.#keys.get(id)
      if (before !== undefined) gone.add(before)
      this.#keys.delete(id)
      const account = directory.account(id)
      if (account !== undefined) accounts.push(account)
    }
    const fresh = entriesOf(accounts)
    for (const { id, key } of fresh) this.#keys.set(id, key)
    this.#changed.clear()
    this.#blocks = this.#blocks.changed(gone, fresh)
  }
}

/** The words that are searched for, each as it stands in what people are found by. */
const wordsOf = (search: string): readonly string[] => [
  ...new Set(search.split(/\s+/u).map(folded).filter(Boolean)),
]

/** Without the blanks at its edges: none is searched for. */
const folded = (text: string): string => withoutVariants(foldText(text)).trim()

/** Between names, so that no word is found over two of them; and between people. */
const BETWEEN = '\ue000'
const NEXT = '\ue001'

/** What people are found by, folded together: one by one takes twice as long. */
function entriesOf(accounts: readonly Account[]): BlockEntry[] {
  const texts = folded(accounts.map(textOf).join(NEXT)).split(NEXT)
  // Somebody's name has that sign in it.
  const isApart = texts.length === accounts.length
  return accounts.map((account, at) => ({
    id: account.id,
    key: keyOf(account),
    text: isApart ? texts[at]! : folded(textOf(account)),
  }))
}

const keyOf = (account: Account): string => formatAddress(mainAddressOf(account))

function textOf(account: Account): string {
  const { name = '', reading = '', formerNames = [], tags = [], externalId = '' } = account
  const addresses = account.addresses.map(formatAddress)
  return [keyOf(account), ...addresses, externalId, name, reading, ...formerNames, ...tags].join(
    BETWEEN,
  )
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
