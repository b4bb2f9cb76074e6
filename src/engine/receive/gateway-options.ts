import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { Judge } from '#engine/scan/judge.ts'
import type { Signer } from '#engine/sender/signer.ts'
import type { Door } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Settings } from '#store/settings/table.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

export interface GatewayReceptionOptions {
  readonly directory: Directory
  /** The settings in force now. */
  readonly settings: () => Settings
  readonly spool: SpoolStore
  readonly judge: Judge
  readonly signer: Signer
  /** The name that a door shows in its Received fields. */
  readonly hostname: (door: Door) => string
  readonly authservId: string
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
  /** Something has entered the queue. */
  readonly wake: () => void
}
