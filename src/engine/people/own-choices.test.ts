import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr } from '#test/fake/directory.ts'
import { choosingPeople } from '#test/fake/own-choices.ts'
import type { ChoosingPeople } from '#test/fake/own-choices.ts'
import { isLike } from './own-address.ts'

const ALIAS: DirectoryRow = {
  kind: 'alias',
  alias: { from: addr('jimu2@campus.example'), to: [addr('taro@campus.example')] },
}

let people: ChoosingPeople
beforeEach(async () => {
  people = await choosingPeople(['hanako', 'taro', 's2027001'], [ALIAS])
})
afterEach(() => people.end())

const end = async (...ask: Parameters<ChoosingPeople['act']>): Promise<string> =>
  (await people.act(...ask)).end
const forwardOf = (username: string) => people.view(username).forward
const lastCode = (): string => people.mails.at(-1)!.code

describe("people's own choices", () => {
  const filters = [
    {
      name: '会議',
      match: 'all' as const,
      conditions: [{ field: 'subject' as const, is: 'contains' as const, value: ' 会議 ' }],
      folder: '会議',
    },
  ]

  it('are kept part by part, in one form, with who has changed them', async () => {
    assert.deepEqual(
      await people.act('hanako', {
        kind: 'set',
        patch: { filters, blocked: ['@Ads.example', 'ads.example', 'X@b.example'] },
      }),
      { end: 'done' },
    )
    const view = people.view('hanako')
    assert.deepEqual(view.blocked, ['ads.example', 'x@b.example'])
    assert.equal(view.filters[0]!.conditions[0]!.value, '会議')
    assert.match(view.script, /fileinto :create "会議";/)
    assert.equal(view.revision, 1)
    const { items } = await people.log.history({ key: 'choices:account-hanako', limit: 1 })
    assert.deepEqual(items[0]!.by, { who: 'hanako', from: 'webmail at store-1' })
    assert.equal(
      await end('hanako', { kind: 'set', patch: { filters: null, blocked: [] } }),
      'done',
    )
    assert.deepEqual([people.view('hanako').filters, people.view('hanako').blocked], [[], []])
    assert.deepEqual(people.view('taro').filters, [])
  })

  it('are not changed by who has seen older ones, nor to what cannot be', async () => {
    assert.equal(await end('hanako', { kind: 'set', revision: 0, patch: { filters } }), 'done')
    assert.equal(await end('hanako', { kind: 'set', revision: 0, patch: { filters: [] } }), 'stale')
    assert.equal(people.view('hanako').filters.length, 1)
    const odd = { kind: 'set' as const, patch: { welcome: ['a b'] } }
    assert.deepEqual(await people.act('hanako', odd), {
      end: 'invalid',
      message: "'a b' is neither an address nor a domain",
    })
    const empty = [{ ...filters[0]!, conditions: [] }]
    assert.equal(await end('hanako', { kind: 'set', patch: { filters: empty } }), 'invalid')
  })

  it('go with the account, and not before it', async () => {
    await people.act('hanako', { kind: 'set', patch: { filters } })
    const by = { who: 'test', from: 'test' }
    const alone = await people.directory.write(
      [{ kind: 'remove', key: 'account:account-hanako' }],
      by,
    )
    assert.equal(alone.ok ? '' : alone.error.message, 'account account-hanako has choices')
  })
})

