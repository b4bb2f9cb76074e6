import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { HANAKO, ask, fill, mailboxId, many, pop3Room } from '#test/fake/pop3-room.ts'
import { LANGUAGES, languageOf } from './words.ts'

/** As a client of one character an octet sees it. */
const seen = (text: string): string => toLatin1(fromUtf8(text))

test('LANG lists, chooses and keeps languages; codes and numbers stay (RFC 6856 §3)', async (t) => {
  const { store, connect } = await pop3Room(t)
  await fill(store, [fromUtf8('Subject: x\r\n\r\n渡り\r\n')])
  const client = await connect()
  assert.equal(
    await many(client, 'LANG'),
    seen('en English\r\nja 日本語\r\ni-default Default language (English)\r\n.\r\n'),
  )
  assert.equal(await ask(client, 'LANG ja-JP'), seen('+OK ja これからは日本語で応答します'))
  assert.equal(await ask(client, 'STAT'), seen('-ERR STAT は今は使えません'))
  assert.match(await ask(client, 'LANG uga'), /^-ERR /)
  await ask(client, 'USER hanako')
  assert.equal(
    await ask(client, 'PASS no'),
    seen('-ERR [AUTH] ユーザー名またはパスワードが違います'),
  )
  await ask(client, 'USER hanako')
  assert.equal(await ask(client, 'PASS h'), seen('+OK 1 通'))
  assert.match(await ask(client, 'STAT'), /^\+OK 1 \d+$/)
  assert.match(await ask(client, 'LIST 1'), /^\+OK 1 \d+$/)
  assert.match(
    await many(client, 'LANG'),
    /^en English\r\n/,
    'a listing names languages in themselves',
  )
  assert.equal(await ask(client, 'LANG *'), '+OK en From here on in English')
  assert.equal(await ask(client, 'LANG I-DEFAULT'), '+OK i-default From here on in English')
  assert.match(await ask(client, `LANG ${'a-'.repeat(3_000)}`), /^-ERR Unknown language/)
  assert.match(await ask(client, 'LANG ja en'), /^-ERR Unknown language/)
})

test('ranges are cut from their end until a language fits (RFC 4647 §3.4)', () => {
  const tags = ['ja', 'JA-Hira-JP', 'en-GB', 'i-default', '*'].map(
    (range) => languageOf(range)?.tag,
  )
  assert.deepEqual(tags, ['ja', 'ja', 'en', 'i-default', 'en'])
  for (const range of ['i', 'jap', '-', '**', 'en_US']) assert.equal(languageOf(range), undefined)
})

test('each language says everything, in one line that no program takes for another', () => {
  for (const { tag, words } of LANGUAGES)
    for (const [key, value] of Object.entries(words)) {
      const text =
        typeof value === 'function' ? (value as (of: never) => string)('7' as never) : value
      assert.match(text as string, /^[^\r\n[\]]+$/, `${tag} ${key}`)
      // RFC 2449 §4: 512 octets for a whole response.
      assert.ok(fromUtf8(text as string).length < 400, `${tag} ${key}`)
      assert.equal(typeof value, typeof LANGUAGES[0]!.words[key as never])
    }
})

test('UTF8 is taken before the login; octets are as stored with it and without (RFC 6856 §2, §4)', async (t) => {
  const { store, connect } = await pop3Room(t, { passwords: { 花子: '合言葉', hanako: 'h' } })
  const mail = 'Subject: 会議\r\nFrom: 花子@例.example\r\n\r\n.渡り\r\n'
  await fill(store, [fromUtf8(mail)])
  const name = await connect()
  assert.match(await ask(name, 'UTF8'), /^\+OK/)
  await ask(name, 'USER 花子')
  assert.match(await ask(name, 'PASS 合言葉'), /^\+OK/)
  assert.match(await ask(name, 'UTF8'), /^-ERR UTF8 is not allowed now/)
  for (const before of ['UTF8', 'NOOP']) {
    const client = await connect()
    await ask(client, before)
    await ask(client, 'USER hanako')
    await ask(client, 'PASS h')
    assert.equal(await ask(client, 'LIST 1'), `+OK 1 ${fromUtf8(mail).length}`)
    assert.equal(await many(client, 'RETR 1'), seen(mail.replace('\r\n.', '\r\n..') + '.\r\n'))
    await ask(client, 'QUIT')
  }
  const odd = await connect()
  assert.match(await ask(odd, 'UTF8 on'), /^-ERR/)
})

test('STLS forgets the language too (RFC 2595 §4)', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate())
  const { connect } = await pop3Room(t, { identity: () => identity })
  const client = await connect()
  await ask(client, 'LANG ja')
  assert.equal(await ask(client, 'STLS'), seen('+OK TLS を始めてください'))
  const inside = client.secured()
  assert.equal(await ask(inside, 'STLS'), '-ERR TLS is active already')
  inside.end()
})

test('CAPA tells how long mail is kept: of anybody before the login, then of this maildrop (RFC 2449 §6.7)', async (t) => {
  let withJunk = false
  const { store, connect, login } = await pop3Room(t, { withJunk: () => withJunk })
  const expire = async (client: LineClient): Promise<string | undefined> =>
    /^EXPIRE .*$/m.exec(await many(client, 'CAPA'))?.[0].trim()
  assert.equal(await expire(await connect()), 'EXPIRE 1 USER')
  const first = await login()
  assert.equal(await expire(first), 'EXPIRE NEVER')
  assert.match(await many(first, 'CAPA'), /^UTF8 USER\r\nLANG\r\n/m)
  await ask(first, 'QUIT')
  withJunk = true
  const junk = await login()
  assert.equal(await expire(junk), 'EXPIRE 30')
  await ask(junk, 'QUIT')
  const inbox = await mailboxId(store, ['INBOX'])
  const changes = [{ kind: 'retain', mailboxId: inbox, retention: 7 }] as const
  await store.commit({ contents: [], commits: [{ accountId: HANAKO, changes }] })
  assert.equal(await expire(await login()), 'EXPIRE 7')
})
