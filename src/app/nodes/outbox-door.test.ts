import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

import { memoryLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'

import { OutboxDoor } from './outbox-door.ts'
import { StorageChild } from '#app/storage/child-process.ts'
import { addr } from '#test/fake/directory.ts'
import { dkimResults, fakeDkimKey, fakeSigner, recordOf } from '#test/fake/signing.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-door-'))
after(() => rmSync(root, { recursive: true, force: true }))

const TEXT = fromUtf8('Subject: 転送\r\n\r\n会議のお知らせ\r\n')
const LARGE = Buffer.alloc(RECORD_BYTES_MAX + 1, 'x')
const ENTRIES = 1_000
const AT_ONCE = 20
/** Each life of the gateway commits so many entries and dies before it has told the last ones. */
const COMMITS_A_LIFE = 70

const entry = (number: number): { head: OutboxHead; octets: Octets } => {
  const octets = number % 250 === 0 ? LARGE : TEXT
  const head: OutboxHead = {
    id: `D${number}.0`,
    kind: 'forward',
    reversePath: null,
    recipients: [{ localpart: '花子', domain: 'mail.example' }],
    body: '8bitmime',
    smtpUtf8: true,
    sizeBytes: octets.byteLength,
  }
  return { head, octets }
}

async function* pieces(octets: Octets): AsyncGenerator<Octets> {
  yield octets
}

/** A gateway's storage and the door before it; `failpoints` may kill them. */
async function gateway(dir: string, failpoints: string, signer = fakeSigner().signer) {
  const storage = new StorageChild({
    kind: 'spool',
    dir,
    clock: systemClock,
    log: memoryLog(),
    options: { reserveBytes: 0 },
    deadlineMs: 60_000,
    failpoints,
  })
  await storage.start()
  const spool = storage.service('spool')
  const door = new OutboxDoor({
    spool,
    signer,
    directory: new MemoryDirectory(),
    clock: systemClock,
    lifetimeMs: () => 1_000_000,
    accepted: () => undefined,
  })
  return { storage, spool, door }
}

/** Hands over all that wait, some at once, up to the end of the gateway; true where none is left. */
async function handOver(waiting: Map<string, number>, door: OutboxDoor): Promise<boolean> {
  const left = [...waiting.values()]
  const lane = async (): Promise<void> => {
    for (;;) {
      const number = left.shift()
      if (number === undefined) return
      const { head, octets } = entry(number)
      await door.take(head, pieces(octets))
      waiting.delete(head.id)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane))
  for (const one of lanes)
    if (one.status === 'rejected') assert.ok(isFault(one.reason, 'closed'), String(one.reason))
  return waiting.size === 0
}

