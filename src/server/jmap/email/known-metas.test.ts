import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { EmailId } from '#model/mailbox.ts'
import type { StoredMeta } from '#store/mailbox/meta-records.ts'
import { KnownMetas } from './known-metas.ts'

function stored(text: string): StoredMeta {
  const indexer = new MimeIndexer()
  indexer.feed(fromUtf8(text))
  return { meta: indexer.finish(), prefixBytes: 0 }
}

const id = (n: number): EmailId => `E${n}` as EmailId

test('what was shown lately is known, the longest unused goes first', () => {
  const metas = new KnownMetas()
  const mail = stored(
    `To: ${Array.from({ length: 98 }, (_, n) => `渡り <a${n}@x>`).join(', ')}\r\n\r\n本文`,
  )
  for (let n = 0; n < 190; n++) metas.keep(id(n), mail)
  assert.equal(metas.get(id(0)), mail)
  for (let n = 190; n < 260; n++) metas.keep(id(n), mail)
  assert.equal(metas.get(id(0)), mail, 'asked for since')
  assert.equal(metas.get(id(1)), undefined)
  assert.equal(metas.get(id(259)), mail)
})

test('one message cannot push out many', () => {
  const metas = new KnownMetas()
  const many = stored(`To: ${Array.from({ length: 500 }, (_, n) => `a${n}@x`).join(', ')}\r\n\r\n`)
  const parts = stored(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n本\r\n'.repeat(300)}--b--\r\n`,
  )
  const inner = stored('Content-Type: message/rfc822\r\n\r\nSubject: 中\r\n\r\n')
  for (const [n, each] of [many, parts, inner].entries()) {
    metas.keep(id(n), each)
    assert.equal(metas.get(id(n)), undefined)
  }
})
