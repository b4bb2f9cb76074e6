import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AccountId } from '#model/account.ts'
import { fakeAccount, fakeList } from '#test/fake/directory.ts'
import { ListBench, submitted } from '#test/fake/list-bench.ts'
import { postDesk } from './desk.ts'

const LIST = 'oshirase@campus.example'
const HANAKO = 'hanako@campus.example'
const list = `id-${LIST}` as AccountId

let bench: ListBench
beforeEach(() => {
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: fakeAccount(HANAKO) },
    { kind: 'list', list: { ...fakeList(LIST), posting: 'anyone' } },
  ])
})
afterEach(() => bench.close())

const letterOf = async (rest: string) => {
  const text = `From: ${HANAKO}\nTo: ${LIST}\nMessage-ID: <a@campus.example>\nMIME-Version: 1.0\n${rest}`
  await bench.mail({ to: LIST, verdict: submitted(HANAKO), text })
  const shown = await postDesk(bench.keeper, bench.parts).show({ list, number: 1 })
  assert.ok(shown.ok)
  return shown.value.letter
}

describe('what a mail says', () => {
  it('is its plain text where it has HTML too, and it is told that there is more', async () => {
    const letter = await letterOf(
      'Content-Type: multipart/alternative; boundary=b\n\n--b\n\n平文です。\n--b\nContent-Type: text/html; charset=utf-8\n\n<b>別</b>\n--b--\n',
    )
    assert.deepEqual([letter.text, letter.form, letter.attachments], ['平文です。', 'both', []])
  })

  it('is made of HTML where there is nothing else, in lines', async () => {
    const letter = await letterOf(
      'Content-Type: text/html; charset=utf-8\n\n<style>p{}</style><p>一行目<br>二行目</p><script>alert(1)</script><p>&lt;b&gt;三</p>\n',
    )
    assert.deepEqual([letter.text, letter.form], ['一行目\n二行目\n<b>三', 'html'])
  })

  it('is read in the charset it was written in, without what terminals and eyes are led astray by', async () => {
    const jis = '\u001b$B4A;z\u001b(B'
    const letter = await letterOf(
      `Content-Type: text/plain; charset=iso-2022-jp\n\n${jis} \u0007a\u0001b\n`,
    )
    assert.equal(letter.text, '漢字 ab')
  })

  it('names a mail within it, and is cut beyond a limit', async () => {
    const letter = await letterOf(
      `Content-Type: multipart/mixed; boundary=b\n\n--b\n\n${'長い。'.repeat(40_000)}\n--b\nContent-Type: message/rfc822\n\nSubject: =?UTF-8?B?5YaF?=\n\n本文\n--b--\n`,
    )
    assert.ok(letter.isCut)
    assert.ok(letter.text.length > 80_000 && letter.text.length < 100_000)
    assert.deepEqual(
      letter.attachments.map(({ name, type }) => [name, type]),
      [['内', 'message/rfc822']],
    )
  })

  it('has each From where there are two', async () => {
    const letter = await letterOf('From: other@evil.example\n\n本文\n')
    assert.deepEqual(
      letter.fields.filter(({ name }) => name === 'From').map(({ value }) => value),
      [HANAKO, 'other@evil.example'],
    )
  })
})
