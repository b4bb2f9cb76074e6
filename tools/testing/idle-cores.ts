import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 3_000
/** Of one core: less than this is what one test leaves between two of its steps. */
const IDLE_CORES_MIN = 0.6

/** True once the machine, whoever works on it, has left most of a core idle for some seconds; false at the signal. */
export async function coresIdle(signal: AbortSignal): Promise<boolean> {
  for (let before = machineMs(); ;) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return false
    const now = machineMs()
    if (now.idle - before.idle >= IDLE_CORES_MIN * LOOK_MS) return true
    before = now
  }
}

/** How long the machine's processors have been idle, and have worked, since it began. */
export function machineMs(): { readonly idle: number; readonly worked: number } {
  let [idle, worked] = [0, 0]
  for (const { times } of cpus()) {
    idle += times.idle
    worked += times.user + times.nice + times.sys + times.irq
  }
  return { idle, worked }
}
