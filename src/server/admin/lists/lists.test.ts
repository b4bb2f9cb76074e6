import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { adminApi, tokenOf } from '#test/fake/admin-api.ts'
import type { AdminApi, Answer } from '#test/fake/admin-api.ts'

const PASSWORD = 'パスワード&1'
const D = 'campus.example'
const PEOPLE = [
  ['hanako', '渡辺 花子'],
  ['taro', '髙橋太郎'],
  ['taro2', '高橋 太郎'],
  ['jiro', 'Jirō Suzuki'],
  ['saburo', '佐藤三郎'],
] as const

let api: AdminApi
let made = 0

/** A list of its own for each test. */
async function newList(body: object = {}): Promise<string> {
  const address = `list${++made}@${D}`
  const answer = await api.ask('POST', '/lists', { address, ...body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return `/lists/${address}`
}

const outcomes = ({ body }: Answer): readonly string[] =>
  body.rows.map((row: { text: string; outcome: string }) => `${row.text} ${row.outcome}`)
const members = async (list: string, query = ''): Promise<readonly string[]> => {
  const { status, body } = await api.ask('GET', `${list}/members${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.items.map((row: { address?: string; as: string; delivery: string }) =>
    [
      row.address?.replace(`@${D}`, ''),
      row.as === 'excluded' ? '-' : '',
      row.delivery === 'each' ? '' : row.delivery,
    ]
      .filter(Boolean)
      .join(' '),
  )
}
/** The headers of a page of lists. */
async function pageOf(username: string): Promise<Readonly<Record<string, string>>> {
  const answer = await api.ask('POST', '/session', { username, password: PASSWORD, for: 'lists' })
  assert.equal(answer.status, 201)
  const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!
  return { cookie, 'x-csrf-token': answer.body.csrfToken as string, 'watari-session': 'lists' }
}

before(async () => {
  api = await adminApi()
  await api.ask('PATCH', '/settings', { values: { 'account.timeZone': 'Asia/Tokyo' } })
  await api.ask('POST', '/domains', { name: D })
  for (const [address, name] of PEOPLE)
    assert.equal(
      (await api.ask('POST', '/users', { address, name, password: PASSWORD })).status,
      201,
    )
  await api.ask('POST', '/aliases', { from: 'staff', to: [`taro@${D}`, `jiro@${D}`] })
})
after(() => api.end())

describe('a list by the API', () => {
  test('is made, found, changed by who has seen it, deleted and had back', async () => {
    const list = await newList({
      owners: ['hanako'],
      moderators: [{ user: 'taro', until: '2027-03-31' }],
      name: '情報工学ゼミ',
      subjectTag: '[ゼミ:%n]',
    })
    const { body } = await api.ask('GET', list)
    assert.deepEqual(body.owners[0].name, '渡辺 花子')
    assert.deepEqual(
      [body.posting, body.others, body.members, body.moderators[0].until],
      ['members', 'hold', 0, '2027-03-31'],
    )
    const found = await api.ask('GET', `/lists?search=${encodeURIComponent('情報工学')}`)
    assert.deepEqual(
      found.body.items.map(({ id }: { id: string }) => id),
      [body.id],
    )
    const seen = { 'if-match': `"${body.version}"` }
    const change = { posting: 'announce', subjectTag: null, sizeMaxBytes: 1_000_000 }
    const after = await api.ask('PATCH', list, change, seen)
    assert.deepEqual(
      [after.status, after.body.posting, after.body.subjectTag, after.body.sizeMaxBytes],
      [200, 'announce', undefined, 1_000_000],
    )
    const late = await api.ask('PATCH', list, { posting: 'anyone' }, seen)
    assert.deepEqual([late.status, late.body.error.code], [409, 'conflict'])
    const wrong = await api.ask('PATCH', list, { name: 'a\r\nBcc: b@else.example' })
    assert.equal(wrong.status, 400)
    assert.equal((await api.ask('DELETE', list)).status, 200)
    assert.equal((await api.ask('GET', list)).status, 404)
    const again = await api.ask('POST', '/lists', { address: list.slice('/lists/'.length) })
    assert.match(again.body.error.remedy, /watari list undelete/)
    assert.equal((await api.ask('GET', '/lists?deleted=true')).body.items.length, 1)
    const back = await api.ask('POST', `${list}/restore`)
    assert.deepEqual([back.status, back.body.posting], [200, 'announce'])
    assert.equal((await api.ask('DELETE', `${list}?forGood=true`)).status, 200)
    assert.equal((await api.ask('GET', '/lists?deleted=true')).body.items.length, 0)
    const { body: history } = await api.ask('GET', `/directory/history?key=list:${body.id}`)
    assert.deepEqual(
      history.items.map(({ who, after: row }: { who: string; after: object | null }) => [
        who,
        row === null,
      ]),
      [['admin', true], ...Array.from({ length: 4 }, () => ['admin', false])],
    )
  })

  test('its address is nobody else’s, nor is that of its owners', async () => {
    const address = (await newList()).slice('/lists/'.length)
    for (const taken of [address, address.replace('@', '-owner@')]) {
      const answer = await api.ask('POST', '/users', { address: taken, password: PASSWORD })
      assert.deepEqual([answer.status, answer.body.error.code], [409, 'conflict'], taken)
    }
    const explained = await api.ask('POST', '/lists', { address: 'staff' })
    assert.equal(explained.status, 409)
  })
})

describe('members by the API', () => {
  test('pasted text is shown first, and then adds who is meant; the rest is told', async () => {
    const list = await newList()
    const text = `花子\t渡邊花子\t総務\nＪＩＲＯ\n高橋太郎\n誰か\nstaff, 田中 <Tanaka@Else.example>`
    const preview = await api.ask('POST', `${list}/members`, { text, preview: true })
    assert.deepEqual(outcomes(preview), [
      '渡邊花子 added',
      'ＪＩＲＯ added',
      '高橋太郎 unclear',
      '誰か unknown',
      'staff added',
      '田中 <Tanaka@Else.example> added',
    ])
    assert.deepEqual(
      preview.body.rows[2].candidates.map(({ name }: { name: string }) => name).toSorted(),
      ['髙橋太郎', '高橋 太郎'].toSorted(),
    )
    assert.equal(preview.body.undo, undefined)
    assert.deepEqual(await members(list), [])
    const added = await api.ask('POST', `${list}/members`, { text })
    assert.deepEqual(outcomes(added), outcomes(preview))
    assert.deepEqual(await members(list), ['Tanaka@else.example', 'hanako', 'jiro', 'staff'])
    assert.deepEqual(outcomes(await api.ask('POST', `${list}/members`, { who: ['jiro'] })), [
      'jiro same',
    ])
    assert.deepEqual(await members(list, `?search=${encodeURIComponent('ワタナベ')}`), [])
    assert.deepEqual(await members(list, `?search=${encodeURIComponent('渡邉')}`), ['hanako'])
  })

  test('who gets a post is shown, with those who do not and why', async () => {
    const list = await newList()
    await api.ask('POST', '/users', { address: 'shiro', password: PASSWORD })
    await api.ask('POST', `${list}/members`, { who: ['staff', 'hanako', 'shiro'] })
    await api.ask('PATCH', '/users/shiro', { disabled: true })
    await api.ask('POST', `${list}/members`, { who: ['taro'], exclude: true })
    assert.deepEqual(await members(list), ['hanako', 'shiro', 'staff', 'taro -'])
    const { body } = await api.ask('GET', `${list}/recipients`)
    assert.deepEqual(
      body.items.map(({ address }: { address: string }) => address),
      [`hanako@${D}`, `jiro@${D}`],
    )
    assert.deepEqual(
      [body.total, body.unresolved[0].why, body.unresolved[0].member.address],
      [2, 'suspended', `shiro@${D}`],
    )
    const jiro = await api.ask('GET', '/users/jiro/lists')
    const own = jiro.body.items.find(({ address }: { address: string }) => list.endsWith(address))
    assert.deepEqual([own.as, own.delivery], [['member'], undefined])
    await api.ask('DELETE', '/users/shiro?forGood=true')
  })

  test('who was in on a day is told from the rows, also of who was taken out and came back', async () => {
    const list = await newList()
    const today = () => new Date(api.clock.nowMs() + 9 * 60 * 60 * 1_000).toISOString().slice(0, 10)
    const [first, from] = [today(), api.clock.nowMs()]
    await api.ask('POST', `${list}/members`, { who: ['jiro', 'hanako'], until: null })
    api.clock.advance(3 * DAY_MS)
    const removed = await api.ask('POST', `${list}/members/remove`, { members: ['jiro'] })
    assert.equal(removed.body.changed, 1)
    api.clock.advance(3 * DAY_MS)
    const between = new Date(from + 4 * DAY_MS).toISOString().slice(0, 10)
    const last = today()
    await api.ask('POST', `${list}/members`, { who: ['jiro'], until: last, delivery: 'digest' })
    assert.deepEqual(await members(list), ['hanako', 'jiro digest'])
    assert.deepEqual(await members(list, `?on=${first}`), ['hanako', 'jiro digest'])
    assert.deepEqual(await members(list, `?on=${between}`), ['hanako'])
    assert.deepEqual(await members(list, `?on=${new Date(from - 1).toISOString()}`), [])
    api.clock.advance(2 * DAY_MS)
    assert.deepEqual(await members(list), ['hanako'], 'his last day is over')
    const { body } = await api.ask('GET', `${list}/history`)
    assert.deepEqual(
      body.items.map(({ key, who }: { key: string; who: string }) => [key.split(':').at(-2), who]),
      Array.from({ length: 4 }, () => ['account', 'admin']),
    )
    // What an upkeep by `list.historyDays` has left: of earlier days it says that it may not know all.
    const id = (await api.ask('GET', list)).body.id
    const row = api.directory.directory.list(id)!
    const historyFrom = new Date(from + DAY_MS).toISOString()
    await api.directory.write(
      [{ kind: 'put', row: { kind: 'list', list: { ...row, historyFrom } } }],
      {
        who: 'watari',
        from: 'test',
      },
    )
    assert.equal((await api.ask('GET', list)).body.historyFrom, historyFrom)
    const knownFrom = async (query: string) =>
      (await api.ask('GET', `${list}/members?${query}`)).body.knownFrom
    assert.equal(await knownFrom(`on=${first}`), historyFrom)
    assert.equal(await knownFrom(`on=${first}&from=0`), historyFrom)
    assert.equal(await knownFrom(`on=${between}`), undefined)
    assert.equal(await knownFrom(''), undefined)
    const bad = await api.ask('GET', `${list}/members?on=2027-02-30`)
    assert.equal(bad.status, 400)
  })

  test('a change is taken back by its token, and that in turn, as long as nobody changed it since', async () => {
    const list = await newList()
    const added = await api.ask('POST', `${list}/members`, { who: ['jiro', 'hanako'] })
    const undo = (token: string) => api.ask('POST', `${list}/undo`, { undo: token })
    const out = await undo(added.body.undo)
    assert.equal(out.status, 200)
    assert.deepEqual(await members(list), [])
    assert.equal((await undo(out.body.undo)).status, 200)
    assert.deepEqual(await members(list), ['hanako', 'jiro'])
    const changed = await api.ask('POST', `${list}/members/change`, {
      members: ['jiro', 'hanako'],
      delivery: 'none',
    })
    await api.ask('POST', `${list}/members/change`, { members: ['jiro'], delivery: 'digest' })
    const late = await undo(changed.body.undo)
    assert.deepEqual([late.status, late.body.error.code], [409, 'conflict'])
    assert.match(late.body.error.message, /admin has changed/)
    assert.deepEqual(await members(list), ['hanako none', 'jiro digest'])
    const other = await newList()
    const theirs = await api.ask('POST', `${other}/undo`, { undo: changed.body.undo })
    assert.equal(theirs.status, 404)
    for (const token of ['', '1-0', '5-5', 'x', '1-999999'])
      assert.equal((await undo(token)).status, 404, token)
  })

  test('a window anywhere in a list is given by its place, as it is now, with the length of all', async () => {
    const list = await newList()
    const who = Array.from({ length: 7 }, (_, n) => `p${n}@else.example`)
    await api.ask('POST', `${list}/members`, { who })
    const at = async (path: string) => {
      const { status, body } = await api.ask('GET', `${list}/${path}`)
      assert.equal(status, 200, JSON.stringify(body))
      const items = body.items as { address: string }[]
      return [body.total, ...items.map(({ address }) => address.split('@')[0])]
    }
    for (const path of ['members', 'recipients']) {
      assert.deepEqual(await at(`${path}?from=5&limit=100`), [7, 'p5', 'p6'])
      assert.deepEqual(await at(`${path}?from=0&limit=2`), [7, 'p0', 'p1'])
      assert.deepEqual(await at(`${path}?from=7`), [7])
    }
    assert.deepEqual(await at('members?from=0&search=p3'), [1, 'p3'])
    assert.deepEqual(await at('members?from=0&as=excluded'), [0])
    await api.ask('POST', `${list}/members/remove`, { members: ['p0@else.example'] })
    for (const path of ['members', 'recipients'])
      assert.deepEqual(await at(`${path}?from=5`), [6, 'p6'])
    assert.equal((await api.ask('GET', `${list}/members?from=-1`)).status, 400)
  })

  test('a filter is looked at before it is a member; what is wrong with it has a code', async () => {
    const list = await newList({ owners: ['hanako'] })
    const owner = await pageOf('hanako')
    const look = async (body: object) => {
      const answer = await api.ask('POST', `${list}/filters/look`, body, owner)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      const { total, items, fault } = answer.body
      return [total, items.map(({ name }: { name: string }) => name), fault?.code, fault?.at]
    }
    assert.deepEqual(await look({ filter: '(uid=jiro)' }), [
      1,
      ['Jirō Suzuki'],
      undefined,
      undefined,
    ])
    assert.deepEqual(await look({ filter: '(uid=jiro' }), [0, [], 'syntax', 10])
    const { body } = await api.ask('GET', `${list}/filters/sources`, undefined, owner)
    assert.deepEqual(body, { items: [] })
    const stranger = await pageOf('saburo')
    const refused = await api.ask('POST', `${list}/filters/look`, { filter: '(uid=*)' }, stranger)
    assert.equal(refused.status, 403)
  })

  test('a name that is unclear, or of nobody who is in, changes nothing', async () => {
    const list = await newList()
    await api.ask('POST', `${list}/members`, { who: ['taro', 'hanako', 'x@else.example'] })
    for (const [name, status] of [
      ['高橋太郎', 409],
      ['jiro', 404],
    ] as const) {
      const answer = await api.ask('POST', `${list}/members/remove`, { members: ['hanako', name] })
      assert.equal(answer.status, status, name)
    }
    const removed = await api.ask('POST', `${list}/members/remove`, {
      members: [
        '渡辺花子',
        'X@else.example',
        `account:${api.directory.directory.byLogin('taro')!.id}`,
      ],
    })
    assert.equal(removed.body.changed, 3)
    assert.deepEqual(await members(list), [])
  })

  test('3,000 are added in one request, in steps, and taken back in one', async () => {
    const list = await newList()
    const who = Array.from({ length: 3_000 }, (_, i) => `会員${i}@else.example`)
    const added = await api.ask('POST', `${list}/members`, { text: who.join('\n') })
    assert.equal(added.body.undo.split(' ').length, 3)
    const all = await api.ask('GET', `${list}/members?limit=10000`)
    assert.equal(all.body.items.length, 3_000)
    assert.equal((await api.ask('POST', `${list}/undo`, { undo: added.body.undo })).status, 200)
    assert.deepEqual(await members(list), [])
  })

  test('a table for spreadsheets holds all of them', async () => {
    const list = await newList()
    await api.ask('POST', `${list}/members`, { who: ['hanako', '=cmd@else.example'] })
    const { body, headers } = await api.ask('GET', `${list}/members.csv`)
    assert.match(headers.get('content-type') ?? '', /text\/csv/)
    assert.match(body as string, /hanako@campus\.example,渡辺 花子,member,each/)
    assert.match(body as string, /'=cmd@else\.example/)
  })

  test('come from a file of a spreadsheet as it writes it, looked at first', async () => {
    const list = await newList()
    const text = [
      '氏名,メールアドレス,配送,期限,備考',
      '"渡辺, 花子",hanako@campus.example,まとめ送り,2027/3/31,"二行\nの備考"',
      'だれか,nobody@campus.example,,,',
      '佐藤三郎,,,,',
      '高橋太郎,,,,',
      '"Smith, John",john@else.example,each,31.3.,',
      '鈴木,jiro@campus.example,,,',
      '高橋太郎,guest@else.example,,,',
      '',
    ].join('\r\n')
    // Python 3: '氏名,メールアドレス … 髙橋,taro2@campus.example'.encode('cp932').
    const cp932 = Buffer.from(
      '8e8196bc2c8381815b838b83418368838c83580d0a8db293a18e4f98592c0d0aeee08bb42c7461726f324063616d7075732e6578616d706c650d0a',
      'hex',
    )
    const send = (octets: Uint8Array, query = '') =>
      api.ask('POST', `${list}/members/import${query}`, octets)
    const look = await send(Buffer.from(text), '?preview=true')
    assert.equal(look.status, 200, JSON.stringify(look.body))
    assert.deepEqual(await members(list), [])
    const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')])
    const utf16be = Buffer.from(utf16)
    for (const octets of [Buffer.from(`\ufeff${text}`), utf16, utf16be.swap16()])
      assert.deepEqual((await send(octets, '?preview=true')).body.rows, look.body.rows)
    const told = look.body.rows.map(
      (row: { line: number; text: string; outcome: string; note?: string }) =>
        [row.line, row.text, row.outcome, row.note ?? ''].join('|'),
    )
    assert.deepEqual(
      look.body.rows.flatMap(({ why }: { why?: string }) => why ?? []),
      ['notUnderstood', 'noAddress', 'several'],
    )
    assert.deepEqual(told, [
      '7|Smith, John <john@else.example>|refused|31.3. is not understood',
      '2|渡辺, 花子 <hanako@campus.example>|added|',
      '4|だれか <nobody@campus.example>|unknown|nobody has this address',
      '5|佐藤三郎|added|',
      '6|高橋太郎|unclear|several are called so',
      '8|鈴木 <jiro@campus.example>|added|',
      '9|高橋太郎 <guest@else.example>|added|',
    ])
    const added = await send(Buffer.from(text))
    assert.deepEqual(await members(list), ['guest@else.example', 'hanako digest', 'jiro', 'saburo'])
    const [guest, hanako] = (await api.ask('GET', `${list}/members`)).body.items
    assert.equal(guest.name, '高橋太郎')
    assert.equal(hanako.until, '2027-03-31T15:00:00.000Z')
    assert.equal((await api.ask('POST', `${list}/undo`, { undo: added.body.undo })).status, 200)
    assert.deepEqual(await members(list), [])
    const old = await send(cp932)
    assert.deepEqual(outcomes(old), ['佐藤三郎 added', '髙橋 <taro2@campus.example> added'])
  })

  test('come again from what was saved of them, as they were', async () => {
    const list = await newList()
    await api.ask('POST', `${list}/members`, { who: ['hanako', 'staff'], until: '2027-03-31' })
    await api.ask('POST', `${list}/members`, { who: ['jiro'], exclude: true })
    const { body } = await api.ask('GET', `${list}/members.csv`)
    const file = Buffer.from(`\ufeff${(body as string).replace(/^\ufeff/, '')}`)
    const again = await api.ask('POST', `${list}/members/import`, file)
    assert.deepEqual(
      outcomes(again).map((each) => each.split(' ').at(-1)),
      ['same', 'same', 'same'],
    )
    const other = await newList()
    await api.ask('POST', `${other}/members/import`, file)
    assert.deepEqual(await members(other), await members(list))
  })

  test('come from no file that is too large, too long, or none of a table', async () => {
    const list = await newList()
    const send = async (octets: Uint8Array) => {
      const { status, body } = await api.ask('POST', `${list}/members/import`, octets)
      return [status, body.error.message, body.error.remedy].join('|')
    }
    assert.match(
      await send(Buffer.from('PK\u0003\u0004 and so on', 'latin1')),
      /^400\|this is a workbook.*Save the sheet as CSV/,
    )
    assert.match(await send(Buffer.alloc(8 * 1024 * 1024 + 1, 97)), /larger than 8388608.*Part it/)
    assert.match(await send(Buffer.from('a\n'.repeat(20_001))), /20001 rows.*several files/)
    const none = await api.ask('POST', `${list}/members/import`, {})
    assert.equal(none.status, 400)
  })
})

describe('an owner without any role', () => {
  test('manages the own lists from a page, and nothing else; a moderator only looks', async () => {
    const list = await newList({ owners: ['hanako'], moderators: [{ user: 'taro' }] })
    const other = await newList({ owners: ['taro'] })
    const owner = await pageOf('hanako')
    const status = async (method: string, path: string, body?: object, headers = owner) =>
      (await api.ask(method, path, body, headers)).status
    assert.equal(await status('GET', list), 200)
    assert.equal(await status('POST', `${list}/members`, { who: ['jiro', '佐藤三郎'] }), 200)
    assert.equal(
      await status('PATCH', list, { posting: 'moderated', owners: ['hanako', 'jiro'] }),
      200,
    )
    assert.equal(await status('PATCH', list, { senders: ['saburo', 'hanako'] }), 200)
    assert.deepEqual(
      (await api.ask('GET', list)).body.senders.map((each: { name: string }) => each.name),
      ['佐藤三郎', '渡辺 花子'],
    )
    assert.equal(await status('PATCH', list, { senders: ['saburo', 'saburo'] }), 400)
    assert.equal(await status('PATCH', list, { senders: ['だれか'] }), 404)
    assert.equal(await status('GET', `${list}/recipients`), 200)
    assert.deepEqual(await members(list), ['jiro', 'saburo'])
    assert.equal(await status('PATCH', list, { address: `other@${D}` }), 403)
    assert.equal(await status('DELETE', list), 403)
    assert.equal(await status('GET', '/lists'), 403)
    assert.equal(await status('GET', '/users'), 403)
    for (const path of [other, '/lists/nothing'])
      for (const [method, to, body] of [
        ['GET', path, undefined],
        ['GET', `${path}/members`, undefined],
        ['POST', `${path}/members`, { who: ['hanako'] }],
        ['POST', `${path}/members/remove`, { members: ['hanako'] }],
        ['POST', `${path}/undo`, { undo: '1-1' }],
        ['PATCH', path, { owners: ['hanako'] }],
      ] as const)
        assert.equal(await status(method, to, body), 403, `${method} ${to}`)
    const moderator = await pageOf('taro')
    assert.equal(await status('GET', `${list}/members`, undefined, moderator), 200)
    assert.equal(await status('POST', `${list}/members`, { who: ['taro'] }, moderator), 403)
    const mine = await api.ask('GET', '/me/lists', undefined, moderator)
    const asOf = (path: string) =>
      mine.body.items.find(({ address }: { address: string }) => path.endsWith(address))?.as
    assert.deepEqual([asOf(list), asOf(other)], [['moderator'], ['owner']])
    const { 'x-csrf-token': _, ...bare } = owner
    assert.equal(await status('PATCH', list, { posting: 'anyone' }, bare), 403)
    const { items } = (await api.ask('GET', `${list}/history`)).body
    assert.equal(items[0].who, 'hanako')
  })

  test('takes back no change of the managers', async () => {
    const list = await newList({ owners: ['hanako'] })
    const owner = await pageOf('hanako')
    const moved = await api.ask('PATCH', list, { addresses: [`also${made}@${D}`] })
    const answer = await api.ask('POST', `${list}/undo`, { undo: moved.body.undo }, owner)
    assert.equal(answer.status, 403)
    const before = await api.ask('POST', `${list}/undo`, { undo: moved.body.undo })
    assert.equal(before.status, 200)
  })

  test('has a session for lists alone: no console, and none after the password changed', async () => {
    const owner = await pageOf('jiro')
    const { cookie } = owner
    const session = (what: string) =>
      api.ask('GET', `/session${what}`, undefined, { cookie: cookie! })
    assert.equal((await session('')).status, 401)
    assert.deepEqual((await session('?for=lists')).body.role, 'user')
    await api.ask('POST', '/users/jiro/password', { password: 'あたらしい&1' })
    assert.equal((await session('?for=lists')).status, 401)
    assert.equal((await api.ask('GET', '/me/lists', undefined, owner)).status, 401)
    assert.equal(
      (await api.ask('GET', '/me/lists', undefined, { authorization: `Bearer ${tokenOf('user')}` }))
        .status,
      401,
    )
  })
})
