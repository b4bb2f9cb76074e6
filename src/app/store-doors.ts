import { join } from 'node:path'
import { HANDED_RECIPIENTS_MAX } from '#model/reception.ts'

import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import { parseHanded } from '#codec/auth/verdict.ts'
import type { DeliveryQueue } from '#engine/deliver/delivery-queue.ts'
import type { DeliveryOptions } from '#engine/deliver/delivery-sink.ts'
import type { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import { storeReception } from '#engine/deliver/store-reception.ts'
import { serveMail } from '#server/smtp/serve.ts'
import type { MailListener } from '#server/smtp/serve.ts'
import { isLoopback } from '#store/directory/guessing.ts'

import { listenersOf } from './start/host.ts'
import { openListeners } from './nodes/node-parts.ts'
import type { NodeRole } from './nodes/node-role.ts'
import type { Listened, RolePlace } from './role.ts'

/** Doors that are open. */
export interface OpenDoors {
  readonly listened: readonly Listened[]
  close(graceMs: number): Promise<void>
}

/** What a role opens its doors with. */
export interface DoorParts {
  readonly role: NodeRole
  readonly place: RolePlace
  readonly clock: Clock
  readonly log: Log
}

/**
 * Takes mail for mailboxes: by LMTP from joined gateways, whose verdicts are believed (`handed`), and
 * from loopback and listed addresses.
 */
export async function openReceiving(
  parts: DoorParts & {
    readonly delivery: DeliveryOptions
    readonly queue?: DeliveryQueue
    readonly unheard: UnheardAnswers
  },
): Promise<OpenDoors & { readonly handed: MailListener }> {
  const { role, place, clock, log, queue, unheard } = parts
  const { host, identity, node } = role
  const reception = storeReception({
    ...parts.delivery,
    directory: node.directory,
    hostname: `mail.${host.domain}`,
    newDeliveryId: () => timedId(clock.nowMs()),
    unheard,
    unready: () => role.standing().state,
    ...(queue !== undefined && { queue }),
  })
  const mail = { door: 'lmtp', reception, texts: role.texts, clock, log, parseHanded } as const
  const handed = await serveMail({
    ...mail,
    listen: { path: join(place.runDir, 'lmtp.sock') },
    hostname: `mail.${host.domain}`,
    trusted: true,
    limits: {
      recipientsMax: HANDED_RECIPIENTS_MAX,
      refusedRecipientsMax: HANDED_RECIPIENTS_MAX,
    },
  })
  const lmtp = await openListeners(listenersOf(host, 'lmtp'), log, (listener) =>
    serveMail({
      ...mail,
      listen: { address: listener.address, port: listener.port },
      hostname: listener.hostname,
      tls: 'starttls',
      identity: () => identity,
      allow: (ip) => isLoopback(ip) || node.settings['lmtp.foreign'].has(ip),
      limits: () => ({ messageBytesMax: node.settings['mail.sizeBytesMax'] }),
    }),
  )
  return {
    handed,
    listened: lmtp.listened,
    close: async (graceMs) => {
      await Promise.all([handed, ...lmtp.opened].map((door) => door.close(graceMs)))
    },
  }
}
