import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { jmapRoom, HANAKO } from '#test/fake/jmap-room.ts'
import { choosingPeople } from '#test/fake/own-choices.ts'

const USING = ['urn:ietf:params:jmap:core', 'https://watari.example/jmap/sievetrial']

async function room(t: TestContext) {
  const people = await choosingPeople(['hanako'])
  t.after(() => people.end())
  const jmap = await jmapRoom(t, { choices: people.book })
  const test = async (script: string, emailIds: readonly string[] = []) => {
    const args = { accountId: HANAKO.id, script, emailIds }
    const [answer] = await jmap.request([['SieveScript/test', args, '0']], USING)
    // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
    return answer![1] as any
  }
  const file = (subject: string, more: { readonly from?: string; readonly to?: string } = {}) => {
    const { from = 'taro@b.example', to = 'hanako@campus.example' } = more
    return jmap.file(
      `From: 太郎 <taro@b.example>\r\nTo: x@y.example\r\nSubject: ${subject}\r\n\r\n本文\r\n`,
      {
        prefix: fromUtf8(`Return-Path: <${from}>\r\nDelivered-To: ${to}\r\n`),
      },
    )
  }
  return { people, jmap, test, file }
}

describe('a trial of a script', () => {
  it('tells what is wrong by line, and what is hardly meant', async (t) => {
    const { test } = await room(t)
    const wrong = await test('keep;\nfileinto "x";\nnothing;')
    assert.deepEqual(
      wrong.errors.map(({ line }: { line: number }) => line),
      [2, 3],
    )
    const hardly = await test('require "fileinto";\nfileinto "無い";')
    assert.deepEqual(hardly.errors, [])
    assert.deepEqual(
      hardly.warnings.map(({ line }: { line: number }) => line),
      [2],
    )
    assert.equal((await test('\ud800')).errors[0].line, 1)
  })

  it('tells of each mail where it would go, came it now, and stores nothing', async (t) => {
    const { jmap, test, file } = await room(t)
    const id = await file('会議のお知らせ')
    const other = await file('昼食', { to: 'hanako+news@campus.example', from: '' })
    const script = `require ["fileinto", "mailbox", "imap4flags", "subaddress", "envelope", "copy", "vacation"];
      if header :contains "subject" "会議" {
        fileinto :create :flags ["\\\\Flagged", "important"] "会議";
        redirect :copy "a@b.example";
        vacation "留守です";
      } elsif allof (envelope :detail "to" "news", envelope :is "from" "") { discard; }`
    const { errors, list, notFound, notTried } = await test(script, [id, other, 'Enothing'])
    assert.deepEqual(errors, [])
    assert.deepEqual(notFound, ['Enothing'])
    assert.deepEqual(notTried, [])
    assert.deepEqual(list, [
      {
        id,
        filed: [{ mailbox: '会議', flags: ['\\Flagged', 'important'] }],
        sent: [{ kind: 'redirect', to: ['a@b.example'] }],
        trouble: [],
        // It was written to somebody else.
        unsent: list[0].unsent,
        isAsked: true,
      },
      { id: other, filed: [], sent: [], trouble: [], unsent: [], isAsked: true },
    ])
    assert.match(String(list[0]?.unsent), /^vacation: /)
    await assert.rejects(jmap.mailbox('会議'))
    assert.equal((await jmap.store.outbox({ limit: 10 })).items.length, 0)
  })

  it('comes after what was chosen, and says so where that settles it', async (t) => {
    const { people, test, file } = await room(t)
    const id = await file('会議')
    await people.act('hanako', { kind: 'set', patch: { blocked: ['b.example'] } })
    const { list } = await test('discard;', [id])
    assert.deepEqual(list[0].filed, [{ mailbox: 'Trash', flags: [] }])
    assert.equal(list[0].isAsked, false)
  })

  it('tells of a script that stops short; the mail is kept', async (t) => {
    const { test, file } = await room(t)
    const id = await file('会議')
    const { list } = await test('require "reject";\nkeep;\nreject "no";', [id])
    assert.deepEqual(list[0].filed, [{ mailbox: 'INBOX', flags: [] }])
    assert.deepEqual([list[0].trouble[0].place, list[0].trouble[0].line], ['own', 3])
  })

  it('is of so many mails at most', async (t) => {
    const { test } = await room(t)
    const ids = Array.from({ length: 51 }, (_, n) => `E${n}`)
    assert.equal((await test('keep;', ids)).type, 'requestTooLarge')
  })
})
