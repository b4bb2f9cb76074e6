import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { holds, sieveMail } from '#test/fake/sieve-mail.ts'

const MIXED = sieveMail(`Subject: 会議
Content-Type: multipart/mixed; boundary=cut

前書き
--cut
Content-Type: text/plain; charset=utf-8

本文
--cut
Content-Type: text/plain/x

skewed
--cut
Content-Type: application/xhtml+xml; charset=utf-8

<html><body>頁</body></html>
--cut
Content-Type: text/html
Content-Transfer-Encoding: sealed

<p>sealed</p>
--cut
Content-Type: message/rfc822

Subject: within
 it

text within
--cut--
`)

describe('body', () => {
  it('finds nothing in a mail that ends with its header, not even nothing (RFC 5173 §3)', () => {
    const headerOnly = sieveMail('Subject: x\n')
    const empty = sieveMail('Subject: x\n\n')
    for (const kind of ['', ':raw', ':text', ':content "text"', ':content ""']) {
      assert.ok(!holds(`body ${kind} :contains ""`, headerOnly), kind)
      assert.ok(holds(`body ${kind} :count "eq" "0"`, headerOnly), kind)
      assert.ok(holds(`body ${kind} :is ""`, empty), kind)
    }
  })

  it('takes what is encoded in an unknown way for octets (RFC 2045 §6.4)', () => {
    assert.ok(!holds('body :text :contains "sealed"', MIXED))
    assert.ok(!holds('body :content "text" :contains "sealed"', MIXED))
    assert.ok(holds('body :content "application/octet-stream" :contains "<p>sealed"', MIXED))
  })

  it('takes a type with several slashes for none (RFC 5173 §5.2)', () => {
    for (const kind of [':text', ':content "text"', ':content "text/plain"'])
      assert.ok(!holds(`body ${kind} :contains "skewed"`, MIXED), kind)
    assert.ok(!holds('body :content "text/plain/x" :contains ""', MIXED))
    assert.ok(holds('body :content "" :contains "skewed"', MIXED))
  })

  it('reads XHTML as people do (RFC 5173 §5.3)', () => {
    assert.ok(holds('body :text :contains "頁"', MIXED))
    assert.ok(!holds('body :text :contains "html"', MIXED))
    assert.ok(holds('body :content "application" :contains "<body>頁"', MIXED))
  })

  it('has the header of a message within as one string (RFC 5173 §5.2)', () => {
    assert.ok(holds('body :content "message/rfc822" text:\nSubject: within\n it\n.\n', MIXED))
    assert.ok(!holds('body :content "message" :contains "text within"', MIXED))
    assert.ok(holds('body :content "text/plain" "text within"', MIXED))
  })

  it('has lines that end with CRLF, however a text was encoded (RFC 2046 §4.1.1)', () => {
    const encoded = Buffer.from('BEGIN:X\nMETHOD:依頼\n').toString('base64')
    const invitation = sieveMail(`Content-Type: text/calendar; charset=utf-8
Content-Transfer-Encoding: base64

${encoded}
`)
    assert.ok(holds('body :content "text/calendar" :contains "\nMETHOD:依頼"', invitation))
    assert.ok(holds('body :text :contains "X\nMETHOD"', invitation))
  })
})
