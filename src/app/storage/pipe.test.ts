import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { Fault, isFault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { Caller } from './caller.ts'
import { FrameReader, FrameWriter } from './frame.ts'
import { errorOf, failureOf } from './messages.ts'
import type { ToChild, ToParent } from './messages.ts'
import { proxyOf } from './proxy.ts'

const frame = (...values: unknown[]): Buffer => {
  const writer = new FrameWriter()
  for (const value of values) writer.add(value)
  return Buffer.concat(writer.end())
}

describe('frames', () => {
  const large = randomBytes(100_000)
  const values = [
    { text: '会議のお知らせ', none: null, missing: undefined, big: 2n ** 60n, list: [1, 2.5, -1] },
    [new Uint8Array([1, 2, 3]), new Uint8Array(0), large, large.subarray(5, 3_000)],
    {
      uids: new Uint32Array([1, 2, 4_000_000_000]),
      modSeqs: new Float64Array(1_000).fill(2 ** 50 + 1),
      ids: new BigInt64Array([-1n]),
    },
    undefined,
  ]
  const check = (got: unknown[]): void => {
    assert.deepEqual(got[0], values[0])
    const octets = got[1] as Uint8Array[]
    assert.ok(octets.every((part) => part instanceof Uint8Array))
    assert.deepEqual(
      octets.map((part) => Buffer.from(part).toString('hex')),
      (values[1] as Uint8Array[]).map((part) => Buffer.from(part).toString('hex')),
    )
    assert.deepEqual(got[2], values[2])
    assert.equal(got[3], undefined)
    assert.equal(got.length, 4)
  }

  test('carry plain values, typed arrays and octets, whole', () => {
    check(new FrameReader().feed(frame(...values)))
  })

  test('come apart in any pieces and together in any number', () => {
    const octets = Buffer.concat([frame(...values), frame('二'), frame()])
    for (const size of [1, 7, 1_000, 65_536, octets.length]) {
      const reader = new FrameReader()
      const got: unknown[] = []
      for (let at = 0; at < octets.length; at += size)
        got.push(...reader.feed(octets.subarray(at, at + size)))
      check(got.slice(0, 4))
      assert.deepEqual(got.slice(4), ['二'])
    }
  })

  test('a value that cannot be carried is refused and spoils no other', () => {
    const writer = new FrameWriter()
    writer.add(['前', large])
    assert.throws(() => writer.add([large, () => undefined]))
    writer.add('後')
    const got = new FrameReader().feed(Buffer.concat(writer.end()))
    assert.equal(got.length, 2)
    assert.deepEqual(Buffer.from((got[0] as [string, Uint8Array])[1]), large)
    assert.equal(got[1], '後')
  })

  test('what stands in several values comes in each of them', () => {
    const shared = { octets: large, path: ['会議'] }
    const got = new FrameReader().feed(frame([1, shared], [2, shared], shared.octets))
    assert.deepEqual((got[1] as unknown[])[1], { octets: Buffer.from(large), path: ['会議'] })
    assert.deepEqual(Buffer.from(got[2] as Uint8Array), large)
    assert.throws(
      () => new FrameReader().feed(Buffer.concat([Buffer.of(9), frame(1).subarray(1)])),
      (thrown) => isFault(thrown, 'protocol'),
    )
  })

  test('octets that are no frame are refused, not waited for', () => {
    assert.throws(
      () => new FrameReader().feed(Buffer.alloc(64, 0xff)),
      (thrown) => isFault(thrown, 'protocol'),
    )
  })

  test('faults keep their code, mistakes do not become faults', () => {
    const fault = errorOf(failureOf(new Fault('full', '空きがない')))
    assert.ok(isFault(fault, 'full') && fault.message === '空きがない')
    assert.ok(!isFault(errorOf(failureOf(new TypeError('x')))))
  })
})

interface Letters {
  put(letter: unknown): Promise<{ id: number }>
  claim(): Promise<unknown>
}

describe('calls', () => {
  const set = (): {
    clock: FakeClock
    caller: Caller
    store: Letters
    sent: (ToChild & readonly ['call', ...unknown[]])[]
    stalls: boolean[]
    connect: () => void
    answer: (message: ToParent) => void
  } => {
    const clock = new FakeClock()
    const stalls: boolean[] = []
    const caller = new Caller({
      clock,
      deadlineMs: 1_000,
      onStall: (isStalled) => stalls.push(isStalled),
    })
    const sent: (ToChild & readonly ['call', ...unknown[]])[] = []
    const pipe = {
      send: (value: unknown) => {
        structuredClone(value)
        sent.push(value as (typeof sent)[number])
      },
      flush: () => undefined,
      destroy: () => undefined,
    }
    return {
      clock,
      caller,
      store: proxyOf(caller, 'letters') as Letters,
      sent,
      stalls,
      connect: () => caller.connect(pipe),
      answer: (message) => assert.equal(caller.take(message), true),
    }
  }
  const pass = (clock: FakeClock, ms: number): void => {
    for (let at = 0; at < ms; at += 100) clock.advance(100)
  }
  const fault = (code: 'stalled' | 'closed' | 'full') => (thrown: unknown) => isFault(thrown, code)

  test('wait for a child, go in order, and get their own answers', async () => {
    const { store, sent, connect, answer } = set()
    const first = store.put('一')
    const second = store.put('二')
    assert.equal(sent.length, 0)
    connect()
    assert.deepEqual(
      sent.map(([, id, service, method, argument]) => [id, service, method, argument]),
      [
        [1, 'letters', 'put', '一'],
        [2, 'letters', 'put', '二'],
      ],
    )
    answer(['answer', 2, { id: 22 }])
    answer(['failure', 1, { code: 'full', message: '空きがない' }])
    assert.deepEqual(await second, { id: 22 })
    await assert.rejects(first, fault('full'))
  })

  test('past the deadline they are stalled, others at once, until an answer comes', async () => {
    const { clock, store, sent, stalls, connect, answer } = set()
    connect()
    const late = store.put('遅')
    late.catch(() => undefined)
    pass(clock, 900)
    assert.deepEqual(stalls, [])
    pass(clock, 200)
    await assert.rejects(late, fault('stalled'))
    await assert.rejects(store.put('次'), fault('stalled'))
    assert.equal(sent.length, 1)
    answer(['answer', 1, { id: 1 }])
    assert.deepEqual(stalls, [true, false])
    const next = store.put('次')
    answer(['answer', 2, { id: 2 }])
    assert.deepEqual(await next, { id: 2 })
  })

  test('one that is late while others are answered is late alone', async () => {
    const { clock, store, stalls, connect, answer } = set()
    connect()
    const slow = store.put('全部を読む')
    slow.catch(() => undefined)
    for (let id = 2; id <= 13; id++) {
      const other = store.put('次')
      pass(clock, 100)
      answer(['answer', id, { id }])
      assert.deepEqual(await other, { id })
    }
    await assert.rejects(slow, fault('stalled'))
    assert.deepEqual(stalls, [])
    // The other answers end, and with them what spoke for the storage.
    const unanswered = store.put('返事なし')
    unanswered.catch(() => undefined)
    pass(clock, 1_100)
    await assert.rejects(unanswered, fault('stalled'))
    assert.deepEqual(stalls, [true])
  })

  test('a commit for thousands of accounts has the time of a call for each of its steps', async () => {
    const { clock, store, stalls, connect, answer } = set()
    connect()
    const posting = store.put({ commits: Array.from({ length: 1_001 }) })
    pass(clock, 2_500)
    answer(['answer', 1, { id: 1 }])
    assert.deepEqual(await posting, { id: 1 })
    const late = store.put({ commits: Array.from({ length: 1_001 }) })
    late.catch(() => undefined)
    pass(clock, 3_200)
    await assert.rejects(late, fault('stalled'))
    assert.deepEqual(stalls, [true])
  })

  test('a call whose outcome must be known waits for as long as the child lives', async () => {
    const { clock, caller, store, connect, answer } = set()
    connect()
    const kept = store.claim()
    pass(clock, 60_000)
    answer(['answer', 1, '受'])
    assert.equal(await kept, '受')
    const lost = store.claim()
    caller.disconnect()
    await assert.rejects(lost, fault('closed'))
  })

  test('a machine that stood still is not taken for a disk that does', async () => {
    const { clock, store, stalls, connect, answer } = set()
    connect()
    const call = store.put('待')
    clock.advance(50)
    // The fake clock runs timers on time; a real pause makes one late.
    clock.monotonicMs = () => clock.nowMs() + 600_000
    pass(clock, 300)
    answer(['answer', 1, { id: 1 }])
    assert.deepEqual(await call, { id: 1 })
    assert.deepEqual(stalls, [])
  })

  test('octets on the way are bounded, what is over waits its turn', async () => {
    const { store, sent, connect, answer } = set()
    connect()
    const octets = new Uint8Array(40 * 1024 * 1024)
    const first = store.put({ content: { octets: [octets] } })
    const second = store.put({ content: { octets: [octets] } })
    assert.equal(sent.length, 1)
    answer(['answer', 1, { id: 1 }])
    assert.equal(sent.length, 2)
    answer(['answer', 2, { id: 2 }])
    assert.deepEqual(await Promise.all([first, second]), [{ id: 1 }, { id: 2 }])
  })

  test('an argument that cannot be carried is told to its caller', async () => {
    const { store, connect } = set()
    connect()
    await assert.rejects(
      store.put(() => undefined),
      TypeError,
    )
  })
})
