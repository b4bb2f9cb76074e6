import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '#base/time.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { DirectoryMaps } from '#store/directory/directory-maps.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { PeopleIndex } from './people-index.ts'

/** A directory that tells of its changes, and its index. */
class Home {
  readonly directory: MemoryDirectory
  /** How often all of them were gone through. */
  passes = 0
  fault: Error | undefined
  readonly clock = new FakeClock()
  readonly index: PeopleIndex
  readonly #listeners = new Set<(changes: readonly DirectoryChange[]) => void>()

  constructor(...accounts: readonly Account[]) {
    this.directory = new MemoryDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      ...accounts.map((account) => ({ kind: 'account', account }) as const),
    ])
    this.index = new PeopleIndex(this, this.clock)
    const all = this.directory.accounts.bind(this.directory)
    this.directory.accounts = () => {
      this.passes++
      if (this.fault !== undefined) throw this.fault
      return all()
    }
  }

  /** Time goes by, and the process has its turns in it. */
  async run(ms: number): Promise<void> {
    const step = Math.max(8, ms / 200)
    for (let at = 0; at < ms + 200; at += step) {
      this.clock.advance(step)
      await turn()
    }
  }

  onChange(listener: (changes: readonly DirectoryChange[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  put(account: Account): void {
    this.#take({ key: `account:${account.id}`, row: { kind: 'account', account } })
  }

  remove({ id }: Account): void {
    this.#take({ key: `account:${id}`, row: null })
  }

  replace(...accounts: readonly Account[]): void {
    const maps = new DirectoryMaps()
    for (const account of accounts) maps.put({ kind: 'account', account })
    this.directory.replace(this.directory.seq + 1, maps)
    for (const listener of this.#listeners) listener([])
  }

  #take(change: Omit<DirectoryChange, 'seq'>): void {
    const changes = [{ seq: this.directory.seq + 1, ...change }]
    this.directory.apply(changes)
    for (const listener of this.#listeners) listener(changes)
  }

  /** User names of all whom the words fit. */
  async find(search: string, tag?: string): Promise<string> {
    const { items } = await this.index.page({ search, tag, limit: 1_000 })
    return items.map(({ username }) => username).join(' ')
  }
}

const person = (username: string, more: Partial<Account> = {}): Account => ({
  ...fakeAccount(`${username}@campus.example`),
  ...more,
})

const HANAKO = person('hanako', {
  name: '髙﨑 花子',
  reading: 'たかさき はなこ',
  formerNames: ['渡邉 花子'],
  tags: ['2027入学', '法学部'],
  externalId: 'S-0012',
})
const TARO = person('taro', {
  name: '高崎 太郎',
  reading: 'タカサキ タロウ',
  addresses: [{ localpart: 't.takasaki', domain: 'campus.example' }],
})

describe('people', () => {
  it('are found by words in any order, in any form of their signs', async () => {
    const home = new Home(HANAKO, TARO)
    for (const search of [
      '花子 高崎',
      '髙崎　花子', // a full-width blank
      'はなこ',
      'ﾊﾅｺ ﾀｶｻｷ',
      '渡辺',
      '邊',
      '２０２７入学',
      's-0012',
      'HANAKO@campus',
      '花子',
    ])
      assert.equal(await home.find(search), 'hanako', search)
    assert.equal(await home.find('高崎'), 'hanako taro')
    assert.equal(await home.find('高崎 t.taka'), 'taro')
    assert.equal(await home.find('花子 太郎'), '')
    // Words of two fields are no word.
    assert.equal(await home.find('花子たかさき'), '')
    assert.equal(await home.find('   '), 'hanako taro')
  })

  it('of a tag are those who have it whole', async () => {
    const home = new Home(HANAKO, person('jiro', { tags: ['2027入学予定'] }))
    assert.equal(await home.find('', '2027入学'), 'hanako')
    assert.equal(await home.find('2027'), 'hanako jiro')
    assert.equal(await home.find('jiro', '2027入学'), '')
  })

  it('stand in the order of their addresses, page by page', async () => {
    const all = Array.from({ length: 600 }, (_, n) => person(`p${n}`, { name: '渡 鳥' }))
    const home = new Home(...all.toReversed())
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await home.index.page({ search: '渡', limit: 250, after })
      seen.push(...page.items.map((account) => formatAddress(mainAddressOf(account))))
      after = page.next
    } while (after !== undefined)
    assert.deepEqual(seen, all.map((each) => formatAddress(mainAddressOf(each))).toSorted())
  })

  it('are found as they are now, whatever changes while they are looked for', async () => {
    const home = new Home(HANAKO, ...Array.from({ length: 600 }, (_, n) => person(`p${n}`)))
    const first = home.find('山田')
    home.put({ ...TARO, name: '山田 太郎' }) // while the index is made
    assert.equal(await first, 'taro')
    home.put({ ...HANAKO, name: '山田 花子' })
    assert.equal(await home.find('山田'), 'hanako taro')
    home.put({ ...HANAKO, username: 'zoe', name: '山田 花子' })
    home.remove(TARO)
    assert.equal(await home.find('山田'), 'zoe')
    home.replace({ ...TARO, name: '山田 太郎' })
    assert.equal(await home.find('山田'), 'taro')
    const again = home.find('山田')
    home.replace(HANAKO)
    assert.equal(await again, '')
    assert.equal(await home.find('髙崎'), 'hanako')
  })

  it('are made ready in the background, and kept up while nobody looks', async () => {
    const home = new Home(HANAKO, ...Array.from({ length: 1_500 }, (_, n) => person(`p${n}`)))
    home.index.warm()
    assert.equal(home.passes, 0)
    await home.run(5_000)
    assert.equal(home.passes, 1)
    assert.equal(await home.find('花子'), 'hanako')
    for (let n = 0; n < 900; n++) home.put({ ...person(`p${n}`), name: '山田' })
    home.put({ ...HANAKO, username: 'zoe' })
    await home.run(1_000)
    assert.equal((await home.find('山田')).split(' ').length, 900)
    assert.equal(await home.find('花子'), 'zoe')
    await home.run(60 * 60_000)
    assert.equal(await home.find('花子'), 'zoe')
    assert.equal(home.passes, 1)
  })

  it('nobody waits for the background: who looks while they are made has them at once', async () => {
    const home = new Home(HANAKO, ...Array.from({ length: 1_500 }, (_, n) => person(`p${n}`)))
    home.index.warm()
    home.clock.advance(5_000) // the clock stands still from here on
    await turn()
    assert.equal(home.passes, 1)
    assert.equal(await home.find('花子'), 'hanako')
    assert.equal(home.passes, 1)
  })

  it('a directory that was read anew is followed in the background as well', async () => {
    const home = new Home(HANAKO)
    assert.equal(await home.find(''), 'hanako')
    home.replace(TARO)
    await home.run(1_000)
    assert.equal(home.passes, 2)
    assert.equal(await home.find(''), 'taro')
    assert.equal(home.passes, 2)
  })

  it('that could not be read are sought again by the next who asks', async () => {
    const home = new Home(HANAKO)
    home.fault = new Error('no memory')
    await assert.rejects(home.find('花子'), /no memory/)
    home.fault = undefined
    assert.equal(await home.find('花子'), 'hanako')
    home.index.close()
    assert.equal(home.listeners, 0)
  })
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
