import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageMeta } from '#model/message.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { SharedView } from './shared-view.ts'
import { ShownTexts } from './shown-texts.ts'

const viewOf = (lost = false): SharedView => ({ lost }) as SharedView

function metaOf(subject: string): MessageMeta {
  const indexer = new MimeIndexer()
  indexer.feed(fromUtf8(`Subject: ${subject}\r\n\r\n本文`))
  return indexer.finish()
}

test('what was rendered is kept by kind, and rendered once', () => {
  const texts = new ShownTexts()
  const view = viewOf()
  const meta = metaOf('kaigi')
  assert.equal(texts.get(view, 1), undefined)
  const { envelope, body } = texts.render(view, 1, { meta, kinds: ['envelope'] })
  assert.match(envelope!, /"kaigi"/)
  assert.equal(body, undefined)
  const later = texts.render(view, 1, { meta: metaOf('other'), kinds: ['envelope', 'body'] })
  assert.equal(later.envelope, envelope)
  assert.match(later.body!, /^\("text" "plain"/i)
  assert.deepEqual(texts.get(view, 1), later)
  assert.equal(texts.get(viewOf(), 1), undefined)
})

test('a view that is gone takes its texts with it, and gets no new ones', () => {
  const texts = new ShownTexts()
  const [view, lost] = [viewOf(), viewOf(true)]
  texts.render(view, 1, { meta: metaOf('a'), kinds: ['envelope'] })
  texts.forget(view)
  assert.equal(texts.get(view, 1), undefined)
  assert.match(texts.render(lost, 1, { meta: metaOf('b'), kinds: ['envelope'] }).envelope!, /"b"/)
  assert.equal(texts.get(lost, 1), undefined)
})

test('past the limit other views go first, then what was rendered first', () => {
  const texts = new ShownTexts()
  const [old, other, used] = [viewOf(), viewOf(), viewOf()]
  const meta = metaOf('x'.repeat(100_000))
  const put = (view: SharedView, uid: number) =>
    void texts.render(view, uid, { meta, kinds: ['envelope'] })
  put(old, 1)
  put(other, 1)
  put(old, 2)
  for (let uid = 1; uid <= 123; uid++) put(used, uid)
  assert.equal(texts.get(other, 1), undefined, 'the longest unused')
  assert.notEqual(texts.get(old, 1), undefined)
  for (let uid = 124; uid <= 140; uid++) put(used, uid)
  assert.equal(texts.get(old, 1), undefined)
  assert.equal(texts.get(used, 1), undefined)
  assert.notEqual(texts.get(used, 140), undefined)
})
