import type { Courier } from '#engine/queue/courier.ts'
import type { QueueFilter, SpoolStore } from '#store/spool/spool-store.ts'

/** What control may ask of the queue. */
export function queueCalls(spool: SpoolStore, courier: Courier) {
  return {
    'queue.list': (filter: QueueFilter) => spool.list(filter),
    'queue.show': (ask: Parameters<SpoolStore['show']>[0]) => spool.show(ask),
    'queue.act': async (act: Parameters<SpoolStore['act']>[0]) => {
      const changed = await spool.act(act)
      courier.wake()
      return changed
    },
    'queue.status': () => spool.status(),
  }
}
