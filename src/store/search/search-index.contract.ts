import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { foldText, hasText } from '#codec/mime/fold-text.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { ENVELOPE_FIELDS, textPlaces, textsOf } from '#codec/mime/message-texts.ts'
import type { MessageTexts } from '#codec/mime/message-texts.ts'
import type { AccountId } from '#model/account.ts'
import { decodeMeta, encodeMeta } from '#store/mailbox/meta-records.ts'
import type { EmailTexts } from '#store/mailbox/text-source.ts'
import type { SearchQuery } from './query.ts'
import type { SearchIndex } from './search-index.ts'

/** An index of its own for a test; `reopen` opens the same place anew, as after a restart. */
export interface IndexUnderTest {
  readonly index: SearchIndex
  reopen(): Promise<SearchIndex>
  close(): Promise<void>
}

const hanako = 'hanako' as AccountId
const taro = '太郎/..' as AccountId

export function indexedEmail(emailNumber: number, octets: Octets): EmailTexts {
  const indexer = new MimeIndexer()
  indexer.feed(octets)
  const meta = indexer.finish()
  const { header } = meta.root
  const cut = ({ offset, length }: { offset: number; length: number }): Octets =>
    octets.subarray(offset, offset + length)
  const content = {
    meta: encodeMeta(meta),
    head: cut({ offset: 0, length: header.offset + header.length }),
    octets: textPlaces(meta.root).places.map(cut),
  }
  return { emailNumber, content }
}

const mail = (subject: string, body: string, from = 'taro@campus.example'): Octets =>
  fromUtf8(`From: ${from}\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n${body}\r\n`)

const inText = (term: string, places: readonly string[] = ['header', 'body']): SearchQuery =>
  ({ kind: 'text', places, term: foldText(term) }) as SearchQuery

/** What a search is to find, by looking at everything. */
function naive(texts: MessageTexts, query: SearchQuery): boolean {
  switch (query.kind) {
    case 'and':
      return query.queries.every((inner) => naive(texts, inner))
    case 'or':
      return query.queries.some((inner) => naive(texts, inner))
    case 'not':
      return !naive(texts, query.query)
    case 'field':
      return texts.header.some(([name, text]) => name === query.name && hasText(text, query.term))
    case 'text':
      return query.places.some((place) => {
        if (place === 'body') return texts.bodies.some((text) => hasText(text, query.term))
        if (place === 'header')
          return texts.header.some(([name, text]) => hasText(`${name}: ${text}`, query.term))
        return hasText(texts.envelope[place], query.term)
      })
    default:
      return false
  }
}

async function find(
  index: SearchIndex,
  query: SearchQuery,
  within?: readonly number[],
): Promise<number[]> {
  const ask = { accountId: hanako, query, ...(within && { within: Uint32Array.from(within) }) }
  const { found, unsure } = await index.find(ask)
  assert.equal(unsure.length, 0)
  return [...found]
}

async function add(index: SearchIndex, from: number, mails: readonly Octets[]): Promise<void> {
  const emails = mails.map((octets, i) => indexedEmail(from + i, octets))
  const part = { accountId: hanako, from, to: from + mails.length, emails }
  assert.deepEqual(await index.add(part), { taken: true })
}

