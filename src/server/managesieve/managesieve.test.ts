import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { SIEVE_EXTENSIONS } from '#engine/sieve/extensions.ts'
import { SCRIPT_BYTES_MAX } from '#codec/sieve/parse.ts'
import { SIEVE_REDIRECTS_MAX } from '#engine/sieve/run.ts'
import type { AccountId } from '#model/account.ts'
import { SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
import {
  answer,
  ask,
  askData,
  literal,
  manageSieveRoom,
  plain,
  said,
} from '#test/fake/managesieve-room.ts'

const SCRIPT = '\ufeffrequire "fileinto";\r\n# 会議は別に\nfileinto "Archive";\r\n'
const GREETING = 'NO Log in first'

test('scripts are put, listed, read octet for octet, activated, renamed and deleted (RFC 5804 §2)', async (t) => {
  const { login, events } = await manageSieveRoom(t)
  const client = await login()
  assert.deepEqual(await askData(client, 'LISTSCRIPTS'), [])
  assert.equal(await ask(client, 'HAVESPACE "振り分け" 99'), 'OK There is room')
  assert.equal(
    await ask(client, `PUTSCRIPT "振り分け" ${literal(SCRIPT)}`),
    'OK The script is right',
  )
  assert.equal(
    await ask(client, `PUTSCRIPT ${literal('か\u3099"い\\')} "keep;"`),
    'OK The script is right',
  )
  assert.deepEqual(await askData(client, 'GETSCRIPT "振り分け"'), [[SCRIPT]])
  assert.equal(await ask(client, 'SETACTIVE "振り分け"'), 'OK Active')
  assert.deepEqual(await askData(client, 'listscripts'), [['が"い\\'], ['振り分け', 'ACTIVE']])
  assert.equal(
    await ask(client, 'DELETESCRIPT "振り分け"'),
    'NO (ACTIVE) 振り分け is the active script',
  )
  assert.match(await ask(client, 'RENAMESCRIPT "無い" "別"'), /^NO \(NONEXISTENT\)/)
  assert.match(await ask(client, 'RENAMESCRIPT "振り分け" "が\\"い\\\\"'), /^NO \(ALREADYEXISTS\)/)
  assert.equal(await ask(client, 'RENAMESCRIPT "振り分け" "改めた"'), 'OK Renamed')
  assert.deepEqual(await askData(client, 'LISTSCRIPTS'), [['が"い\\'], ['改めた', 'ACTIVE']])
  assert.equal(await ask(client, 'SETACTIVE ""'), 'OK No script is active')
  assert.equal(await ask(client, 'DELETESCRIPT "改めた"'), 'OK Deleted')
  for (const command of ['DELETESCRIPT', 'GETSCRIPT', 'SETACTIVE'])
    assert.match(await ask(client, `${command} "改めた"`), /^NO \(NONEXISTENT\) there is no script/)
  assert.deepEqual(
    events.map(({ name, fields }) => [name, fields['act'], fields['script'], fields['by']]),
    [
      ['put', '振り分け'],
      ['put', 'が"い\\'],
      ['activate', '振り分け'],
      ['rename', '振り分け'],
      ['activate', null],
      ['remove', '改めた'],
    ].map(([act, script]) => ['store.script', act, script, 'hanako by managesieve 127.0.0.1']),
  )
})

test('what is wrong with a script is told line by line, and nothing is stored; CHECKSCRIPT never stores', async (t) => {
  const { login } = await manageSieveRoom(t)
  const client = await login()
  const wrong = 'keep;\r\nfilinto "会議";\r\nfileinto "会議";\r\n'
  const faults =
    'NO line 2: there is no command "filinto"\r\nline 3: fileinto needs: require "fileinto"'
  assert.equal(await ask(client, `PUTSCRIPT "a" ${literal(wrong)}`), faults)
  assert.equal(await ask(client, `CHECKSCRIPT ${literal(wrong)}`), faults)
  const warned = 'require "fileinto";\r\nfileinto "会議";\r\n'
  const warning =
    'OK (WARNINGS) line 2: there is no mailbox 会議; until it is made, mail for it goes to INBOX'
  assert.equal(await ask(client, `CHECKSCRIPT ${literal(warned)}`), warning)
  assert.deepEqual(await askData(client, 'LISTSCRIPTS'), [])
  assert.equal(await ask(client, `PUTSCRIPT "a" ${literal(warned)}`), warning)
  assert.deepEqual(await askData(client, 'LISTSCRIPTS'), [['a']])
  client.send('CHECKSCRIPT {2+}\r\n')
  client.send(Uint8Array.of(0xff, 0xfe))
  client.send('\r\n')
  assert.equal(said((await answer(client)).response), 'NO The script is not UTF-8')
  assert.match(await ask(client, 'PUTSCRIPT "" "keep;"'), /^NO the name of the script is empty/)
  assert.match(await ask(client, 'PUTSCRIPT "a\u0001b" "keep;"'), /^NO .*control character/)
})

test('limits of scripts are told before and after the octets have come (RFC 5804 §1.3)', async (t) => {
  const { login } = await manageSieveRoom(t)
  const client = await login()
  assert.match(await ask(client, `HAVESPACE "a" ${SCRIPT_BYTES_MAX}`), /^OK/)
  assert.match(await ask(client, `HAVESPACE "a" ${SCRIPT_BYTES_MAX + 1}`), /^NO \(QUOTA\/MAXSIZE\)/)
  const most = `#${'x'.repeat(SCRIPT_BYTES_MAX - 1)}`
  assert.match(await ask(client, `PUTSCRIPT "most" ${literal(most)}`), /^OK/)
  for (const length of [SCRIPT_BYTES_MAX + 1, 3 * SCRIPT_BYTES_MAX])
    assert.match(
      await ask(client, `PUTSCRIPT "more" ${literal(`#${'x'.repeat(length - 1)}`)}`),
      /^NO \(QUOTA\/MAXSIZE\)/,
    )
  for (let i = 1; i < SCRIPTS_PER_ACCOUNT_MAX; i++) client.send(`PUTSCRIPT "n${i}" "keep;"\r\n`)
  for (let i = 1; i < SCRIPTS_PER_ACCOUNT_MAX; i++)
    assert.equal((await answer(client)).response.kind, 'OK')
  assert.match(await ask(client, 'HAVESPACE "over" 5'), /^NO \(QUOTA\/MAXSCRIPTS\)/)
  assert.match(await ask(client, 'PUTSCRIPT "over" "keep;"'), /^NO \(QUOTA\/MAXSCRIPTS\)/)
  assert.match(await ask(client, 'HAVESPACE "n1" 5'), /^OK/)
  client.send(`PUTSCRIPT "a" {${17 * SCRIPT_BYTES_MAX}+}\r\n`)
  assert.equal(said((await answer(client)).response), 'BYE That is too long')
})

test('capabilities are those of the state; the language is the one that is compiled (RFC 5804 §1.7)', async (t) => {
  const { connect } = await manageSieveRoom(t)
  const client = await connect()
  const before = [
    ['IMPLEMENTATION', 'Watari'],
    ['SASL', 'PLAIN LOGIN'],
    ['SIEVE', Object.keys(SIEVE_EXTENSIONS).join(' ')],
    ['MAXREDIRECTS', String(SIEVE_REDIRECTS_MAX)],
    ['LANGUAGE', 'en'],
    ['UNAUTHENTICATE'],
    ['VERSION', '1.0'],
  ]
  assert.deepEqual(
    (await askData(client, 'CAPABILITY')).filter(
      ([name]) => name !== 'NOTIFY' && name !== 'EXTLISTS',
    ),
    before,
  )
  for (const command of ['LISTSCRIPTS', 'PUTSCRIPT "a" "keep;"', 'UNAUTHENTICATE', 'SETACTIVE ""'])
    assert.equal(await ask(client, command), GREETING)
  await ask(client, `AUTHENTICATE "plain" ${literal(plain('hanako', 'h'))}`)
  const after = await askData(client, 'CAPABILITY')
  assert.deepEqual(
    after.filter(([name]) => ['SASL', 'OWNER', 'STARTTLS'].includes(name ?? '')),
    [
      ['SASL', ''],
      ['OWNER', 'hanako'],
    ],
  )
  assert.match(await ask(client, 'AUTHENTICATE "PLAIN"'), /^NO AUTHENTICATE is for before a login/)
  assert.equal(await ask(client, 'NOOP'), 'OK Done')
  assert.equal(await ask(client, 'NOOP "STARTTLS-SYNC-42"'), 'OK (TAG STARTTLS-SYNC-42) Done')
  assert.equal(await ask(client, 'UNAUTHENTICATE'), 'OK Log in again')
  assert.equal(await ask(client, 'LISTSCRIPTS'), GREETING)
  assert.equal(await ask(client, `AUTHENTICATE "PLAIN" "${plain('taro', 't')}"`), 'OK Logged in')
  client.send('LOGOUT\r\nNOOP\r\n')
  assert.equal(await client.closed(), 'OK "Bye"\r\n')
})

test('nobody sees the scripts of another', async (t) => {
  const { login, connect } = await manageSieveRoom(t)
  const client = await login()
  await ask(client, 'PUTSCRIPT "一" "keep;"')
  await ask(client, 'UNAUTHENTICATE')
  await ask(client, `AUTHENTICATE "PLAIN" "${plain('taro', 't')}"`)
  assert.deepEqual(await askData(client, 'LISTSCRIPTS'), [])
  const other = await connect()
  await ask(other, `AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"`)
  assert.deepEqual(await askData(other, 'LISTSCRIPTS'), [['一']])
})

test('many commands in one segment, and one octet by octet, get their answers in order', async (t) => {
  const { login } = await manageSieveRoom(t)
  const client = await login()
  const commands = `PUTSCRIPT "一" ${literal('# 鳥\r\nkeep;')}\r\nNOOP "a"\r\nGETSCRIPT "一"\r\nNOOP {3+}\r\n渡\r\n`
  for (const pieces of [
    [fromUtf8(commands)],
    Array.from(fromUtf8(commands), (octet) => Uint8Array.of(octet)),
  ]) {
    for (const piece of pieces) client.send(piece)
    const answers: string[] = []
    for (let i = 0; i < 4; i++) {
      const { data, response } = await answer(client)
      answers.push(...data.flat(), said(response))
    }
    assert.deepEqual(answers, [
      'OK The script is right',
      'OK (TAG a) Done',
      '# 鳥\r\nkeep;',
      'OK Done',
      `OK (TAG ${toLatin1(fromUtf8('渡'))}) Done`,
    ])
  }
})

test('our trouble is told as such, and the session goes on (RFC 5804 §1.3, TRYLATER)', async (t) => {
  const { login, connect, store, authenticator } = await manageSieveRoom(t)
  const client = await login()
  store.fault = new Fault('stalled', 'no answer')
  for (const command of ['LISTSCRIPTS', 'PUTSCRIPT "a" "keep;"', 'GETSCRIPT "a"', 'SETACTIVE ""'])
    assert.match(await ask(client, command), /^NO \(TRYLATER\)/)
  store.fault = undefined
  assert.match(await ask(client, 'PUTSCRIPT "a" "keep;"'), /^OK/)
  const other = await connect()
  for (const fault of ['unavailable', 'slowed'] as const) {
    authenticator.fault = fault
    assert.match(
      await ask(other, `AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"`),
      /^NO \(TRYLATER\)/,
    )
  }
})

test('a session whose account may be in no longer ends', async (t) => {
  const clock = new FakeClock()
  const { authenticator, login } = await manageSieveRoom(t, { clock })
  const client = await login()
  authenticator.fallen.add('account-hanako' as AccountId)
  clock.advance(10 * SECOND_MS)
  assert.equal(await client.closed(), 'BYE "This login may not be used any longer"\r\n')
})

test('at shutdown who waits hears so', async (t) => {
  const { login, listener } = await manageSieveRoom(t)
  const client = await login()
  await listener.close(1_000)
  assert.equal(await client.closed(), 'BYE (TRYLATER) "Server shuts down"\r\n')
})

test('what is whole is answered while half a command, or half a script, has come', async (t) => {
  const { login } = await manageSieveRoom(t)
  const client = await login()
  for (const [half, rest] of [
    ['NO', 'OP\r\n'],
    ['CHECKSCRIPT {5+}\r\nke', 'ep;\r\n'],
  ] as const) {
    client.send(`NOOP\r\n${half}`)
    assert.match(await client.line(), /^OK/)
    client.send(rest)
    assert.match(await client.line(), /^OK/)
  }
})
