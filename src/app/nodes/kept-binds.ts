import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { BindShelf } from '#store/directory/bind-shelf.ts'
import type { Bind, BindRules } from '#store/directory/bound-passwords.ts'
import type { Settings } from '#store/settings/table.ts'

type BindSettings = Pick<Settings, 'auth.rememberBindDays' | 'auth.wrongBindsMax'>

/** How other directories are asked about passwords; what is too old goes from the disk now and each day. */
export function keptBinds(parts: {
  readonly bind: Bind
  readonly shelf: BindShelf
  readonly settings: () => BindSettings
  readonly onSettings: (listener: () => void) => void
  readonly clock: Clock
  readonly log: Log
}): BindRules {
  const { bind, shelf, settings, clock, log } = parts
  const days = (): number => settings()['auth.rememberBindDays']
  const forget = (): void => {
    const keptMs = days() * DAY_MS
    const nowMs = clock.nowMs()
    shelf
      .forget({ beforeMs: nowMs - keptMs, afterMs: nowMs + keptMs })
      .catch((thrown: unknown) => log.warn('auth.bindsNotForgotten', { cause: messageOf(thrown) }))
  }
  const daily = (): void => {
    forget()
    clock.after(DAY_MS, daily)
  }
  daily()
  parts.onSettings(forget)
  return { bind, remembering: { shelf, days }, wrongMax: () => settings()['auth.wrongBindsMax'] }
}
