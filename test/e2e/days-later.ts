import { globSync } from 'node:fs'
import type { Installation } from './installation.ts'

/** The library that shows a process another date; undefined where this machine has none. */
export const [FAKETIME] = globSync('/usr/lib/*/faketime/libfaketime.so.1')

/** Starts an installation again as on a machine that was off for so many days; `env` is what its starts are given. */
export async function restartAfter(
  watari: Installation,
  env: Record<string, string>,
  days: number,
): Promise<void> {
  await watari.stop()
  Object.assign(env, {
    LD_PRELOAD: FAKETIME,
    FAKETIME: `+${days}d`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
  await watari.start()
}
