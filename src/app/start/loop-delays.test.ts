import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '#base/time.ts'
import { summedHealth } from './health.ts'
import { LoopDelays } from './loop-delays.ts'

test('/metrics tells how long a role stood still, as Prometheus counts', () => {
  const loopDelays = new LoopDelays()
  for (const delayMs of [0, 10, 30, 50, 51, 9_000]) loopDelays.add(delayMs)
  const role = { name: 'control', state: 'ready', detail: 'ready', pid: 1, restarts: 0 } as const
  const clock = new FakeClock()
  const answer = summedHealth(
    () => [{ ...role, lastBeatMs: clock.monotonicMs(), loopDelays }],
    clock,
  )
  let text = ''
  const response = { setHeader: () => undefined, end: (body: string) => (text = body) }
  answer({ url: '/metrics' } as never, response as never)
  const lines = text.split('\n').filter((line) => line.startsWith('watari_role_loop'))
  const at = (le: string, count: number): string =>
    `watari_role_loop_delay_seconds_bucket{role="control",le="${le}"} ${count}`
  assert.deepEqual(lines, [
    at('0.01', 2),
    at('0.025', 2),
    at('0.05', 4),
    at('0.1', 5),
    at('0.25', 5),
    at('0.5', 5),
    at('1', 5),
    at('2.5', 5),
    at('+Inf', 6),
    'watari_role_loop_delay_seconds_sum{role="control"} 9.141',
    'watari_role_loop_delay_seconds_count{role="control"} 6',
  ])
  assert.match(text, /^watari_role_ready\{role="control"\} 1$/m)
})