describe('outbox door', () => {
  test('a post that is signed is queued with what each copy needs to be signed once more (RFC 8058 §4)', async (t) => {
    const key = fakeDkimKey('ed25519')
    const { signer } = fakeSigner([
      { kind: 'domain', domain: { name: 'campus.example', dkim: [key] } },
    ])
    const { storage, spool, door } = await gateway(mkdtempSync(join(root, 'v-')), '', signer)
    t.after(() => storage.stop())
    const { head } = entry(1)
    const verp = { key: 'k'.repeat(20), post: 7 }
    const post = { ...head, kind: 'post' as const, verp }
    const [ours, others] = ['seminar-bounces@campus.example', 'x-bounces@else.example'].map(addr)
    await door.take({ ...post, id: 'D1.0', reversePath: ours! }, pieces(TEXT))
    await door.take({ ...post, id: 'D2.0', reversePath: others! }, pieces(TEXT))
    const [signed, unsigned] = (await spool.list({ limit: 2 })).messages
    const bodyHash = createHash('sha256').update('会議のお知らせ\r\n').digest('base64')
    assert.equal(signed!.signed?.bodyHash, bodyHash)
    assert.equal(signed!.signed.startBytes, signed!.sizeBytes - TEXT.byteLength)
    assert.deepEqual([unsigned!.signed, unsigned!.verp], [undefined, verp])
  })

  test('a redirect is queued with what its owner wants to hear, and until when it is to arrive', async (t) => {
    const { storage, spool, door } = await gateway(mkdtempSync(join(root, 'v-')), '')
    t.after(() => storage.stop())
    const { head } = entry(1)
    const nowMs = systemClock.nowMs()
    const deliverBy = { atMs: nowMs + 500_000, mode: 'return', isTraced: false } as const
    const dsn = { notify: [], ret: 'hdrs' } as const
    const kind = 'redirect'
    await door.take({ ...head, id: 'D1.0', kind, dsn, deliverBy }, pieces(TEXT))
    const late = { ...deliverBy, mode: 'notify' } as const
    await door.take({ ...head, id: 'D2.0', kind, deliverBy: late }, pieces(TEXT))
    const [back, told] = (await spool.list({ limit: 2 })).messages
    assert.deepEqual([back!.ret, back!.recipients[0]!.notify], ['hdrs', []])
    assert.deepEqual([back!.deliverBy, back!.expiresAtMs], [deliverBy, deliverBy.atMs])
    assert.deepEqual([told!.ret, told!.recipients[0]!.notify], [undefined, undefined])
    assert.ok(told!.deliverBy !== undefined && told!.expiresAtMs > late.atMs)
  })

  test('what is written here is signed, an absence answer too; what is sent on is not', async (t) => {
    const keys = [fakeDkimKey('rsa'), fakeDkimKey('ed25519')]
    const { signer } = fakeSigner([
      { kind: 'domain', domain: { name: 'campus.example', dkim: keys } },
    ])
    const { storage, spool, door } = await gateway(mkdtempSync(join(root, 'v-')), '', signer)
    t.after(() => storage.stop())
    const kinds = ['vacation', 'reject', 'notify', 'notice', 'forward', 'redirect'] as const
    const octets = fromUtf8(
      'From: 花子 <hanako@campus.example>\r\nDate: Sat, 28 Nov 2026 12:00:00 +0900\r\nSubject: 不在\r\nAuto-Submitted: auto-replied\r\n\r\n来週まで不在です。\r\n',
    )
    for (const kind of kinds) {
      const head = { ...entry(1).head, id: `${kind}.0`, kind, sizeBytes: octets.byteLength }
      await door.take(head, pieces(octets))
    }
    const records = Object.assign({}, ...keys.map((key) => recordOf('campus.example', key)))
    const { messages } = await spool.list({ limit: 10 })
    assert.equal(messages.length, kinds.length)
    for (const { queueId, sizeBytes, deliveryId } of messages) {
      const read = await spool.read({ queueId, offset: 0, length: sizeBytes })
      const isSentOn = deliveryId.startsWith('forward') || deliveryId.startsWith('redirect')
      const results = await dkimResults(read.octets, records)
      assert.deepEqual(results, isSentOn ? ['none'] : ['pass', 'pass'], deliveryId)
    }
  })

  test(`queues each of ${ENTRIES} entries once, over kill -9 after commits whose answers are lost`, async (t) => {
    const dir = mkdtempSync(join(root, 'v-'))
    const waiting = new Map(Array.from({ length: ENTRIES }, (_, i) => [entry(i).head.id, i]))
    let lives = 0
    let lost = 0
    for (let isDone = false; !isDone; lives++) {
      const { storage, spool, door } = await gateway(dir, `spool.replied=die@${COMMITS_A_LIFE}`)
      const before = (await spool.status()).messages
      lost += before - (ENTRIES - waiting.size)
      isDone = await handOver(waiting, door)
      await storage.stop()
    }
    const { storage, spool } = await gateway(dir, '')
    t.after(() => storage.stop())
    const { messages } = await spool.list({ limit: 2 * ENTRIES })
    t.diagnostic(`${messages.length} queued in ${lives} lives, ${lost} answers lost after COMMIT`)
    assert.ok(lost > lives / 2, 'answers were lost')
    assert.equal(messages.length, ENTRIES)
    assert.equal(new Set(messages.map(({ deliveryId }) => deliveryId)).size, ENTRIES)
    for (const { deliveryId, sizeBytes } of messages)
      assert.equal(sizeBytes, entry(Number(deliveryId.slice(1, -2))).octets.byteLength)
  })
})
