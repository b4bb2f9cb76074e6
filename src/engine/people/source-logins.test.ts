import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock, systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { DirectorySource } from '#model/source.ts'
import { SourceLogins } from './source-logins.ts'

/** Answers each bind with the result code that is next, and counts connections. */
async function server(t: TestContext, next: () => number) {
  const told = { binds: 0, connections: 0 }
  const listening = createServer((socket) => {
    told.connections++
    socket.on('error', () => undefined)
    socket.on('data', (octets: Buffer) => {
      // A BindRequest of less than 128 octets: SEQUENCE, length, INTEGER, 1, id, [APPLICATION 0].
      if (octets[5] !== 0x60) return
      told.binds++
      const answer = [0x30, 12, 2, 1, octets[4]!, 0x61, 7, 0x0a, 1, next(), 4, 0, 4, 0]
      socket.write(Buffer.from(answer))
    })
    t.after(() => socket.destroy())
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => listening.close())
  return { told, port: (listening.address() as AddressInfo).port }
}

function loginsOf(port: number, clock: Clock = systemClock) {
  const source: DirectorySource = {
    name: 'campus',
    order: 1,
    servers: [{ host: '127.0.0.1', port, tls: 'none' }],
    base: 'dc=campus',
    key: 'entryUUID',
    auth: 'bind',
  }
  const logins = new SourceLogins(
    { source: (name) => (name === 'campus' ? source : undefined) },
    clock,
  )
  return (name = 'campus'): Promise<boolean> =>
    logins.check({ source: name, key: 'k', dn: 'uid=花子' }, fromUtf8('渡り & 鳥'))
}
const isUnavailable = (thrown: unknown): boolean => isFault(thrown, 'unavailable')

test('a referral, or a refusal of one entry alone, is neither yes nor no; the source is not away for it', async (t) => {
  const codes = [10, 0, 53, 49, 34, 0] // referral, success, unwilling, wrong, no DN, success
  const { told, port } = await server(t, () => codes.shift() ?? 0)
  const check = loginsOf(port)
  await assert.rejects(check(), /referral/)
  assert.equal(await check(), true)
  await assert.rejects(check(), isUnavailable)
  assert.equal(await check(), false)
  await assert.rejects(check(), isUnavailable)
  assert.equal(await check(), true)
  assert.deepEqual(told, { binds: 6, connections: 1 })
})

test('a server that is busy is asked again after some seconds, by one login; the others hear at once', async (t) => {
  let code = 51
  const { told, port } = await server(t, () => code)
  const clock = new FakeClock()
  const check = loginsOf(port, clock)
  await assert.rejects(check(), isUnavailable)
  const before = told.binds
  const many = await Promise.allSettled(Array.from({ length: 20 }, () => check()))
  assert.ok(many.every(({ status }) => status === 'rejected'))
  assert.equal(told.binds, before)
  code = 0
  clock.advance(2_000)
  const again = await Promise.allSettled(Array.from({ length: 20 }, () => check()))
  assert.equal(again.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(told.binds, before + 1)
  assert.equal(await check(), true)
})

test('a source that is gone is trouble, not a wrong password', async (t) => {
  const { port } = await server(t, () => 0)
  await assert.rejects(loginsOf(port)('older'), isUnavailable)
})
