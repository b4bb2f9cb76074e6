import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLog } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import type { MessageSink } from '#model/reception.ts'
import { openSpool } from '#store/spool/open.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { DeliveryQueue } from './delivery-queue.ts'
import { storeReception } from './store-reception.ts'
import { UnheardAnswers } from './unheard-answers.ts'

const TEXT = 'Subject: 会議\r\n\r\n水曜日です。\r\n'
const HANAKO = 'hanako@campus.example'
const TARO = 'taro@campus.example'

describe('mail that a foreign peer sends once more', () => {
  let store: FakeMailboxStore
  let clock: FakeClock
  let answers: UnheardAnswers
  let count = 0
  beforeEach(() => {
    store = new FakeMailboxStore()
    clock = new FakeClock()
    answers = new UnheardAnswers(clock)
  })
  afterEach(() => store.close())

  interface Sent {
    readonly text?: string
    readonly from?: string
    readonly to?: readonly string[]
    readonly handed?: string
    readonly queue?: DeliveryQueue
  }
  /** One whole message; its sink and the codes of its replies. */
  const send = async (sent: Sent = {}): Promise<{ sink: MessageSink; codes: number[] }> => {
    const { text = TEXT, from = 'a@b.example', to = [HANAKO], handed, queue } = sent
    const reception = storeReception({
      directory: fakeDirectory([
        { kind: 'domain', domain: { name: 'campus.example' } },
        ...[HANAKO, TARO].map((each) => ({ kind: 'account', account: fakeAccount(each) }) as const),
      ]),
      mailboxes: store,
      hostname: 'mail.campus.example',
      newDeliveryId: () => `D${++count}`,
      unheard: answers,
      clock,
      log: silentLog,
      events: { emit: () => undefined },
      filed: () => undefined,
      unready: () => (queue === undefined ? 'ready' : 'stalled'),
      ...(queue !== undefined && { queue }),
    })
    const opened = await reception.mail({
      door: 'lmtp',
      peer: { ip: '192.0.2.7', port: 24, helo: 'mx.foreign.example', greeting: 'LHLO' },
      reversePath: addr(from),
      body: '8bitmime',
      smtpUtf8: false,
      ...(handed !== undefined && { handed: { deliveryId: handed } }),
    })
    assert.ok(opened.ok)
    for (const each of to) await opened.value.rcpt({ address: addr(each) })
    const sink = await opened.value.data()
    assert.ok(sink.ok)
    const octets = fromUtf8(text)
    await sink.value.write(octets.subarray(0, 9))
    await sink.value.write(octets.subarray(9))
    const codes = (await sink.value.finish()).map(({ code }) => code)
    return { sink: sink.value, codes }
  }
  const filed = async (): Promise<number> => (await store.status()).messages
  const lost = async (sent?: Sent): Promise<void> => {
    const { sink, codes } = await send(sent)
    assert.ok(codes.every((code) => code === 250))
    sink.unheard?.()
  }

  it('is filed once where its connection had died unanswered', async () => {
    await lost()
    assert.deepEqual((await send()).codes, [250])
    assert.equal(await filed(), 1)
  })

  it('is another mail with other octets, another sender, or more recipients', async () => {
    await lost()
    await send({ text: `${TEXT}P.S. 木曜日でした。\r\n` })
    assert.equal(await filed(), 2)
    await send({ from: 'c@b.example' })
    assert.equal(await filed(), 3)
    await send({ to: [HANAKO, TARO] })
    assert.equal(await filed(), 5)
  })

  it('is meant where a 250 was heard, and by a gateway of ours that gives it another id', async () => {
    await send()
    await send()
    assert.equal(await filed(), 2)
    await lost()
    await send({ handed: 'D-other' })
    assert.equal(await filed(), 4)
  })

  it('is filed once for those who were not told, after some of them were', async () => {
    await lost({ to: [HANAKO, TARO] })
    await send({ to: [TARO] })
    assert.equal(await filed(), 2)
  })

  it('is filed once where our own 451 came after its COMMIT', async () => {
    const commit = store.commit
    store.commit = async (request) => {
      await commit(request)
      throw new Fault('stalled', 'no answer in 4000 ms')
    }
    assert.deepEqual((await send()).codes, [451])
    store.commit = commit
    assert.deepEqual((await send()).codes, [250])
    assert.equal(await filed(), 1)
  })

  it('is another mail a day later', async () => {
    await lost()
    clock.advance(DAY_MS + 1)
    await send()
    assert.equal(await filed(), 2)
  })

  it('is known after the end of the process that had filed it, by its moment and its door', async () => {
    await answers.recallFiled(store, 'lmtp')
    const early = `${TEXT}早く\r\n`
    await send({ text: early })
    store.clock.advance(60_000)
    await send({ to: [HANAKO, TARO] })
    answers = new UnheardAnswers(clock)
    await answers.recallFiled(store, 'other')
    await send()
    assert.equal(await filed(), 4, 'what came in elsewhere is not this')
    answers = new UnheardAnswers(clock)
    await answers.recallFiled(store, 'lmtp')
    await send()
    await send({ to: [TARO, HANAKO] })
    assert.equal(await filed(), 4)
    // The answer to the early one had a minute to be heard.
    await send({ text: early })
    assert.equal(await filed(), 5)
    // So it is once more after a second end: it came under the id that it has.
    answers = new UnheardAnswers(clock)
    await answers.recallFiled(store, 'lmtp')
    await send({ text: early })
    await send()
    assert.equal(await filed(), 5)
  })

  it('is known after the end of the process that had queued it, by its moment', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'watari-unheard-'))
    const spool = await openSpool({ dir, clock, reserveBytes: 0 })
    t.after(async () => {
      await spool.close()
      await rm(dir, { recursive: true })
    })
    const entered = (): void => undefined
    const events = { emit: entered }
    const queue = new DeliveryQueue({ spool, lifetimeMs: () => DAY_MS, clock, events, entered })
    const early = `${TEXT}早く\r\n`
    assert.deepEqual((await send({ queue, text: early })).codes, [250])
    clock.advance(60_000)
    assert.deepEqual((await send({ queue })).codes, [250])
    answers = new UnheardAnswers(clock)
    await answers.recall(spool)
    // The answer to the early one had a minute to be heard.
    for (const text of [TEXT, early]) assert.deepEqual((await send({ queue, text })).codes, [250])
    const ids = (await spool.list({ limit: 10 })).messages.map(({ deliveryId }) => deliveryId)
    assert.equal(ids.length, 4)
    assert.equal(ids[2], ids[1], 'filed once, whichever comes first')
    assert.notEqual(ids[3], ids[0])
  })
})
