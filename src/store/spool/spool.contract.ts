import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { Address } from '#model/address.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { Accept, QueueFilter, QueueId, QueueMessage, SpoolStore } from './spool-store.ts'

/** A spool under test, on a folder of its own. */
export interface SpoolBench {
  readonly store: SpoolStore
  /** The same folder, opened again. */
  restart(): Promise<SpoolStore>
  end(): Promise<void>
}

const NOW = Date.UTC(2026, 10, 25, 3, 0, 0)
const to = (localpart: string, domain = 'mail.example'): Address => ({ localpart, domain })
const TEXT = 'Subject: 会議のお知らせ\r\n\r\n本文です。\r\n'

export const letter = (
  recipients: Accept['recipients'] = [{ address: to('hanako') }],
  more: Partial<Accept> = {},
): Accept => ({
  deliveryId: 'D1' as DeliveryId,
  door: 'mx',
  reversePath: to('taro', 'xn--wgv71a119e.example'),
  recipients,
  body: '8bitmime',
  smtpUtf8: false,
  receivedAtMs: NOW,
  expiresAtMs: NOW + 1_000_000,
  content: { octets: [fromUtf8('Received: x\r\n'), fromUtf8(TEXT)] },
  ...more,
})

/** What every spool does, whatever lies between it and its disk. */
export function spoolContract(name: string, open: () => Promise<SpoolBench>): void {
  describe(`spool contract: ${name}`, () => {
    let bench: SpoolBench
    let store: SpoolStore
    beforeEach(async () => {
      bench = await open()
      store = bench.store
    })
    afterEach(() => bench.end())

    const accept = async (...args: Parameters<typeof letter>): Promise<QueueId> =>
      (await store.accept(letter(...args))).queueId
    const show = async (queueId: QueueId): Promise<QueueMessage> => {
      const { message } = await store.show({ queueId })
      assert.ok(message)
      return message
    }
    const claim = (nowMs = NOW, limit = 100): ReturnType<SpoolStore['claim']> =>
      store.claim({ nowMs, limit })
    const whole = async (queueId: QueueId): Promise<Octets> => {
      const { sizeBytes } = await show(queueId)
      return (await store.read({ queueId, offset: 0, length: sizeBytes })).octets
    }

    test('queues an entry of an outbox once for its id, also over a restart and after its end', async () => {
      const entry = { door: 'outbox', deliveryId: 'D1.転送' as DeliveryId } as const
      const [first, second] = await Promise.all([
        accept(undefined, entry),
        accept(undefined, entry),
      ])
      assert.equal(second, first)
      const other = await accept(undefined, { ...entry, deliveryId: 'D2' as DeliveryId })
      store = await bench.restart()
      assert.equal(await accept(undefined, entry), first)
      const ended = { queueId: other, index: 0, kind: 'delivered', status: '250 ok' } as const
      await store.settle({ settlements: [ended], dsns: [] })
      assert.equal(await accept(undefined, { ...entry, deliveryId: 'D2' as DeliveryId }), other)
      assert.equal((await store.status()).messages, 1)
      // Other doors make an id of their own for each message; nothing is asked of it.
      const plain = [await accept(), await accept()]
      assert.notEqual(plain[0], plain[1])
    })

    test('keeps envelope and octets, also over a restart', async () => {
      const recipients: Accept['recipients'] = [
        { address: to('"a@b"'), original: 'rfc822;A@B', notify: [] },
        { address: to('花子', '日本語.example'), notify: ['success', 'delay'] },
        { address: to('held'), hold: 'ウイルス: EICAR' },
      ]
      const verdict = {
        class: 'suspected',
        score: 4.2,
        hits: [{ name: 'SUBJECT', score: 4.2, detail: '無料' }],
        virus: { kind: 'clean' },
        auth: [],
        caseId: 'C1',
        degraded: ['dns'],
      } as const
      const queueId = await accept(recipients, {
        envid: 'Q=1',
        ret: 'hdrs',
        verdict,
        reversePath: null,
      })
      const check = async (): Promise<void> => {
        const message = await show(queueId)
        assert.equal(message.reversePath, null)
        assert.equal(message.envid, 'Q=1')
        assert.equal(message.ret, 'hdrs')
        assert.deepEqual(message.verdict, verdict)
        assert.equal(message.sizeBytes, Buffer.byteLength(`Received: x\r\n${TEXT}`))
        assert.deepEqual(
          message.recipients.map(({ address, original, notify, hold, state, index, attempts }) => ({
            address,
            original,
            notify,
            hold,
            state,
            index,
            attempts,
          })),
          recipients.map(({ address, original, notify, hold }, index) => ({
            address,
            original,
            notify,
            hold,
            state: hold === undefined ? 'ready' : 'held',
            index,
            attempts: 0,
          })),
        )
        assert.equal(toUtf8(await whole(queueId)), `Received: x\r\n${TEXT}`)
        const part = await store.read({ queueId, offset: 10, length: 3 })
        assert.equal(toUtf8(part.octets), 'x\r\n')
      }
      await check()
      store = await bench.restart()
      await check()
    })

    test('gives every message an id of its own, growing, though many come at once', async () => {
      const ids = await Promise.all(Array.from({ length: 100 }, () => accept()))
      assert.equal(new Set(ids).size, 100)
      const later = await accept()
      assert.ok(ids.every((id) => id < later))
      assert.equal((await store.status()).messages, 101)
    })

    test('claims what is due, oldest first, each recipient once', async () => {
      const late = await accept([{ address: to('late') }], { receivedAtMs: NOW + 50 })
      const early = await accept([{ address: to('a') }, { address: to('b'), hold: 'x' }], {
        receivedAtMs: NOW - 50,
      })
      const first = await claim(NOW)
      assert.deepEqual(
        first.messages.map((message) => [message.queueId, message.recipients.map((r) => r.index)]),
        [[early, [0]]],
      )
      assert.equal(first.messages[0]!.recipients[0]!.state, 'claimed')
      assert.equal(first.nextDueMs, NOW + 50)
      const second = await claim(NOW + 50)
      assert.deepEqual(
        second.messages.map((message) => message.queueId),
        [late],
      )
      assert.equal(second.nextDueMs, undefined)
      assert.deepEqual(await claim(NOW + 50), { messages: [] })
      const { recipients } = await store.status()
      assert.deepEqual([recipients.ready, recipients.claimed, recipients.held], [0, 2, 1])
      store = await bench.restart()
      assert.equal((await claim(NOW + 50)).messages.length, 2, 'a restart makes claims ready again')
    })

    test('stops at the limit and tells that more is due', async () => {
      for (let i = 0; i < 5; i++) await accept([{ address: to('a') }, { address: to('b') }])
      const first = await claim(NOW, 3)
      assert.equal(first.messages.length, 2, 'a message comes whole')
      assert.equal(first.nextDueMs, NOW)
      assert.equal((await claim(NOW, 100)).messages.length, 3)
    })

    test('claims bulk apart from what is for single people, and not where nothing of it is wanted', async () => {
      const many = Array.from({ length: 50 }, (_, i) => ({ address: to(`member${i}`) }))
      const verp = { key: '会'.repeat(20), post: 7 }
      await accept(many, { isBulk: true, verp, receivedAtMs: NOW - 10 })
      const single = await accept(undefined, { receivedAtMs: NOW })
      const none = await store.claim({ nowMs: NOW, limit: 10, bulkLimit: 0 })
      assert.deepEqual(
        none.messages.map(({ queueId }) => queueId),
        [single],
        'it comes first, though it is younger',
      )
      assert.equal(none.nextDueMs, undefined)
      const rest = await store.claim({ nowMs: NOW, limit: 10, bulkLimit: 1 })
      assert.deepEqual(
        rest.messages.map(({ recipients, isBulk, verp: kept }) => [
          recipients.length,
          isBulk,
          kept,
        ]),
        [[50, true, verp]],
      )
      const later = { kind: 'deferred', status: '451', nextAttemptMs: NOW + 5 } as const
      const { queueId } = rest.messages[0]!
      await store.settle({
        settlements: [{ ...later, queueId, index: 3, delayNotified: false }],
        dsns: [],
      })
      assert.equal((await claim(NOW)).nextDueMs, NOW + 5)
      assert.equal((await claim(NOW + 5)).messages[0]?.recipients[0]?.index, 3)
      assert.equal((await store.status()).recipients.claimed, 51)
      store = await bench.restart()
      assert.equal((await claim(NOW + 5)).messages.length, 2)
    })

    test('claims a mail to thousands whole, whatever comes while it is gone through', async () => {
      const many = Array.from({ length: 1_200 }, (_, i) => ({ address: to(`member${i}`) }))
      const bulk = await accept(many, { isBulk: true, receivedAtMs: NOW - 10 })
      const [claimed, again, single] = await Promise.all([
        claim(NOW),
        claim(NOW),
        accept(undefined, { receivedAtMs: NOW - 20 }),
      ])
      const found = [...claimed.messages, ...again.messages, ...(await claim(NOW)).messages]
      assert.deepEqual(found.map(({ queueId }) => queueId).toSorted(), [bulk, single].toSorted())
      const whole = found.find(({ queueId }) => queueId === bulk)!
      assert.deepEqual(
        whole.recipients.map(({ index, address: { localpart } }) => [index, localpart]),
        many.map(({ address }, index) => [index, address.localpart]),
      )
    })

    test('claims what comes later with an earlier time, and what comes back meanwhile', async () => {
      const first = await accept(undefined, { receivedAtMs: NOW })
      const second = await accept(undefined, { receivedAtMs: NOW + 1 })
      assert.equal((await claim(NOW + 1)).messages.length, 2)
      const early = await accept(undefined, { receivedAtMs: NOW - 1 })
      const defer = (queueId: QueueId, nextAttemptMs: number): Promise<unknown> =>
        store.settle({
          settlements: [
            {
              queueId,
              index: 0,
              kind: 'deferred',
              status: '451 4.3.0 後で',
              nextAttemptMs,
              delayNotified: false,
            },
          ],
          dsns: [],
        })
      // A claim between a commit and its answer must not lose what is just coming back.
      const back = Promise.all([defer(first, NOW - 2), claim(NOW - 1)])
      const between = (await back)[1].messages
      const after = (await claim(NOW + 1)).messages
      assert.deepEqual(
        [...between, ...after].map((message) => message.queueId).toSorted(),
        [first, early].toSorted(),
      )
      await defer(second, NOW + 1)
      await defer(early, NOW - 1)
      assert.deepEqual(
        (await claim(NOW + 1)).messages.map((message) => message.queueId),
        [early, second],
      )
    })

    test('settles: delivered ends, deferred comes again later, held waits for people', async () => {
      const queueId = await accept(['a', 'b', 'c'].map((local) => ({ address: to(local) })))
      await claim()
      await store.settle({
        settlements: [
          { queueId, index: 0, kind: 'delivered', status: '250 2.0.0 届きました' },
          {
            queueId,
            index: 1,
            kind: 'deferred',
            status: '451 4.3.0 later',
            nextAttemptMs: NOW + 500,
            delayNotified: true,
          },
          { queueId, index: 2, kind: 'held', reason: '確認待ち' },
        ],
        dsns: [],
      })
      const { recipients } = await show(queueId)
      assert.deepEqual(
        recipients.map((one) => [one.state, one.attempts, one.lastStatus, one.hold]),
        [
          ['delivered', 1, '250 2.0.0 届きました', undefined],
          ['ready', 1, '451 4.3.0 later', undefined],
          ['held', 0, undefined, '確認待ち'],
        ],
      )
      assert.equal(recipients[1]!.delayNotified, true)
      assert.equal((await claim(NOW + 499)).nextDueMs, NOW + 500)
      const again = await claim(NOW + 500)
      assert.deepEqual(
        again.messages.flatMap((message) => message.recipients.map((one) => one.index)),
        [1],
      )
      const status = await store.status()
      assert.equal(status.recipients.delivered, 1)
      assert.equal(status.oldestMs, NOW)
    })

    test('forgets a message whose recipients have all ended, its DSN entering with it', async () => {
      const queueId = await accept()
      await claim()
      const settlement = { queueId, index: 0, kind: 'failed', status: '550 5.1.1 いない' } as const
      const dsn = letter([{ address: to('taro', 'away.example') }], {
        door: 'dsn',
        reversePath: null,
      })
      const { queued } = await store.settle({ settlements: [settlement], dsns: [dsn] })
      assert.equal(queued.length, 1)
      assert.deepEqual(await store.show({ queueId }), {})
      await assert.rejects(store.read({ queueId, offset: 0, length: 1 }), (thrown) =>
        isFault(thrown, 'notFound'),
      )
      assert.equal((await show(queued[0]!)).door, 'dsn')
      const repeated = await store.settle({ settlements: [settlement], dsns: [dsn] })
      assert.deepEqual(repeated.queued, [], 'a repeated settle makes no second DSN')
      assert.equal((await store.status()).messages, 1)
    })

    test('takes large content with a prefix in front, and lets it go', async () => {
      const { handle } = await store.openLarge()
      const pieces = Array.from({ length: 5 }, () => randomBytes(200_000))
      await Promise.all(pieces.map((octets) => store.appendLarge({ handle, octets })))
      const { octets } = await store.readLarge({ handle, offset: 199_990, length: 20 })
      assert.deepEqual(Buffer.from(octets), Buffer.concat(pieces).subarray(199_990, 200_010))
      const prefix = fromUtf8('X-Watari: 大\r\n')
      const queueId = await accept(undefined, { content: { prefix, large: handle } })
      const expected = Buffer.concat([prefix, ...pieces])
      assert.equal((await show(queueId)).sizeBytes, expected.length)
      assert.deepEqual(Buffer.from(await whole(queueId)), expected)
      store = await bench.restart()
      assert.deepEqual(Buffer.from(await whole(queueId)), expected)
      await claim()
      await store.settle({
        settlements: [{ queueId, index: 0, kind: 'delivered', status: '250 ok' }],
        dsns: [],
      })
      assert.equal((await store.status()).messages, 0)
    })

    test('an aborted large file cannot be accepted, and spoils nothing', async () => {
      const { handle } = await store.openLarge()
      await store.appendLarge({ handle, octets: fromUtf8('途中') })
      await store.abortLarge({ handle })
      await assert.rejects(
        accept(undefined, { content: { prefix: fromUtf8(''), large: handle } }),
        (thrown) => isFault(thrown, 'notFound'),
      )
      await accept()
      assert.equal((await store.status()).messages, 1)
    })

    test('lists by state and address, page by page', async () => {
      const ids: QueueId[] = []
      for (let i = 0; i < 5; i++)
        ids.push(
          await accept([
            { address: to(`User${i}`) },
            ...(i % 2 === 0 ? [{ address: to('x'), hold: 'spam' }] : []),
          ]),
        )
      const list = async (filter: Parameters<SpoolStore['list']>[0]): Promise<QueueId[]> =>
        (await store.list(filter)).messages.map((message) => message.queueId)
      assert.deepEqual(await list({ limit: 3 }), ids.slice(0, 3))
      assert.deepEqual(await list({ limit: 3, after: ids[2]! }), ids.slice(3))
      assert.deepEqual(await list({ limit: 9, state: 'held' }), [ids[0], ids[2], ids[4]])
      assert.deepEqual(await list({ limit: 1, state: 'held', after: ids[0]! }), [ids[2]])
      assert.deepEqual(await list({ limit: 9, address: 'uSER3@' }), [ids[3]])
      assert.deepEqual(await list({ limit: 9, address: 'taro@xn--WGV71A119E' }), ids)
      assert.deepEqual(await list({ limit: 9, address: '誰か' }), [])
      assert.deepEqual(await list({ limit: 9, state: 'claimed' }), [])
      await claim(NOW, 1)
      assert.deepEqual(await list({ limit: 9, state: 'claimed' }), [ids[0]])
      assert.deepEqual(await list({ limit: 9, state: 'ready' }), ids.slice(1))
    })

    test('lists the newest first, within two ids, and by domain and text', async () => {
      const ids: QueueId[] = []
      const domains = [
        'campus.example',
        'xn--wgv71a119e.example',
        '日本語.example',
        'notcampus.example',
      ]
      for (const [i, domain] of domains.entries())
        ids.push(
          await accept([
            { address: { localpart: `花子${i}`, domain }, ...(i > 1 && { hold: '添付 Zip' }) },
          ]),
        )
      const list = async (filter: Partial<QueueFilter>): Promise<QueueId[]> =>
        (await store.list({ limit: 9, ...filter })).messages.map((message) => message.queueId)
      const newest = ids.toReversed()
      assert.deepEqual(await list({ order: 'newest' }), newest)
      assert.deepEqual(await list({ order: 'newest', limit: 2 }), newest.slice(0, 2))
      assert.deepEqual(await list({ order: 'newest', after: newest[1]! }), newest.slice(2))
      assert.deepEqual(await list({ order: 'newest', state: 'held' }), newest.slice(0, 2))
      assert.deepEqual(await list({ from: ids[1]!, before: ids[3]! }), ids.slice(1, 3))
      assert.deepEqual(
        await list({ order: 'newest', from: ids[1]!, before: ids[3]! }),
        newest.slice(1, 3),
      )
      assert.deepEqual(await list({ from: ids[1]!, after: ids[1]! }), ids.slice(2))
      assert.deepEqual(await list({ state: 'held', before: ids[3]! }), [ids[2]])
      assert.deepEqual(await list({ domain: 'CAMPUS.example' }), [ids[0]])
      assert.deepEqual(await list({ domain: '日本語.example' }), ids.slice(1, 3))
      assert.deepEqual(await list({ domain: 'xn--WGV71A119E.example' }), ids.slice(1, 3))
      assert.deepEqual(await list({ text: '添付 zip' }), ids.slice(2))
      assert.deepEqual(await list({ text: '花子2' }), [ids[2]])
      assert.deepEqual(await list({ text: ids[3]!.toLowerCase() }), [ids[3]])
      assert.deepEqual(await list({ text: 'zip', domain: 'notcampus.example' }), [ids[3]])
      await claim(NOW, 2)
      assert.deepEqual(
        await list({ state: 'claimed', order: 'newest' }),
        ids.slice(0, 2).toReversed(),
      )
      assert.deepEqual(await list({ state: 'claimed', from: ids[1]! }), [ids[1]])
    })

    test('counts recipients by state over every way that they go', async () => {
      const counts = async (): Promise<string> =>
        Object.entries((await store.status()).recipients)
          .filter(([, count]) => count > 0)
          .map(([state, count]) => `${state} ${count}`)
          .join(', ')
      const of = (...names: string[]) => names.map((name) => ({ address: to(name) }))
      const queueId = await accept([
        ...of('a', 'b', 'c', 'd', 'e'),
        { address: to('花'), hold: 'x' },
      ])
      assert.equal(await counts(), 'ready 5, held 1')
      await claim(NOW, 6)
      assert.equal(await counts(), 'claimed 5, held 1')
      const done = (index: number, kind: 'delivered' | 'failed' | 'dropped') => ({
        queueId,
        index,
        kind,
        status: '後で',
      })
      const settlements = [
        done(0, 'delivered'),
        done(1, 'failed'),
        { ...done(2, 'dropped'), kind: 'held', reason: '待つ' } as const,
        {
          ...done(3, 'dropped'),
          kind: 'deferred',
          nextAttemptMs: NOW + 9,
          delayNotified: false,
        } as const,
      ]
      await store.settle({ settlements, dsns: [] })
      await store.settle({ settlements: settlements.slice(0, 2), dsns: [] })
      assert.equal(await counts(), 'ready 1, claimed 1, held 2, delivered 1, failed 1')
      await store.act({ queueId, act: 'release', nowMs: NOW })
      await store.settle({ settlements: [done(4, 'dropped')], dsns: [] })
      const before = await counts()
      assert.equal(before, 'ready 3, delivered 1, failed 1, dropped 1')
      store = await bench.restart()
      assert.equal(await counts(), before, 'the same as counted anew')
      await store.act({ queueId, act: 'drop', nowMs: NOW })
      assert.equal(await counts(), '')
    })

    test('gives what is released its whole lifetime, however long it was held', async () => {
      const held = [{ address: to('花子'), hold: '調べられない' }]
      const queueId = await accept(held, { envid: '"渡り"' })
      const { expiresAtMs, ...earlier } = await show(queueId)
      const nowMs = expiresAtMs + 5
      await store.act({ queueId, act: 'retry', nowMs })
      assert.equal((await show(queueId)).expiresAtMs, expiresAtMs, 'nothing was released')
      await store.act({ queueId, act: 'release', nowMs })
      const { recipients, ...later } = await show(queueId)
      const { recipients: _, ...kept } = earlier
      assert.deepEqual(later, { ...kept, expiresAtMs: nowMs + expiresAtMs - NOW })
      assert.equal(recipients[0]?.state, 'ready')
      await store.act({ queueId, act: 'hold', nowMs })
      await store.act({ queueId, act: 'release', nowMs: NOW })
      assert.equal((await show(queueId)).expiresAtMs, later.expiresAtMs, 'never less than it has')
    })

    test('makes due at once those that are named, or whose time is too far; claimed ones stay', async () => {
      const defer = async (nextAttemptMs: number): Promise<QueueId> => {
        const queueId = await accept([{ address: to('a') }, { address: to('花子') }])
        await claim()
        const part = { queueId, kind: 'deferred', status: '4', delayNotified: false } as const
        await store.settle({
          settlements: [0, 1].map((index) => ({ ...part, index, nextAttemptMs })),
          dsns: [],
        })
        return queueId
      }
      const [near, far] = [await defer(NOW + 1_000), await defer(NOW + 9_000_000)]
      const named = [
        { queueId: near, index: 1 },
        { queueId: near, index: 7 },
        { queueId: '?' as QueueId, index: 0 },
      ]
      assert.deepEqual(await store.hasten({ nowMs: NOW, what: { these: named } }), { changed: 1 })
      assert.deepEqual(await store.hasten({ nowMs: NOW, what: { these: named } }), { changed: 0 })
      const { messages, nextDueMs } = await claim()
      assert.deepEqual(
        messages.map(({ queueId, recipients }) => [queueId, recipients.map((one) => one.index)]),
        [[near, [1]]],
      )
      assert.equal(nextDueMs, NOW + 1_000)
      assert.deepEqual(await store.hasten({ nowMs: NOW, what: { these: named } }), { changed: 0 })
      const later = { nowMs: NOW, what: { laterThanMs: NOW + 1_000 } }
      assert.deepEqual(await store.hasten(later), { changed: 2 })
      assert.deepEqual(await store.hasten(later), { changed: 0 })
      assert.deepEqual(
        (await claim()).messages.map(({ queueId }) => queueId),
        [far],
      )
    })

    test('acts: hold, release, retry and drop, claimed recipients left alone', async () => {
      const queueId = await accept([{ address: to('a') }, { address: to('b') }])
      const act = async (
        word: 'hold' | 'release' | 'retry' | 'drop',
        nowMs = NOW,
      ): Promise<number> => (await store.act({ queueId, act: word, nowMs })).changed
      const states = async (): Promise<string[]> =>
        (await show(queueId)).recipients.map((one) => one.state)
      assert.equal(await act('hold'), 2)
      assert.deepEqual(await states(), ['held', 'held'])
      assert.deepEqual(await claim(), { messages: [] })
      assert.equal(await act('release', NOW + 7), 2)
      assert.equal((await claim(NOW)).nextDueMs, NOW + 7)
      await claim(NOW + 7)
      assert.equal(await act('drop'), 0)
      await store.settle({
        settlements: [
          {
            queueId,
            index: 0,
            kind: 'deferred',
            status: '4',
            nextAttemptMs: NOW + 9_999,
            delayNotified: false,
          },
          { queueId, index: 1, kind: 'delivered', status: '250 ok' },
        ],
        dsns: [],
      })
      assert.equal(await act('retry', NOW + 8), 1)
      assert.equal((await claim(NOW + 7)).nextDueMs, NOW + 8)
      assert.equal(await act('drop'), 1)
      assert.deepEqual(await store.show({ queueId }), {})
      assert.equal(
        (await store.act({ queueId: '?' as QueueId, act: 'drop', nowMs: NOW })).changed,
        0,
      )
    })
  })
}
