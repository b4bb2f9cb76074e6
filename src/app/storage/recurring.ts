import { messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import type { Clock } from '#base/time.ts'

/**
 * Does something again and again, the next time counted from the end of the last. What fails is told
 * and tried at its next time: a disk that stalls or is full says so to deliveries as well.
 */
export function recurring(
  clock: Clock,
  times: { readonly name: string; readonly firstMs: number; readonly everyMs: number },
  work: (isClosed: () => boolean) => Promise<unknown>,
): { close(): void } {
  let isClosed = false
  let cancel = clock.after(times.firstMs, run)
  function run(): void {
    work(() => isClosed)
      .catch((thrown: unknown) =>
        process.stderr.write(`${times.name}: ${oneLine(messageOf(thrown))}\n`),
      )
      .finally(() => {
        if (!isClosed) cancel = clock.after(times.everyMs, run)
      })
  }
  return {
    close: () => {
      isClosed = true
      cancel()
    },
  }
}