describe('forwarding by oneself', () => {
  const forward = (to: readonly string[], keep = true) => ({
    kind: 'forward' as const,
    to: [...to],
    keep,
  })

  it('to addresses of ours is at once, to others when the code has come back, once', async () => {
    const to = ['taro@campus.example', '花@else.example']
    assert.equal(await end('hanako', forward(to)), 'done')
    assert.deepEqual(forwardOf('hanako'), { to: ['taro@campus.example'], keep: true })
    const [mail] = people.mails
    assert.equal(mail!.to, '花@else.example')
    assert.match(mail!.text, /From: Postmaster <postmaster@campus\.example>/)
    assert.match(mail!.text, /hanako@campus\.example が、自分宛てのメールを/)
    const [awaited] = people.view('hanako').awaited
    assert.deepEqual([awaited!.address, awaited!.use], ['花@else.example', 'forward'])
    assert.equal(await end('taro', { kind: 'prove', code: lastCode() }), 'wrongCode')
    assert.equal(await end('hanako', { kind: 'prove', code: '0000-0000-0000' }), 'wrongCode')
    const typed = lastCode().toLowerCase().replaceAll('-', ' ')
    assert.equal(await end('hanako', { kind: 'prove', code: typed }), 'done')
    assert.deepEqual(forwardOf('hanako'), { to, keep: true })
    assert.equal(await end('hanako', { kind: 'prove', code: typed }), 'wrongCode')
    assert.deepEqual(people.view('hanako').awaited, [])
    // It is known from now on, and is not written to again.
    await people.act('hanako', forward([]))
    assert.equal(forwardOf('hanako'), null)
    assert.equal(await end('hanako', forward(['花@else.example'], false)), 'done')
    assert.deepEqual(forwardOf('hanako'), { to: ['花@else.example'], keep: false })
    assert.equal(people.mails.length, 1)
  })

  it('keeps codes secret, three days long, and out of what others may read', async () => {
    await people.act('hanako', forward(['h@else.example'], false))
    const row = people.directory.directory.choices('account-hanako' as AccountId)!
    assert.equal(JSON.stringify(row).includes(lastCode().replaceAll('-', '')), false)
    const { items } = await people.log.history({ key: 'choices:account-hanako', limit: 9 })
    assert.equal(JSON.stringify(items).includes(row.awaited![0]!.codeHash), false)
    people.days(4)
    assert.equal(await end('hanako', { kind: 'prove', code: lastCode() }), 'wrongCode')
    assert.deepEqual(people.view('hanako').awaited, [])
    await people.act('hanako', forward(['h@else.example'], false))
    assert.equal(await end('hanako', { kind: 'prove', code: lastCode() }), 'done')
    assert.deepEqual(forwardOf('hanako'), { to: ['h@else.example'], keep: false })
  })

  it('goes no further than the policy, and never in a circle', async () => {
    people.settings = { 'forwarding.policy': 'domain' }
    assert.equal(await end('hanako', forward(['h@else.example'])), 'policy')
    assert.equal(await end('hanako', forward(['taro@campus.example'])), 'done')
    assert.equal(await end('taro', forward(['hanako@campus.example'])), 'loop')
    assert.equal(await end('taro', forward(['jimu2@campus.example'])), 'loop')
    assert.equal(await end('taro', forward(['TARO@campus.example'])), 'loop')
    people.settings = { 'forwarding.policy': 'none' }
    assert.equal(await end('taro', forward(['s2027001@campus.example'])), 'policy')
    // What is set stays until its owner ends it.
    assert.equal(await end('hanako', forward(['taro@campus.example'], false)), 'done')
    assert.equal(await end('hanako', forward([])), 'done')
    assert.equal(people.mails.length, 0)
  })

  it('has no way around the policy by a code of before', async () => {
    await people.act('hanako', forward(['h@else.example']))
    people.settings = { 'forwarding.policy': 'domain' }
    assert.equal(await end('hanako', { kind: 'prove', code: lastCode() }), 'policy')
    assert.equal(forwardOf('hanako'), null)
  })

  it('writes to few strangers a day, and says where no mail can go out now', async () => {
    const many = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => `${name}${i}@else.example`)
    assert.equal(await end('hanako', forward(many(6, 'a'))), 'limit')
    assert.equal(await end('hanako', forward(many(4, 'b'))), 'done')
    assert.equal(await end('hanako', forward(many(1, 'c'))), 'tooOften')
    assert.equal(people.mails.length, 4)
    people.days(2)
    people.fault = new Fault('unavailable', 'no queue')
    assert.equal(await end('hanako', forward(many(1, 'd'))), 'unsent')
    assert.equal(forwardOf('hanako'), null)
  })

  it('sends no code twice where something else is changed meanwhile', async () => {
    const to = ['taro@campus.example', 'h@else.example']
    await people.act('hanako', forward(to))
    await people.act('hanako', forward(to, false))
    await people.act('hanako', forward(['h@else.example'], false))
    assert.equal(people.mails.length, 1)
    assert.equal(people.view('hanako').awaited.length, 1)
    assert.equal(await end('hanako', { kind: 'prove', code: lastCode() }), 'done')
    assert.deepEqual(forwardOf('hanako')!.to, ['h@else.example'])
  })

  it('ends, and so does what is waited for, when its address is taken back', async () => {
    await people.act('hanako', forward(['h@else.example', 'g@else.example']))
    await people.act('hanako', { kind: 'prove', code: people.mails[0]!.code })
    assert.equal(await end('hanako', { kind: 'forget', address: 'H@else.example' }), 'done')
    assert.equal(forwardOf('hanako'), null)
    assert.equal(await end('hanako', { kind: 'forget', address: 'h@else.example' }), 'notFound')
    assert.equal(await end('hanako', { kind: 'forget', address: 'g@else.example' }), 'done')
    assert.equal(await end('hanako', { kind: 'prove', code: people.mails[1]!.code }), 'wrongCode')
  })
})

