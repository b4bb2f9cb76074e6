import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '#base/log.ts'
import type { Log } from '#base/log.ts'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { Resolver } from '#client/dns/resolver.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { NewEvent } from '#model/event.ts'
import { openSpool } from '#store/spool/open.ts'
import type { Accept, SpoolStore } from '#store/spool/spool-store.ts'
import { addr, fakeAccount, fakeDirectory } from '#test/fake/directory.ts'
import { fakeSigner } from '#test/fake/signing.ts'
import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'
import { Carrier } from './carrier.ts'
import { Courier } from './courier.ts'

const MAILS = 100
const YEAR_MS = 365 * DAY_MS

/** A wall clock that may be put elsewhere, beside one that only grows. */
class WrongClock extends FakeClock {
  offByMs = 0
  override nowMs(): number {
    return super.nowMs() + this.offByMs
  }
  #fraction = 0
  /** With fractions, as a real one has. */
  override monotonicMs(): number {
    return super.monotonicMs() + (this.#fraction += 0.0007)
  }
}

/** A gateway's queue before a store that may be away. */
async function start(
  t: TestContext,
  meddle: {
    readonly settle?: (
      real: SpoolStore['settle'],
      done: Parameters<SpoolStore['settle']>[0],
    ) => ReturnType<SpoolStore['settle']>
  } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'watari-waits-'))
  const clock = new WrongClock()
  const spool = await openSpool({ dir, clock, reserveBytes: 0 })
  if (meddle.settle !== undefined) {
    const real = spool.settle.bind(spool)
    spool.settle = (done) => meddle.settle!(real, done)
  }
  const lmtp: Sink = await startSink({ protocol: 'lmtp' })
  const seen = new Map<string, number>()
  let looks: (() => void)[] = []
  const count = (name: string): void => {
    seen.set(name, (seen.get(name) ?? 0) + 1)
    for (const look of looks) look()
  }
  const log: Log = { ...silentLog, warn: (name) => count(name) }
  const state = { isReady: false }
  const make = (): Courier => {
    const carrier = new Carrier({
      signer: fakeSigner().signer,
      spool,
      resolver: new Resolver({ servers: [], timeoutMs: SECOND_MS, clock }),
      clock,
      hostname: 'mx.campus.example',
      local: () => [{ name: 'localhost', ip: '127.0.0.1', port: lmtp.port }],
      isOwn: () => false,
    })
    return new Courier({
      signer: fakeSigner().signer,
      spool,
      directory: fakeDirectory([
        { kind: 'domain', domain: { name: 'campus.example' } },
        { kind: 'account', account: fakeAccount('hanako@campus.example') },
        { kind: 'account', account: fakeAccount('taro@campus.example') },
      ]),
      carrier,
      clock,
      log,
      events: { emit: (event: NewEvent) => count(event.name) },
      hostname: 'mx.campus.example',
      settings: () => ({
        retryMs: [MINUTE_MS, HOUR_MS],
        delayNoticeMs: 4 * HOUR_MS,
        lifetimeMs: 120 * HOUR_MS,
      }),
      isStoreReady: () => Promise.resolve(state.isReady),
      gatherMs: 0,
    })
  }
  const couriers = [make()]
  t.after(async () => {
    for (const courier of couriers) await courier.stop(20 * SECOND_MS)
    await lmtp.close()
    await spool.close()
    await rm(dir, { recursive: true })
  })
  const until = (name: string, times: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if ((seen.get(name) ?? 0) < times) return
        looks = looks.filter((other) => other !== look)
        resolve()
      }
      looks.push(look)
      look()
    })
  const accept = (
    number: number,
    recipients: Accept['recipients'] = [{ address: addr('hanako@campus.example') }],
  ) =>
    spool.accept({
      deliveryId: `D${number}` as DeliveryId,
      door: 'mx',
      reversePath: addr('taro@else.example'),
      recipients,
      body: '8bitmime',
      smtpUtf8: false,
      receivedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 120 * HOUR_MS,
      content: { octets: [fromUtf8(`Subject: ${number}\r\n\r\n渡り鳥\r\n`)] },
    })
  /** All that is claimed has been settled. */
  const quiet = async (): Promise<void> => {
    while ((await spool.status()).recipients.claimed > 0)
      await new Promise((resolve) => setImmediate(resolve))
  }
  const restart = async (): Promise<Courier> => {
    await couriers.at(-1)!.stop(20 * SECOND_MS)
    couriers.push(make())
    return couriers.at(-1)!
  }
  return { clock, spool, lmtp, state, courier: couriers[0]!, seen, until, accept, quiet, restart }
}

