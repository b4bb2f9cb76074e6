import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JAPANESE_MAILS } from '#test/fake/japanese-mails.ts'
import { jmapRoom } from '#test/fake/jmap-room.ts'
import { textSearch } from '#test/fake/text-search.ts'
import type { SearchUnderTest } from '#test/fake/text-search.ts'

const FILTERS: readonly Record<string, unknown>[] = [
  { text: '会議' },
  { text: '会議 明日' },
  { text: '"会議は明日"' },
  { text: '山田　太郎 会議' },
  { body: '会議' },
  { body: '会' },
  { subject: '会議' },
  { from: 'o.yamada@camp' },
  { to: 'HANAKO' },
  { cc: 'kaigi' },
  { bcc: 'hanako' },
  { text: '無い言葉' },
  { header: ['X-Tag', 'alpha'] },
  { header: ['X-Missing'] },
  { text: '会議', hasKeyword: '$seen' },
  { text: '会議', notKeyword: '$seen', minSize: 100 },
  { operator: 'NOT', conditions: [{ body: '会議' }, { subject: 'wide' }] },
  { operator: 'OR', conditions: [{ body: '資料' }, { hasKeyword: '$seen' }, { subject: '会議' }] },
  { operator: 'AND', conditions: [{ body: 'ｶｲｷﾞ' }, { hasAttachment: false }] },
  { text: '' },
]

test('Email/query finds by the index what it finds by reading (RFC 8621 §4.4.1)', async (t) => {
  const reading = await jmapRoom(t)
  let under: SearchUnderTest | undefined
  const indexed = await jmapRoom(t, {
    search: (store) => {
      under = textSearch(t, store)
      return under.search
    },
  })
  const numbers: Map<string, number>[] = []
  for (const room of [reading, indexed]) {
    const ids = new Map<string, number>()
    for (const [index, octets] of JAPANESE_MAILS.entries()) {
      const more = { flags: index % 3 === 0 ? 1 : 0, atMs: Date.UTC(2026, 10, index + 1) }
      ids.set(await room.file(octets, more), index + 1)
    }
    numbers.push(ids)
  }
  const sort = [{ property: 'receivedAt', isAscending: true }]
  let found = 0
  for (const filter of FILTERS) {
    const results: number[][] = []
    for (const [index, room] of [reading, indexed].entries()) {
      const { ids } = await room.call('Email/query', { filter, sort })
      results.push((ids as string[]).map((id) => numbers[index]!.get(id)!))
    }
    assert.deepEqual(results[1], results[0], JSON.stringify(filter))
    found += results[0]!.length
  }
  assert.ok(found > 50, `${found} found in all`)
  assert.ok(under!.asked.length >= FILTERS.length - 1, `${under!.asked.length} asked`)
  const { ids } = await indexed.call('Email/query', { filter: { text: '会議' }, sort })
  assert.equal((ids as string[]).length, 16)
})

test('SearchSnippet/get marks what was found as it stands in the mail (RFC 8621 §5)', async (t) => {
  const room = await jmapRoom(t)
  const body = 'ご案内です。ＡＢＣ㈱の会\r\n議は ｶﾞｲﾄﾞ のとおり <明日> です。'
  const id = await room.file(
    `Subject: =?UTF-8?B?5Lya6K2w?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n`,
  )
  const snippet = async (text: string): Promise<Record<string, unknown>> => {
    const { list } = await room.call('SearchSnippet/get', { filter: { text }, emailIds: [id] })
    return (list as Record<string, unknown>[])[0]!
  }
  assert.equal((await snippet('会議'))['subject'], '<mark>会議</mark>')
  assert.match(String((await snippet('会議'))['preview']), /の<mark>会 議<\/mark>は/)
  assert.match(
    String((await snippet('ガイド'))['preview']),
    /は <mark>ｶﾞｲﾄﾞ<\/mark> のとおり &lt;明日&gt;/,
  )
  assert.match(
    String((await snippet('abc 株'))['preview']),
    /<mark>ＡＢＣ<\/mark><mark>㈱<\/mark>の/,
  )
  assert.equal((await snippet('無い'))['preview'], null)
})
