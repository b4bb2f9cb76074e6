import { join } from 'node:path'

import { systemClock } from '#base/time.ts'
import { renderHanded } from '#codec/auth/verdict.ts'
import { Carrier } from '#engine/queue/carrier.ts'
import { Courier } from '#engine/queue/courier.ts'
import { withFreshContents } from '#engine/queue/fresh-contents.ts'
import { gatewayReception } from '#engine/receive/gateway-reception.ts'
import { Signer } from '#engine/sender/signer.ts'
import type { Door } from '#model/envelope.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { serveMail } from '#server/smtp/serve.ts'
import type { MailDoor } from '#server/smtp/options.ts'

import { listenersOf } from './start/host.ts'
import type { Listener } from './start/host.ts'
import { Judges } from './judging/judges.ts'
import { openListeners } from './nodes/node-parts.ts'
import { startNode } from './nodes/node-role.ts'
import { OutboxDoor } from './nodes/outbox-door.ts'
import { queueCalls } from './nodes/queue-calls.ts'
import { resolverOf } from './resolver.ts'
import { runRole } from './role.ts'
import { StorageChild } from './storage/child-process.ts'

const GRACE_MS = 3_000
const DOORS: Partial<Record<Listener['protocol'], MailDoor>> = {
  mx: 'mx',
  relay: 'relay',
  submission: 'submission',
  submissions: 'submission',
}
/** A temporary failure of the sender: sysexits EX_TEMPFAIL. */
const STORAGE_ENDED = 75

runRole('gateway', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const storage = new StorageChild({
    kind: 'spool',
    dir: join(place.dir, 'gateway'),
    clock,
    log,
    // Claims live in the storage process: without it, this one no longer knows what is at work.
    onEnded: (reason) => {
      log.error('gateway.storageEnded', { reason })
      process.exit(STORAGE_ENDED)
    },
  })
  atFailure.defer(() => storage.stop())
  const spool = withFreshContents(storage.service('spool'))
  const space = () => spool.status()
  const role = await startNode({ name: 'gateway', place, storage, space, clock, log })
  const { host, identity, node, siblings, events, authenticator } = role

  let resolver = resolverOf(node.settings)
  node.onSettings((settings) => {
    resolver = resolverOf(settings)
  })
  const signer = new Signer({
    directory: node.directory,
    settings: () => node.settings,
    clock,
    events,
  })
  const carrier = new Carrier({
    spool,
    signer,
    // Asked for at each attempt: new servers are in force at once.
    get resolver() {
      return resolver
    },
    clock,
    hostname: `mx.${host.domain}`,
    local: () => siblings.stores(),
    isOwn: (ip, port) =>
      listenersOf(host, 'mx', 'relay').some(
        (listener) => listener.port === port && listener.address === ip,
      ),
    handed: renderHanded,
  })
  const courier = new Courier({
    spool,
    signer,
    carrier,
    directory: node.directory,
    clock,
    log,
    events,
    hostname: `mx.${host.domain}`,
    settings: () => ({
      retryMs: node.settings['queue.retryMs'],
      delayNoticeMs: node.settings['queue.delayNoticeMs'],
      lifetimeMs: node.settings['queue.lifetimeMs'],
    }),
    isStoreReady: () => siblings.areStoresReady(),
  })
  const judges = new Judges({ clock, log, resolver: () => resolver })
  const hostnames: Partial<Record<Door, string>> = {
    relay: `relay.${host.domain}`,
    submission: role.texts().authHost,
  }
  const reception = gatewayReception({
    directory: node.directory,
    settings: () => node.settings,
    spool,
    judge: judges,
    signer,
    hostname: (door) => hostnames[door] ?? `mx.${host.domain}`,
    authservId: `mx.${host.domain}`,
    clock,
    log,
    events,
    wake: () => courier.wake(),
  })
  const doors = await openListeners(
    listenersOf(host, 'mx', 'relay', 'submission', 'submissions'),
    log,
    (listener) =>
      serveMail({
        door: DOORS[listener.protocol] ?? 'mx',
        listen: { address: listener.address, port: listener.port },
        tls: listener.protocol === 'submissions' ? 'implicit' : 'starttls',
        identity: () => identity,
        hostname: listener.hostname,
        postmasterDomain: host.domain,
        reception,
        ...(DOORS[listener.protocol] === 'submission' && {
          authenticator,
          allowPlaintext: role.allowPlaintext,
          scramPlus: () => node.settings['auth.submissionScramPlus'],
        }),
        ...(listener.protocol === 'relay' && {
          allow: (ip: string) => node.settings['relay.access'].has(ip),
        }),
        limits: () => ({
          messageBytesMax: node.settings['mail.sizeBytesMax'],
          recipientsMax: node.settings['smtp.recipientsMax'],
          connectionsMax: node.settings['smtp.connectionsMax'],
          commandTimeoutMs: node.settings['smtp.commandTimeoutMs'],
        }),
        texts: role.texts,
        clock,
        log,
      }),
  )
  const outbox = new OutboxDoor({
    spool,
    signer,
    directory: node.directory,
    clock,
    lifetimeMs: () => node.settings['queue.lifetimeMs'],
    accepted: () => courier.wake(),
    judging: { judge: judges, settings: () => node.settings, events },
  })
  const nodeApi = await siblings.offer({
    onRequest: nodeServer({
      outbox: (head, octets) => outbox.take(head, octets),
      calls: queueCalls(spool, courier),
    }),
  })
  courier.wake()
  return {
    listening: [...doors.listened, ...nodeApi.listening],
    state: role.state,
    stop: async () => {
      await role.stop(async () => {
        nodeApi.close()
        await Promise.all([
          ...doors.opened.map((door) => door.close(GRACE_MS)),
          courier.stop(GRACE_MS),
        ])
        await judges.close()
      })
    },
  }
})