/** What every search index does. */
export function searchIndexContract(name: string, open: () => Promise<IndexUnderTest>): void {
  const test = (title: string, run: (under: IndexUnderTest) => Promise<void>): void => {
    it(title, async () => {
      const under = await open()
      try {
        await run(under)
      } finally {
        await under.close()
      }
    })
  }
  describe(`search index: ${name}`, () => {
    test('any part of one character or more is found, and nothing else', async ({ index }) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ subject: someText, body: someText }), {
            minLength: 1,
            maxLength: 8,
          }),
          fc.array(someQuery, { minLength: 1, maxLength: 6 }),
          fc.array(fc.nat({ max: 7 }), { maxLength: 3 }),
          async (contents, queries, flushes) => {
            await index.forget({ accountId: hanako })
            const emails = contents.map(({ subject, body }, i) =>
              indexedEmail(i, mail(subject.replace(/[\r\n]/g, ' '), body)),
            )
            for (const email of emails) {
              const from = email.emailNumber
              await index.add({ accountId: hanako, from, to: from + 1, emails: [email] })
              if (flushes.includes(from)) await index.flush({ accountId: hanako })
            }
            const texts = emails.map(({ content }) => {
              const meta = decodeMeta(content!.meta)
              const { octets, head } = content!
              return textsOf(meta, head, { ...textPlaces(meta.root), octets })
            })
            // Parts of the texts themselves, so that something is found.
            const parts = contents.flatMap(({ body }) => {
              const part = (from: number, to: number): string =>
                Array.from(body).slice(from, to).join('')
              return [
                inText(part(1, 4)),
                inText(part(0, 9), ['body']),
                inText(part(2, 3), [...ENVELOPE_FIELDS, 'body']),
              ]
            })
            for (const query of [...queries, ...parts]) {
              const wanted = texts.flatMap((each, i) => (naive(each, query) ? [i] : []))
              assert.deepEqual(await find(index, query), wanted, JSON.stringify(query))
            }
          },
        ),
        { numRuns: 60 },
      )
    })

    test('places are told apart, and operators joined', async ({ index }) => {
      await add(index, 0, [
        mail('会議の件', '資料を送ります'),
        mail('資料', '会議は明日です', '会議室 <room@campus.example>'),
        mail('Re: lunch', 'See you at noon'),
      ])
      assert.deepEqual(await find(index, inText('会議', ['subject'])), [0])
      assert.deepEqual(await find(index, inText('会議', ['body'])), [1])
      assert.deepEqual(await find(index, inText('会議', ['from'])), [1])
      assert.deepEqual(await find(index, inText('会議')), [0, 1])
      assert.deepEqual(await find(index, inText('m@campus', ['from'])), [1])
      assert.deepEqual(await find(index, { kind: 'field', name: 'subject', term: '' }), [0, 1, 2])
      assert.deepEqual(await find(index, { kind: 'field', name: 'x-none', term: '' }), [])
      assert.deepEqual(await find(index, { kind: 'field', name: 'to', term: 'hanako' }), [0, 1, 2])
      const queries = [inText('会議'), inText('資料', ['body'])]
      assert.deepEqual(await find(index, { kind: 'and', queries }), [0])
      assert.deepEqual(await find(index, { kind: 'not', query: inText('会議') }), [2])
      assert.deepEqual(await find(index, inText('')), [0, 1, 2])
      assert.deepEqual(await find(index, inText('会議'), [1, 2]), [1])
      assert.deepEqual(await find(index, inText('の'), []), [])
    })

    test('numbers come in order, each once; places are kept over a restart', async (under) => {
      const { index } = under
      const gap = async (of = index): Promise<unknown> =>
        (await of.gaps({ accountIds: [hanako] })).gaps[0]
      assert.deepEqual(await gap(), { from: 0 })
      await add(index, 0, [mail('一', '渡り')])
      const late = { accountId: hanako, from: 5, to: 6, emails: [] }
      assert.deepEqual(await index.add(late), { taken: false })
      // Numbers without an email: it is gone already.
      assert.deepEqual(await index.add({ ...late, from: 1, to: 9 }), { taken: true })
      await index.flush({ accountId: hanako })
      await add(index, 9, [mail('二', '渡り鳥')]) // not flushed: it is lost
      const again = await under.reopen()
      assert.deepEqual(await gap(again), { from: 9 })
      assert.deepEqual(await find(again, inText('渡り')), [0])
      await add(again, 9, [mail('二', '渡り鳥')])
      assert.deepEqual(await find(again, inText('渡り')), [0, 9])
      assert.deepEqual(await again.accounts({ limit: 10 }), { accountIds: [hanako] })
    })

    test('many small parts become few, and say the same', async ({ index }) => {
      for (let i = 0; i < 40; i++) {
        await add(index, i, [
          mail(`件名${i}`, `本文の番号は${i}番、${i % 3 === 0 ? '会議' : '資料'}`),
        ])
        await index.flush({ accountId: hanako })
      }
      const byThree = Array.from({ length: 14 }, (_, i) => i * 3)
      assert.deepEqual(await find(index, inText('会議')), byThree)
      assert.deepEqual(await find(index, inText('番号は17番')), [17])
      let { segments } = await index.status()
      for (let i = 0; i < 500 && segments > 12; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        segments = (await index.status()).segments
      }
      assert.ok(segments <= 12, `${segments} segments are left`)
      assert.deepEqual(await find(index, inText('会議')), byThree)
    })

    test('what is gone goes from the index, and an account as a whole', async (under) => {
      const { index } = under
      const mails = Array.from({ length: 40 }, (_, i) => mail(`件名${i}`, '秘密の計画'))
      await add(index, 0, mails)
      await index.flush({ accountId: hanako })
      const kept = Uint32Array.from({ length: 20 }, (_, i) => i * 2)
      const ask = { accountId: hanako, from: 0, to: 40, emailNumbers: kept }
      assert.deepEqual(await index.keep(ask), { dead: 20 })
      for (let i = 0; i < 500; i++) {
        if ((await find(index, inText('秘密'))).length === 20) break
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      assert.deepEqual(await find(index, inText('秘密')), [...kept])
      assert.deepEqual(await find(index, inText('件名14', ['subject'])), [14])
      await index.add({ accountId: taro, from: 0, to: 1, emails: [indexedEmail(0, mails[0]!)] })
      await index.flush({ accountId: taro })
      await index.forget({ accountId: hanako })
      assert.deepEqual(await find(index, inText('秘密')), [])
      assert.deepEqual(await index.accounts({ limit: 10 }), { accountIds: [taro] })
      assert.deepEqual(await (await under.reopen()).accounts({ limit: 10 }), { accountIds: [taro] })
    })

    test('a message that a limit has cut, or that cannot be read, stays open', async ({
      index,
    }) => {
      const long = mail('長い', `${'x'.repeat(1_200_000)}終わりの言葉`)
      await index.add({
        accountId: hanako,
        from: 0,
        to: 3,
        emails: [
          indexedEmail(0, long),
          { emailNumber: 1 },
          indexedEmail(2, mail('短い', '終わり')),
        ],
      })
      const found = async (term: string): Promise<unknown> => {
        const result = await index.find({ accountId: hanako, query: inText(term) })
        return { found: [...result.found], unsure: [...result.unsure], upTo: result.upTo }
      }
      assert.deepEqual(await found('終わり'), { found: [2], unsure: [0, 1], upTo: 3 })
      assert.deepEqual(await found('xxx'), { found: [0], unsure: [1], upTo: 3 })
    })

    test('the source of HTML is not indexed: who asks for it is told to look', async ({
      index,
    }) => {
      const html =
        'Content-Type: text/html; charset=utf-8\r\n\r\n<p>会<b>議</b></p> <a href="https://x.example/渡り">y</a>'
      await index.add({
        accountId: hanako,
        from: 0,
        to: 1,
        emails: [indexedEmail(0, fromUtf8(html))],
      })
      assert.deepEqual(await find(index, inText('会議', ['body'])), [0])
      assert.deepEqual(await find(index, inText('x.example/渡り', ['body'])), [0])
      const source = await index.find({ accountId: hanako, query: inText('<b>', ['body']) })
      assert.deepEqual([...source.unsure], [0])
    })
  })
}

const letters = Array.from('会議資料渡り鳥カイギｶｲabcabcAB é㈱ー \r\n.👍')
const someText = fc
  .array(fc.constantFrom(...letters), { minLength: 1, maxLength: 30 })
  .map((list) => list.join(''))
const someLeaf: fc.Arbitrary<SearchQuery> = fc.oneof(
  fc
    .tuple(
      fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 4 }),
      fc.subarray(['header', 'body', ...ENVELOPE_FIELDS], { minLength: 1 }),
    )
    .map(([term, places]) => inText(term.join(''), places)),
  fc.array(fc.constantFrom(...letters), { maxLength: 3 }).map((term): SearchQuery => ({
    kind: 'field',
    name: 'subject',
    term: foldText(term.join('')),
  })),
)
const someQuery: fc.Arbitrary<SearchQuery> = fc.oneof(
  { weight: 3, arbitrary: someLeaf },
  fc
    .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(someLeaf, { maxLength: 3 }))
    .map(([kind, queries]): SearchQuery => ({ kind, queries })),
  someLeaf.map((query): SearchQuery => ({ kind: 'not', query })),
)
