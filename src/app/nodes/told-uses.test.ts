import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Fault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { AppPasswordUse } from '#model/app-password.ts'
import { ToldUses } from './told-uses.ts'

const use = (id: string, ip = '192.0.2.1') =>
  ({ accountId: 'hanako' as AccountId, id, ip, protocol: 'imap' }) as const

test('control hears of the first use and of one each hour, many at once, and again what it has not taken', async () => {
  const clock = new FakeClock(0)
  const told: string[] = []
  let isAway = false
  const uses = new ToldUses({
    clock,
    tell: async (some: readonly AppPasswordUse[]) => {
      if (isAway) throw new Fault('unavailable', 'control is away')
      told.push(some.map(({ id, ip, at }) => `${id} ${ip} ${at.slice(11, 16)}`).join(', '))
    },
  })
  const after = async (ms: number): Promise<readonly string[]> => {
    clock.advance(ms)
    await turn()
    return told.splice(0)
  }
  for (let at = 0; at < 100; at++) uses.used(use('phone'))
  uses.used(use('desk'))
  assert.deepEqual(await after(SECOND_MS), ['phone 192.0.2.1 00:00, desk 192.0.2.1 00:00'])
  await after(30 * MINUTE_MS)
  uses.used(use('phone', '192.0.2.9'))
  assert.deepEqual(await after(SECOND_MS), [])
  await after(30 * MINUTE_MS)
  isAway = true
  uses.used(use('phone', '192.0.2.9'))
  assert.deepEqual(await after(HOUR_MS), [])
  isAway = false
  // What came later counts, and not twice.
  uses.used(use('phone', '192.0.2.8'))
  assert.deepEqual(await after(MINUTE_MS), ['phone 192.0.2.8 02:00'])
  assert.deepEqual(await after(HOUR_MS), [])
  clock.jump(-10 * HOUR_MS)
  uses.used(use('desk'))
  assert.equal((await after(SECOND_MS)).length, 1)
  uses.used(use('other'))
  uses.stop()
  assert.deepEqual(await after(HOUR_MS), [])
})