for (const [how, act] of [
  ['lets nobody in', (step: string) => (step === 'greeting' ? 'vanish' : undefined)],
  [
    'says 451 for the mailboxes behind it',
    (step: string) => (step === 'mail' ? { say: '451 4.3.0 後で' } : undefined),
  ],
] as const)
  test(`${MAILS} mails whose store ${how} go within a second of its return`, async (t) => {
    const { clock, spool, lmtp, state, courier, seen, until, accept, quiet } = await start(t)
    lmtp.act = act
    for (let number = 0; number < MAILS - 2; number++) await accept(number)
    courier.wake()
    await until('queue.deferred', MAILS - 2)
    await quiet()
    // Long enough away that each waits for half a minute from now on.
    for (let passed = 0; passed < 10 * MINUTE_MS; passed += SECOND_MS) {
      clock.advance(SECOND_MS)
      await new Promise((resolve) => setImmediate(resolve))
      await quiet()
    }
    // Two that come now: the second finds a next hop that rests for longer than its own first wait.
    for (const number of [MAILS - 2, MAILS - 1]) {
      const deferred = seen.get('queue.deferred')!
      await accept(number)
      courier.wake()
      await until('queue.deferred', deferred + 1)
      await quiet()
    }
    const { nextDueMs } = await spool.claim({ nowMs: 0, limit: 1 })
    assert.ok(nextDueMs !== undefined && nextDueMs > clock.nowMs())
    delete (lmtp as { act?: unknown }).act
    const before = lmtp.connections
    state.isReady = true
    const backMs = clock.nowMs()
    clock.advance(SECOND_MS)
    await until('queue.delivered', MAILS)
    assert.equal(clock.nowMs() - backMs, SECOND_MS)
    assert.equal(lmtp.mails.length, MAILS)
    assert.equal(seen.get('queue.failed'), undefined)
    // No herd: as many connections as one next hop may have.
    assert.ok(lmtp.connections - before <= 20, `${lmtp.connections - before} connections`)
  })

test('a store that has been away for longer than mail lives makes no bounce', async (t) => {
  const { clock, lmtp, state, courier, seen, until, accept, quiet } = await start(t)
  lmtp.act = (step) => (step === 'mail' ? { say: '452 4.3.1 満杯' } : undefined)
  await accept(1)
  courier.wake()
  await until('queue.deferred', 1)
  await quiet()
  clock.advance(30 * DAY_MS)
  await until('queue.deferred', 2)
  await quiet()
  assert.equal(seen.get('queue.failed'), undefined)
  delete (lmtp as { act?: unknown }).act
  state.isReady = true
  clock.advance(SECOND_MS)
  await until('queue.delivered', 1)
})

test('one outcome that the spool cannot take keeps no other from its end', async (t) => {
  const { spool, courier, until, accept } = await start(t, {
    settle: (real, done) =>
      done.settlements.some(({ index }) => index > 0)
        ? Promise.reject(new TypeError('our mistake'))
        : real(done),
  })
  const to = (name: string) => ({ address: addr(`${name}@campus.example`) })
  await accept(0, [to('hanako'), to('taro')])
  for (let number = 1; number < 30; number++) await accept(number)
  courier.wake()
  await until('queue.delivered', 31)
  while ((await spool.status()).messages > 1) await new Promise((resolve) => setImmediate(resolve))
})

test('a mailbox that is full is no trouble of ours: its mail ends with its lifetime', async (t) => {
  const { clock, lmtp, courier, until, accept, quiet, state } = await start(t)
  state.isReady = true
  lmtp.act = (step) => (step === 'rcpt' ? { say: '452 4.2.2 箱が満杯' } : undefined)
  await accept(1)
  courier.wake()
  await until('queue.deferred', 1)
  await quiet()
  clock.advance(6 * DAY_MS)
  await until('queue.failed', 1)
})

test('mail deferred by a clock a year ahead goes once the clock is right again, not a year later', async (t) => {
  const { clock, lmtp, courier, seen, until, accept, quiet, restart } = await start(t)
  clock.offByMs = YEAR_MS
  lmtp.act = (step) => (step === 'rcpt' ? { say: '451 4.2.1 後で' } : undefined)
  for (let number = 0; number < 3; number++) await accept(number)
  courier.wake()
  await until('queue.deferred', 3)
  await quiet()
  delete (lmtp as { act?: unknown }).act
  clock.offByMs = 0
  clock.advance(MINUTE_MS)
  await until('queue.delivered', 3)
  assert.equal(seen.get('queue.clockPutBack'), 1)
  // Over a restart as well: nothing remembers then how the clock was.
  clock.offByMs = YEAR_MS
  lmtp.act = (step) => (step === 'rcpt' ? { say: '451 4.2.1 後で' } : undefined)
  await accept(4)
  courier.wake()
  await until('queue.deferred', 4)
  await quiet()
  delete (lmtp as { act?: unknown }).act
  clock.offByMs = 0
  ;(await restart()).wake()
  await until('queue.delivered', 4)
})
