import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { SECOND_MS } from '#base/time.ts'

const LOOK_EVERY_MS = 10 * SECOND_MS
/** Of one core, in one look: more is work, less is rest. */
const WORK_SHARE = 0.1
const REST_SHARE = 0.02

/**
 * Gives memory back after work: V8 keeps what a busy hour has taken for as long as a process allocates
 * hardly anything. Once the process has rested for one look after a busy one, it is collected whole.
 */
export function restAfterWork(): void {
  let last = process.cpuUsage()
  let hasWorked = false
  setInterval(() => {
    const used = process.cpuUsage(last)
    last = process.cpuUsage()
    const share = (used.user + used.system) / 1_000 / LOOK_EVERY_MS
    if (share >= WORK_SHARE) hasWorked = true
    if (share >= REST_SHARE || !hasWorked) return
    hasWorked = false
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as (options: object) => void
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    last = process.cpuUsage()
  }, LOOK_EVERY_MS).unref()
}
