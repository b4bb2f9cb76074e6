import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { doneBy, filedBy, holds, keptBy, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'

const jis = Buffer.from('\u001b$B2q5D\u001b(B').toString('latin1') // 会議
const mail = sieveMail(`From: taro@campus.example
Subject: =?UTF-8?B?5riU44KK?= report
Content-Type: multipart/mixed; boundary="b1"

はじめに
--b1
Content-Type: text/plain; charset=iso-2022-jp

${jis} body
--b1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

${Buffer.from('<p class="mark">資料 &amp; <b>見積</b></p>').toString('base64')}
--b1
Content-Type: application/pdf; name="=?UTF-8?B?6KuL5rGCLnBkZg==?="
Content-Disposition: attachment; filename*=UTF-8''%E8%AB%8B%E6%B1%82.pdf
Content-Transfer-Encoding: base64

JVBERi0x
--b1
Content-Type: message/rfc822

From: inner@lab.example
Subject: 内側
Content-Type: text/plain; charset=utf-8

奥の本文
--b1--
おわり
`)

describe('body (RFC 5173)', () => {
  it('reads texts in their charsets, HTML as it is read', () => {
    assert.ok(holds('body :contains "会議 body"', mail))
    assert.ok(holds('body :text :contains "資料 & "', mail))
    assert.ok(!holds('body :text :contains "class"', mail))
    assert.ok(holds('body :contains "奥の本文"', mail))
  })

  it('reads parts by type, and what stands around those of a multipart', () => {
    assert.ok(holds('body :content "text/html" :contains "class=\\"mark\\""', mail))
    assert.ok(holds('body :content "application/pdf" :contains "%PDF-1"', mail))
    assert.ok(holds('body :content "text" :contains "会議"', mail))
    assert.ok(!holds('body :content "text" :contains "%PDF"', mail))
    assert.ok(holds('body :content "" :contains "%PDF"', mail))
    assert.ok(holds('body :content "multipart" "はじめに"', mail))
    assert.ok(holds('body :content "multipart" :contains "おわり"', mail))
    assert.ok(!holds('body :content "multipart" :contains "b1"', mail))
    assert.ok(holds('body :content "message" :contains "inner@lab.example"', mail))
    assert.ok(!holds('body :content ["text/", "/", "te"] :contains ""', mail))
  })

  it('reads it raw, and sets no match variables (§6)', () => {
    assert.ok(holds('body :raw :contains "JVBERi0x"', mail))
    assert.ok(!holds('body :raw :contains "Subject: =?"', mail))
    assert.equal(filedBy('if body :raw :matches "*--b1*" { fileinto "<${1}>"; }', mail), '<>')
    assert.match(wrongIn('if body :raw :text "a" {}')!, /exclude one another/)
    assert.ok(!holds('body :contains ""', { ...mail, content: undefined! }))
  })
})

describe('MIME (RFC 5703)', () => {
  it('tests fields of parts and what they say', () => {
    assert.ok(holds('header :mime :type "content-type" "multipart"', mail))
    assert.ok(holds('header :mime :anychild :contenttype "Content-Type" "application/pdf"', mail))
    assert.ok(!holds('header :mime :contenttype "Content-Type" "application/pdf"', mail))
    assert.ok(
      holds(
        'header :mime :anychild :param "filename" :matches "Content-Disposition" "請*.pdf"',
        mail,
      ),
    )
    assert.ok(holds('header :mime :anychild :param "name" :is "Content-Type" "請求.pdf"', mail))
    assert.ok(holds('header :mime :anychild :subtype "Content-Type" "html"', mail))
    assert.ok(holds('exists :mime :anychild "Content-Disposition"', mail))
    assert.ok(!holds('exists "Content-Disposition"', mail))
    assert.ok(holds('address :mime :anychild :localpart "from" "inner"', mail))
    assert.match(wrongIn('if header :anychild "a" "b" {}')!, /needs :mime/)
  })

  it('goes over all parts, each before its own, and can be left', () => {
    const types = doneBy(
      `foreverypart { if header :mime :contenttype :matches "Content-Type" "*" { fileinto "\${1}"; } }`,
      mail,
    ).actions.flatMap((action) => (action.kind === 'fileinto' ? [action.mailbox] : []))
    assert.deepEqual(types, [
      'multipart/mixed',
      'text/plain',
      'text/html',
      'application/pdf',
      'message/rfc822',
    ])
    const left = `foreverypart :name "o" { foreverypart {
      if header :mime :type "content-type" "application" { fileinto "in"; break :name "o"; } }
      fileinto "after"; } fileinto "end";`
    const filed = doneBy(left, mail).actions.map((action) => 'mailbox' in action && action.mailbox)
    assert.deepEqual(filed, ['in', 'end'])
    assert.match(wrongIn('break;')!, /stands in no loop/)
    assert.match(wrongIn('foreverypart { break :name "x"; }')!, /no loop "x"/)
    assert.match(wrongIn(`${'foreverypart {'.repeat(5)}${'}'.repeat(5)}`)!, /nest deeper than 4/)
  })

  it('takes the text of a part', () => {
    const script = `foreverypart { if header :mime :subtype "content-type" "plain" {
      extracttext :first 2 "t"; break; } } fileinto "\${t}";`
    assert.equal(filedBy(script, mail), '会議')
    assert.match(wrongIn('extracttext "t";')!, /stands in no loop/)
  })

  it('replaces a part and leaves all else as it was', () => {
    const script = `foreverypart { if header :mime :type "content-type" "application" {
      replace "添付は外しました"; } }`
    const kept = keptBy(script, mail)
    assert.ok(kept.includes(Buffer.from('添付は外しました').toString('base64')))
    assert.ok(!kept.includes('JVBERi0x') && !kept.includes('application/pdf'))
    assert.ok(kept.startsWith('From: taro@campus.example\r\nSubject: =?UTF-8?B?5riU44KK?= report'))
    assert.ok(kept.includes('奥の本文') && kept.endsWith('--b1--\r\nおわり\r\n'))
  })

  it('replaces the whole body, subject and author told in other fields', () => {
    const kept = keptBy('replace :subject "新" :from "a@b.example" "gone";', mail)
    assert.match(kept, /^Original-Subject: =\?UTF-8\?B\?5riU44KK\?= report\r$/m)
    assert.match(kept, /^Original-From: taro@campus.example\r$/m)
    assert.match(kept, /^Content-Type: text\/plain; charset=utf-8\r$/m)
    assert.ok(kept.endsWith('\r\n\r\ngone') && !kept.includes('multipart'))
    const entity = keptBy('replace :mime "Content-Type: text/html\n\n<b>x</b>";', mail)
    assert.match(entity, /^Content-Type: text\/html\r\n\r\n<b>x<\/b>$/m)
  })

  it('encloses the message, which stays whole', () => {
    const kept = keptBy(
      'enclose :subject "転送" :headers ["X-Why: a\r\nBcc: evil@x"] "前書き";',
      mail,
    )
    const [head = ''] = kept.split('\r\n\r\n')
    assert.match(head, /^Content-Type: multipart\/mixed; boundary="watari-/m)
    assert.match(head, /^X-Why: a Bcc: evil@x\r?$/m)
    assert.match(head, /^Subject: =\?UTF-8\?B\?6Lui6YCB\?=/m)
    assert.ok(!/^Bcc/m.test(head) && kept.includes('Content-Type: message/rfc822\r\n'))
    assert.ok(
      kept.includes(
        'Subject: =?UTF-8?B?5riU44KK?= report\r\nContent-Type: multipart/mixed; boundary="b1"',
      ),
    )
    assert.match(wrongIn('enclose :headers "nonsense" "x";', mail)!, /no field of a header/)
  })

  it('refuses to change what is not all at hand', () => {
    const cut = { ...mail, isCut: true }
    assert.match(wrongIn('replace "x";', cut)!, /^run 2: the message is too large/)
    assert.match(wrongIn('enclose "x";', cut)!, /too large/)
  })
})