describe('a contact address elsewhere', () => {
  it('is proved by mail, and is nothing that mail is forwarded to', async () => {
    const ask = { kind: 'ask', use: 'contact', address: 'hana@else.example' } as const
    assert.equal(await end('hanako', { ...ask, address: 'taro@campus.example' }), 'invalid')
    assert.equal(await end('hanako', ask), 'done')
    assert.equal(people.view('hanako').contact, null)
    assert.match(people.mails[0]!.text, /asks to be reached at this address/)
    assert.equal(await end('hanako', { kind: 'prove', code: lastCode() }), 'done')
    assert.equal(people.view('hanako').contact, 'hana@else.example')
    assert.equal(forwardOf('hanako'), null)
    assert.equal(await end('hanako', { kind: 'forget', address: 'hana@else.example' }), 'done')
    assert.equal(people.view('hanako').contact, null)
  })
})

describe("an address of one's own choice", () => {
  const claim = (address: string, instead?: string) =>
    ({ kind: 'address', address, ...(instead !== undefined && { instead }) }) as const
  const addressesOf = (username: string) => people.view(username).address.further

  it('is for those whom the settings name', async () => {
    assert.equal(await end('hanako', claim('hana@campus.example')), 'policy')
    for (const who of ['*', '@campus.example', 'role:user']) {
      people.settings = { 'ownAddress.who': [who] }
      assert.equal(people.view('hanako').address.mayChoose, true, who)
    }
    people.settings = { 'ownAddress.who': ['2027入学', 'role:auditor', '@b.example'] }
    assert.equal(people.view('hanako').address.mayChoose, false)
  })

  it('takes mail at once, and its owner is told of as who he is in the record', async () => {
    people.settings = { 'ownAddress.who': ['*'] }
    assert.equal(await end('hanako', claim('Hana.Yamada@campus.example')), 'done')
    assert.deepEqual(addressesOf('hanako'), ['hana.yamada@campus.example'])
    const found = people.directory.directory.byAddress(addr('hana.yamada@campus.example'))
    assert.equal(found!.username, 'hanako')
    const { items } = await people.log.history({ key: 'account:account-hanako', limit: 1 })
    assert.equal(items[0]!.by.who, 'hanako')
  })

  it('is refused where others have it, had it, or the office keeps it', async () => {
    people.settings = { 'ownAddress.who': ['*'], 'ownAddress.changeDays': 0 }
    const refused: readonly (readonly [string, string])[] = [
      ['taro@campus.example', 'taken'],
      ['jimu2@campus.example', 'taken'],
      ['hanako@campus.example', 'taken'],
      ['postmaster@campus.example', 'reserved'],
      ['post.master@campus.example', 'reserved'],
      ['ad-min@campus.example', 'reserved'],
      ['owner-kyoumu@campus.example', 'reserved'],
      ['seminar-request@campus.example', 'reserved'],
      ['ab@campus.example', 'pattern'],
      ['1abc@campus.example', 'pattern'],
      ['a..bc@campus.example', 'pattern'],
      ['a+b@campus.example', 'pattern'],
      ['はな@campus.example', 'pattern'],
      ['hana@b.example', 'pattern'],
      ['"ha na"@campus.example', 'pattern'],
      ['hana', 'invalid'],
      [`${'a'.repeat(65)}@campus.example`, 'pattern'],
    ]
    for (const [address, why] of refused)
      assert.equal(await end('hanako', claim(address)), why, address)
    // The one of before stays with who had it.
    await people.act('hanako', claim('sora@campus.example'))
    await people.act('hanako', claim('umi@campus.example', 'sora@campus.example'))
    assert.equal(await end('taro', claim('sora@campus.example')), 'taken')
    assert.equal(await end('hanako', claim('sora@campus.example', 'umi@campus.example')), 'done')
    assert.deepEqual(addressesOf('hanako'), ['sora@campus.example'])
  })

  it('changes once in so many days; the one of before takes mail for a while', async () => {
    people.settings = { 'ownAddress.who': ['*'] }
    await people.act('hanako', claim('sora@campus.example'))
    people.days(29)
    const soon = await people.act('hanako', claim('umi@campus.example', 'sora@campus.example'))
    assert.equal(soon.end, 'tooSoon')
    people.days(2)
    assert.equal(await end('hanako', claim('umi@campus.example')), 'limit')
    assert.equal(await end('hanako', claim('umi@campus.example', 'sora@campus.example')), 'done')
    const { address } = people.view('hanako')
    assert.deepEqual(address.further, ['umi@campus.example'])
    assert.deepEqual(
      address.chosen.map((each) => each.address),
      ['umi@campus.example'],
    )
    assert.deepEqual(
      address.former.map((each) => each.address),
      ['sora@campus.example'],
    )
    assert.equal(people.directory.directory.byLogin('sora@campus.example')!.username, 'hanako')
    people.days(181)
    assert.equal(people.directory.directory.byLogin('sora@campus.example'), undefined)
    assert.equal(
      await end('hanako', { kind: 'dropAddress', address: 'umi@campus.example' }),
      'done',
    )
    assert.deepEqual(addressesOf('hanako'), [])
    assert.equal(
      await end('hanako', { kind: 'dropAddress', address: 'umi@campus.example' }),
      'notFound',
    )
  })

  it('is of one of two who claim it at once; the other is told', async () => {
    people.settings = { 'ownAddress.who': ['*'] }
    const ends = await Promise.all(
      ['hanako', 'taro', 's2027001'].map((each) => end(each, claim('sora@campus.example'))),
    )
    assert.deepEqual(ends.toSorted(), ['done', 'taken', 'taken'])
  })

  it('is like one of the patterns, where there are such', async () => {
    people.settings = { 'ownAddress.who': ['*'], 'ownAddress.patterns': ['*.*', 's####'] }
    assert.equal(await end('hanako', claim('yamada@campus.example')), 'pattern')
    assert.equal(await end('hanako', claim('s12@campus.example')), 'pattern')
    assert.equal(await end('hanako', claim('s1234@campus.example')), 'done')
    assert.equal(await end('taro', claim('t.suzuki@campus.example')), 'done')
  })

  it('keeps but so many names from everybody else', async () => {
    people.settings = { 'ownAddress.who': ['*'], 'ownAddress.changeDays': 0 }
    let before: string | undefined
    for (let i = 0; i < 51; i++) {
      const address = `sora${i}@campus.example`
      assert.equal(await end('hanako', claim(address, before)), 'done', address)
      before = address
    }
    assert.equal(await end('hanako', claim('umi@campus.example', before)), 'limit')
    assert.equal(formatAddress(addr(before!)), before)
  })
})

describe('a pattern of an address', () => {
  it('is * for anything, ? for a character, # for a digit, in bounded time', () => {
    assert.ok(isLike('abc', ['a*']))
    assert.ok(isLike('abc', ['*c']))
    assert.ok(isLike('a1', ['a#']))
    assert.ok(!isLike('ab', ['a#']))
    assert.ok(isLike('', ['*']))
    assert.ok(!isLike('', ['?']))
    assert.ok(!isLike('a'.repeat(64), [`${'*a'.repeat(30)}b`]))
  })
})
