import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { recountDaily } from './recount-daily.ts'

it('counters are counted two hours after a start and each day, and tell whose were wrong', async () => {
  const clock = new FakeClock()
  const told: string[] = []
  let counts = 0
  const daily = recountDaily(
    {
      recount: async () => {
        const wrong = { accountId: '花子' as AccountId, bytes: 7, messages: -1, mailboxes: [] }
        return { recounted: ++counts === 2 ? [wrong] : [] }
      },
    },
    { clock, tell: ({ name, fields }) => told.push(`${name} ${JSON.stringify(fields)}`) },
  )
  const pass = async (ms: number): Promise<number> => {
    clock.advance(ms)
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    return counts
  }
  assert.equal(await pass(2 * HOUR_MS - 1), 0)
  assert.equal(await pass(1), 1)
  assert.deepEqual(told, [])
  assert.equal(await pass(DAY_MS), 2)
  assert.deepEqual(told, [
    'store.recounted {"accountId":"花子","bytes":7,"messages":-1,"mailboxes":0}',
  ])
  daily.close()
  assert.equal(await pass(2 * DAY_MS), 2)
})
