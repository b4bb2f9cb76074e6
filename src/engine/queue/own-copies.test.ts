import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { concatOctets, fromUtf8, toUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { leaveField, leaveOf } from '#engine/list/leave-way.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import type { QueueMessage, QueueRecipient } from '#store/spool/spool-store.ts'
import { addr, fakeList } from '#test/fake/directory.ts'
import { dkimResults, fakeDkimKey, fakeSigner, recordOf } from '#test/fake/signing.ts'
import type { Load } from './hop-lanes.ts'
import { OwnCopies } from './own-copies.ts'

const HEADER = 'From: taro@campus.example\r\nSubject: =?UTF-8?B?5rih44KK?=\r\n\r\n'

/** A post as it lies in the queue, signed, and what is done to read and sign it from now on. */
async function queued(bodyBytes: number) {
  const key = fakeDkimKey('rsa')
  const clock = new FakeClock(Date.parse('2026-11-28T00:00:00Z'))
  const { signer } = fakeSigner(
    [{ kind: 'domain', domain: { name: 'campus.example', dkim: [key] } }],
    { clock },
  )
  const leave = leaveOf(fakeList('ゼミ@campus.example'), 'https://mail.campus.example')!
  const common = fromUtf8(`${leaveField(leave)}\r\n${HEADER}`)
  const body = fromUtf8('本文の一行です。\r\n'.repeat(bodyBytes / 26))
  const signed = new SignedOctets(signer, 'campus.example')
  signed.feed(concatOctets([common, body]))
  const signature = await signed.finish('D1')
  const octets = concatOctets([signature, common, body])
  const message = {
    queueId: 'Q1',
    deliveryId: 'D1',
    reversePath: addr('seminar-bounces@campus.example'),
    verp: { key: 'k'.repeat(32), post: 1, leave },
    signed: { startBytes: signature.length, bodyHash: signed.bodyHash() },
  } as unknown as QueueMessage
  const seen = { atWork: 0, most: 0, readBytes: 0 }
  const sign = signer.sign.bind(signer)
  signer.sign = async (...args) => {
    seen.most = Math.max(seen.most, ++seen.atWork)
    return sign(...args).finally(() => seen.atWork--)
  }
  const read = async (at: number, length: number) => {
    const found = octets.subarray(at, at + length)
    seen.readBytes += found.length
    return found
  }
  const copies = new OwnCopies({ signer, clock })
  const copyFor = async (name: string) => {
    const recipients = [{ address: addr(`${name}@else.example`) } as QueueRecipient]
    const load: Load = { message, recipients, hop: { kind: 'mx', domain: 'else.example' } }
    const copy = await copies.of(load, { sizeBytes: octets.length, read })
    assert.ok(copy.ok)
    return copy.value
  }
  return { copyFor, seen, records: recordOf('campus.example', key) }
}

test('copies are signed over one hash of their body, which is not read again for any of them', async () => {
  const { copyFor, seen, records } = await queued(1_000_000)
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => copyFor(`member${n}`)))
  assert.ok(seen.readBytes < 2 * 64 * 1024, `${seen.readBytes} octets were read`)
  const whole = await all[7]!.read(0, all[7]!.sizeBytes)
  assert.match(toUtf8(whole.subarray(0, 4_000)), /List-Unsubscribe-Post/)
  assert.deepEqual(await dkimResults(whole, records), ['pass'])
})

test('however many copies leave at once, their signatures leave a thread and a processor to others', async () => {
  const { copyFor, seen } = await queued(2_600)
  await Promise.all(Array.from({ length: 60 }, (_, n) => copyFor(`member${n}`)))
  assert.ok(seen.most >= 1 && seen.most <= Math.min(3, Math.max(1, availableParallelism() - 1)))
})
