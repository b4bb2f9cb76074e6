import assert from 'node:assert/strict'
import { test } from 'node:test'

import { emptyOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { MailCommand } from '#model/reception.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import type { MailingList } from '#model/list.ts'
import { addr, fakeAccount, fakeList } from '#test/fake/directory.ts'
import { gatewayRoom, ROWS, SUBMISSION } from '#test/fake/gateway-room.ts'

const account = (address: string): DirectoryRow => ({
  kind: 'account',
  account: fakeAccount(address),
})

test('a message is judged, gets our fields in front, and is queued before 250', async () => {
  const at = gatewayRoom()
  const message = 'Subject: 渡り\r\nMessage-ID: <1@far.example>\r\n\r\n本文\r\n'
  const reply = await at.send(message)
  const [{ accept, content }] = at.accepts as [(typeof at.accepts)[0]]
  const text = `${accept.deliveryId} queued as Q1`
  assert.deepEqual(reply, { code: 250, status: '2.0.0', text })
  assert.equal(
    content,
    `Received: from far.example ([192.0.2.7])\r\n\tby mx.campus.example with ESMTP id ${accept.deliveryId}\r\n` +
      '\tfor <hanako@campus.example>;\r\n\tWed, 25 Nov 2026 03:00:00 +0000\r\n' +
      'Authentication-Results: mx.campus.example;\r\n\tspf=none\r\n' +
      `X-Watari-Verdict: clean;\r\n\tscore=0.4;\r\n\tcase=${accept.deliveryId};\r\n\tvirus=clean\r\n` +
      message,
  )
  assert.equal(at.asks[0]!.content, message)
  assert.equal(at.state.woken, 1)
  const [event] = at.events
  assert.equal(event!.name, 'receive.accepted')
  assert.equal(event!.deliveryId, accept.deliveryId)
  assert.equal(event!.fields['messageId'], '<1@far.example>')
  assert.equal(event!.fields['protocol'], 'ESMTP')
})

test('nothing, one octet, a header alone and a body alone all pass', async () => {
  for (const message of [
    '',
    'x',
    'Subject: 件名\r\n',
    'Subject: 件名',
    '\r\n本文',
    '本文だけ\r\n',
  ]) {
    const at = gatewayRoom()
    assert.equal((await at.send(message)).code, 250, message)
    const { content } = at.accepts[0]!
    assert.ok(content.endsWith(message))
    const isBody = message === 'x' || message === '本文だけ\r\n'
    assert.equal(
      content.endsWith(`\r\n\r\n${message}`),
      isBody || message === '\r\n本文' ? isBody : false,
    )
  }
})

test('fields that claim to be ours go, all others stay as they are', async () => {
  const at = gatewayRoom()
  const kept = 'Authentication-Results: mx.far.example; spf=pass\r\nX-WatariX: 1\r\n'
  await at.send(
    'X-Watari-Verdict: clean\r\n\tscore=0\r\nAuthentication-Results:\r\n "MX.campus.example"; dkim=pass\r\n' +
      `${kept}x-watari-hoka : ほか\r\nSubject: a\r\n\r\nX-Watari-Verdict: body\r\n`,
  )
  const { content } = at.accepts[0]!
  assert.ok(content.includes(`virus=clean\r\n${kept}`))
  assert.equal(content.split('X-Watari-Verdict').length, 3)
  assert.ok(!content.includes('MX.campus'))
  assert.ok(!content.includes('ほか'))
})

test('a peer cannot write into our fields', async () => {
  const at = gatewayRoom()
  const peer = { ip: '192.0.2.7', port: 1, helo: 'a\r\nBcc: (x) 渡' }
  await at.send('Subject: a\r\n\r\n', undefined, { peer })
  assert.ok(at.accepts[0]!.content.startsWith('Received: from a_Bcc:__x___ ([192.0.2.7])'))
})

test('the MX takes only mail for people who exist', async () => {
  const at = gatewayRoom()
  const codeOf = async (to: string, command: Partial<MailCommand> = {}): Promise<string> => {
    const reply = await at.send('Subject: a\r\n\r\n', [to], command)
    return `${reply.code} ${reply.status}`
  }
  assert.equal(await codeOf('nobody@campus.example'), '550 5.1.1')
  assert.equal(await codeOf('x@far.example'), '550 5.7.1')
  assert.equal(await codeOf('hanako+買い物@campus.example'), '250 2.0.0')
  assert.equal(await codeOf('x@far.example', { door: 'relay' }), '250 2.0.0')
  assert.equal(await codeOf('nobody@campus.example', { door: 'relay' }), '550 5.1.1')
  const empty = gatewayRoom({ rows: [] })
  assert.equal((await empty.send('', ['hanako@campus.example'])).code, 451)
})

test('conversion touches the envelope, and each destination gets one copy', async () => {
  const at = gatewayRoom()
  const to = ['hanako@lab.campus.example', 'hanako@campus.example', 'all@campus.example']
  await at.send('To: hanako@lab.campus.example\r\n\r\n', to)
  const { accept, content } = at.accepts[0]!
  assert.deepEqual(
    accept.recipients.map(({ address, original }) => [
      `${address.localpart}@${address.domain}`,
      original,
    ]),
    [
      ['hanako@campus.example', 'rfc822;hanako@lab.campus.example'],
      ['taro@campus.example', 'rfc822;all@campus.example'],
      ['x@far.example', 'rfc822;all@campus.example'],
    ],
  )
  assert.ok(content.endsWith('To: hanako@lab.campus.example\r\n\r\n'))
  assert.ok(!content.includes('for <'))
})

test('submission: only addresses of the account, in envelope and header', async () => {
  const at = gatewayRoom()
  const statusOf = async (header: string, from = 'hanako@campus.example'): Promise<string> => {
    const command = { ...SUBMISSION, reversePath: addr(from) }
    return (await at.send(`${header}\r\n本文`, ['x@far.example'], command)).status!
  }
  assert.equal(await statusOf('From: 花子 <hanako@campus.example>\r\n'), '2.0.0')
  assert.equal(await statusOf('From: H <H.Suzuki@lab.campus.example>\r\n'), '2.0.0')
  assert.equal(await statusOf('', 'hanako+x@lab.campus.example'), '2.0.0')
  for (const header of [
    'From: taro@campus.example\r\n',
    'From: hanako@campus.example, taro@campus.example\r\n',
    'From: hanako@campus.example taro@campus.example\r\n',
    'From: taro@campus.example hanako@campus.example\r\n',
    'From: hanako@campus.example\r\nFrom : taro@campus.example\r\n',
    'From: hanako@campus.example\r\nSender: taro@campus.example\r\n',
    'From: hanako@campus.example\r\nResent-From: taro@campus.example\r\n',
    'From: hanako\r\n',
    'From: (taro@campus.example)\r\n',
  ])
    assert.equal(await statusOf(header), '5.7.1', header)
  assert.equal(await statusOf('', 'taro@campus.example'), '5.7.1')
  const { content } = at.accepts[0]!
  assert.match(content, /^Received: from pc \(\[IPv6:2001:db8::1\]\)\r\n\t\(using TLSv1\.3/)
  assert.match(content, /with ESMTPSA id/)
  assert.match(content, /\r\nDate: Wed, 25 Nov 2026 03:00:00 \+0000\r\nMessage-ID: <\w+@submission/)
})

test('nobody hides behind the end of a long list of senders', async () => {
  const at = gatewayRoom()
  const own = 'hanako@campus.example,'.repeat(10_000)
  const header = `From: ${own}taro@campus.example\r\n\r\n本文`
  assert.equal((await at.send(header, ['x@far.example'], SUBMISSION)).status, '5.7.1')
})

test('a trace finds every recipient, as named and as converted, and every refusal', async () => {
  const people = Array.from({ length: 300 }, (_, i) => `gakusei-${i}@campus.example`)
  const rows = [...ROWS, ...people.map((address) => account(address))]
  const at = gatewayRoom({ rows })
  await at.send('Subject: 試験\r\n\r\n', ['hanako@lab.campus.example', ...people])
  const told = at.events.filter((event) => event.deliveryId === at.events[0]!.deliveryId)
  assert.equal(told.filter((event) => event.name === 'receive.accepted').length, 1)
  const all = (key: string): string => told.map((event) => event.fields[key]).join(',')
  assert.equal(all('recipients'), ['hanako@campus.example', ...people].join(','))
  assert.equal(all('original'), ['hanako@lab.campus.example', ...people].join(','))
  for (const { fields } of told) assert.ok(String(fields['recipients']).length <= 2_000)
  assert.equal(told[0]!.fields['caseId'], told[0]!.deliveryId)
  await at.send('', ['山田@campus.example'])
  const refused = at.events.at(-1)!
  assert.equal(refused.name, 'receive.refused')
  assert.equal(refused.fields['recipients'], '山田@campus.example')
  assert.ok(refused.deliveryId !== undefined)
})

test('an address that leads back to itself is refused', async () => {
  const alias = (from: string, to: string): DirectoryRow => ({
    kind: 'alias',
    alias: { from: addr(from), to: [addr(to)] },
  })
  const rows = [
    ...ROWS,
    alias('輪@campus.example', 'b@campus.example'),
    alias('b@campus.example', '輪@campus.example'),
  ]
  const reply = await gatewayRoom({ rows }).send('', ['輪@campus.example'])
  assert.equal(`${reply.code} ${reply.status}`, '554 5.4.6')
})

test('256 KiB stay in memory, one octet more does not, and each arrives as it came', async () => {
  const header = 'X-Watari-Fake: 偽\r\nSubject: 境\r\n\r\n'
  const clean = 'Subject: 境\r\n\r\n'
  const room = RECORD_BYTES_MAX - fromUtf8(clean).length
  for (const extra of [0, 1]) {
    const at = gatewayRoom()
    const body = 'x'.repeat(room + extra)
    const piece = Buffer.alloc(4_096)
    const whole = Buffer.from(header + body)
    const pieces = (function* (): Generator<Octets> {
      for (let i = 0; i < whole.length; i += piece.length) {
        // One buffer for all pieces, as a session has it.
        const length = whole.copy(piece, 0, i)
        yield piece.subarray(0, length)
      }
    })()
    assert.equal((await at.send(pieces)).code, 250)
    const { accept, content } = at.accepts[0]!
    assert.equal('large' in accept.content, extra === 1)
    assert.ok(content.endsWith(`virus=clean\r\n${clean}${body}`))
    assert.ok(at.asks[0]!.content === clean + body)
  }
})

test('a message above memory goes through a large file, judged from there', async () => {
  const at = gatewayRoom()
  const header = fromUtf8('X-Watari-Fake: 1\r\nSubject: 大きい\r\n\r\n')
  const body = Buffer.alloc(700_001, '渡り')
  const pieces: Octets[] = []
  const whole = Buffer.concat([header, body])
  for (let i = 0; i < whole.length; i += 65_536) pieces.push(whole.subarray(i, i + 65_536))
  assert.equal((await at.send(pieces)).code, 250)
  const { content, accept } = at.accepts[0]!
  assert.ok('large' in accept.content)
  assert.ok(content.endsWith(`virus=clean\r\nSubject: 大きい\r\n\r\n${toUtf8(body)}`))
  assert.equal(at.asks[0]!.content, `Subject: 大きい\r\n\r\n${toUtf8(body)}`)
})

test('verdict and policy decide in session: refuse, defer, hold, discard', async () => {
  const infected = gatewayRoom({ verdict: { virus: { kind: 'infected', name: 'Eicar' } } })
  const reply = await infected.send('Subject: a\r\n\r\n')
  assert.equal(`${reply.code} ${reply.status}`, '554 5.7.1')
  assert.match(String(reply.text), /^Message contains Eicar \(case \w+\)$/)
  assert.equal(infected.accepts.length, 0)
  assert.equal(infected.events[0]!.name, 'receive.refused')
  const spam = { class: 'spam' } as const
  for (const [action, code, count] of [
    ['accept', 250, 1],
    ['reject', 554, 0],
    ['defer', 451, 0],
    ['hold', 250, 1],
    ['discard', 250, 0],
  ] as const) {
    const at = gatewayRoom({ verdict: spam, settings: { 'policy.spam': action } })
    assert.equal((await at.send('Subject: 当選\r\n\r\n')).code, code, action)
    assert.equal(at.accepts.length, count, action)
    const held = at.accepts[0]?.accept.recipients[0]?.hold
    assert.equal(held !== undefined, action === 'hold')
  }
  const off = gatewayRoom({ settings: { 'judge.enabled': false } })
  await off.send('Subject: a\r\n\r\n')
  assert.deepEqual(off.accepts[0]!.accept.verdict?.degraded, ['off'])
  assert.equal(off.asks.length, 0)
})

test('a full or stalled spool is 4xx, never 5xx, and over by itself', async () => {
  const at = gatewayRoom()
  at.state.status = { full: true }
  assert.equal((await at.send('')).status, '4.3.1')
  assert.equal(at.reception.unready(), undefined)
  at.clock.advance(2_000)
  at.state.status = {}
  at.state.fault = new Fault('stalled', 'frozen')
  assert.equal((await at.send('')).status, '4.3.0')
  assert.equal(at.reception.unready()?.code, 451)
  at.clock.advance(2_000)
  at.state.fault = undefined
  assert.equal((await at.send('')).code, 250)
  const opened = await at.reception.mail({
    door: 'mx',
    peer: { ip: '192.0.2.7', port: 1 },
    reversePath: null,
    body: '7bit',
    smtpUtf8: false,
  })
  assert.ok(opened.ok)
  await opened.value.rcpt({ address: addr('hanako@campus.example') })
  const sink = await opened.value.data()
  assert.ok(sink.ok)
  await sink.value.write(emptyOctets)
  at.state.fault = new Fault('full', 'no space')
  const replies = await sink.value.finish()
  assert.deepEqual(
    replies.map((reply) => reply.status),
    ['4.3.1'],
  )
})

test('who may send as a list does so, and hears of what comes back', async () => {
  const LIST = 'seminar@campus.example'
  const hanako = fakeAccount('hanako@campus.example')
  const list = { ...fakeList(LIST), senders: [hanako.id] }
  const from = `From: ゼミ <${LIST}>\r\nSubject: 渡り\r\n\r\n`
  const send = async (more: Partial<MailingList>, path = LIST) => {
    const at = gatewayRoom({ rows: [...ROWS, { kind: 'list', list: { ...list, ...more } }] })
    const command = { ...SUBMISSION, account: hanako, reversePath: addr(path) }
    const { code, status } = await at.send(from, ['x@far.example'], command)
    return [code, status, at.accepts[0]?.accept.reversePath?.localpart ?? '']
  }
  assert.deepEqual(await send({}), [250, '2.0.0', 'hanako'])
  assert.deepEqual(await send({}, 'hanako@campus.example'), [250, '2.0.0', 'hanako'])
  assert.deepEqual(await send({}, 'seminar-owner@campus.example'), [550, '5.7.1', ''])
  for (const path of [LIST, 'hanako@campus.example'])
    for (const more of [{ senders: [] }, { deletedAt: '2026-11-01T00:00:00Z' }])
      assert.deepEqual(await send(more, path), [550, '5.7.1', ''])
})
