import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { gatewayRoom, ROWS, SUBMISSION } from '#test/fake/gateway-room.ts'
import { dkimResults, fakeDkimKey, recordOf } from '#test/fake/signing.ts'

const KEY = fakeDkimKey('rsa')
const withKey = (key = KEY) => [
  { kind: 'domain', domain: { name: 'campus.example', dkim: [key] } } as const,
  ...ROWS.slice(1),
]
const FAR = ['jiro@far.example']

const dkimOf = async (content: string): Promise<string> =>
  (await dkimResults(fromUtf8(content), recordOf('campus.example', KEY))).join()

const MESSAGE =
  'X-Watari-Verdict: forged\r\nFrom: =?UTF-8?B?6Iqx5a2Q?= <hanako@campus.example>\r\nSubject: 渡り\r\n\r\n'

test('a submission is signed as it is queued, with what we add and without what we take out', async () => {
  const at = gatewayRoom({ rows: withKey() })
  for (const body of ['本文です。\r\n', '', 'AAAA BBBB  \r\n'.repeat(60_000)]) {
    const octets = fromUtf8(MESSAGE + body)
    const pieces = Array.from({ length: Math.ceil(octets.length / 50_000) }, (_, n) =>
      octets.subarray(n * 50_000, (n + 1) * 50_000),
    )
    assert.equal((await at.send(pieces, FAR, SUBMISSION)).code, 250)
    const { content } = at.accepts.at(-1)!
    assert.doesNotMatch(content, /forged/)
    assert.equal(await dkimOf(content), 'pass')
  }
  assert.ok(at.larges.size > 0, 'one was large')
  const accepted = at.events.filter(({ name }) => name === 'receive.accepted')
  assert.deepEqual(
    accepted.map(({ fields }) => fields['signedBy']),
    Array<string>(3).fill('campus.example rsa1'),
  )
})

test('mail of strangers is not ours to sign; what hosts relay is where the setting says so', async () => {
  for (const [command, settings, result] of [
    [{}, {}, 'none'],
    [{ door: 'relay' }, {}, 'none'],
    [{ door: 'relay' }, { 'dkim.relay': true }, 'pass'],
  ] as const) {
    const at = gatewayRoom({ rows: withKey(), settings })
    const to = 'door' in command ? FAR : ['hanako@campus.example']
    assert.equal((await at.send(`${MESSAGE}x\r\n`, to, command)).code, 250)
    assert.equal(await dkimOf(at.accepts[0]!.content), result)
  }
})

test('a key that cannot sign makes 451 and keeps nothing, or an unsigned mail; both are told', async () => {
  const rows = withKey({ ...KEY, privateKey: 'AAAA' })
  const waits = gatewayRoom({ rows })
  assert.equal((await waits.send(`${MESSAGE}x\r\n`, FAR, SUBMISSION)).code, 451)
  assert.equal((await waits.send(MESSAGE + 'x\r\n'.repeat(200_000), FAR, SUBMISSION)).code, 451)
  assert.equal(waits.accepts.length + waits.larges.size, 0)
  const leaves = gatewayRoom({ rows, settings: { 'dkim.onFailure': 'unsigned' } })
  assert.equal((await leaves.send(`${MESSAGE}x\r\n`, FAR, SUBMISSION)).code, 250)
  assert.equal(await dkimOf(leaves.accepts[0]!.content), 'none')
  assert.equal(leaves.events.at(-1)?.fields['signedBy'], undefined)
  assert.deepEqual(
    [waits, leaves].map(({ signing }) => signing[0]?.fields['outcome']),
    ['deferred', 'unsigned'],
  )
})
