import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import type { BindShelf } from '#store/directory/bind-shelf.ts'
import { keptBinds } from './kept-binds.ts'

test('what is kept of binds goes when its time is over: at the start, each day, and when the setting says less', () => {
  const clock = new FakeClock(100 * DAY_MS)
  const told: { readonly beforeMs: number; readonly afterMs: number }[] = []
  const shelf: Pick<BindShelf, 'forget'> = {
    forget: async (ask) => void told.push(ask),
  }
  const listeners: (() => void)[] = []
  let days = 5
  const rules = keptBinds({
    bind: async () => true,
    shelf: shelf as BindShelf,
    settings: () => ({ 'auth.rememberBindDays': days, 'auth.wrongBindsMax': 3 }),
    onSettings: (listener) => void listeners.push(listener),
    clock,
    log: silentLog,
  })
  clock.advance(2 * DAY_MS)
  days = 0
  for (const tell of listeners) tell()
  assert.deepEqual(
    told.map(({ beforeMs, afterMs }) => [beforeMs / DAY_MS, afterMs / DAY_MS]),
    [
      [95, 105],
      [96, 106],
      [97, 107],
      [102, 102],
    ],
  )
  assert.deepEqual([rules.remembering?.days(), rules.wrongMax?.()], [0, 3])
})
