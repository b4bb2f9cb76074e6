import { join } from 'node:path'

import { timedId } from '#base/id.ts'
import { systemClock } from '#base/time.ts'
import { parseHanded } from '#codec/auth/verdict.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { storeReception } from '#engine/deliver/store-reception.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import type { Jmap, JmapParts } from '#server/jmap/serve.ts'
import { pop3Shared, servePop3 } from '#server/pop3/serve.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { serveMail } from '#server/smtp/serve.ts'
import { isLoopback } from '#store/directory/guessing.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-store.ts'

import { listenersOf } from './host.ts'
import { openListeners } from './node-parts.ts'
import { startNode } from './node-role.ts'
import { OutboxPump } from './outbox-pump.ts'
import { runRole } from './role.ts'
import { scriptCalls } from './script-calls.ts'
import { StorageChild } from './storage/child-process.ts'
import { serveWeb } from './web.ts'

const GRACE_MS = 3_000

runRole('store', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const listeners = new Set<(change: MailboxChanged) => void>()
  const storage = new StorageChild({
    kind: 'mailbox',
    dir: join(place.dir, 'store'),
    clock,
    log,
    onNotice: (topic, payload) => {
      if (topic === 'changed') for (const tell of listeners) tell(payload as MailboxChanged)
    },
  })
  atFailure.defer(() => storage.stop())
  const mailboxes = storage.service('mailboxes')
  const isFull = async () => (await mailboxes.status()).full
  const role = await startNode({ name: 'store', place, storage, isFull, clock, log })
  const { host, identity, node, siblings, events, authenticator, allowPlaintext } = role
  const pump = new OutboxPump({
    mailboxes,
    gatewayFor: (id) => siblings.gatewayFor(id),
    clock,
    log,
  })
  const reception = storeReception({
    directory: node.directory,
    mailboxes,
    adminScript: () => undefined,
    hostname: `mail.${host.domain}`,
    newDeliveryId: () => timedId(clock.nowMs()),
    clock,
    log,
    events,
    filed: () => pump.wake(),
    unready: () => role.state().state,
  })
  const mail = { door: 'lmtp', reception, texts: role.texts, clock, log, parseHanded } as const
  const handedDoor = await serveMail({
    ...mail,
    listen: { path: join(place.runDir, 'lmtp.sock') },
    hostname: `mail.${host.domain}`,
    trusted: true,
  })
  const nodeApi = await siblings.offer({
    onRequest: nodeServer({ calls: scriptCalls(scriptsOf(mailboxes), { events, clock }) }),
    onLmtp: (socket) => handedDoor.take(socket),
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
  const changes = (listener: (change: MailboxChanged) => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const shared = imapShared({
    store: mailboxes,
    messageBytesMax: () => node.settings['mail.sizeBytesMax'],
    changes,
  })
  const imap = await openListeners(listenersOf(host, 'imap', 'imaps'), log, (listener) =>
    serveImap({
      listen: { address: listener.address, port: listener.port },
      tls: listener.protocol === 'imaps' ? 'implicit' : 'starttls',
      identity: () => identity,
      hostname: listener.hostname,
      authenticator,
      allowPlaintext,
      shared,
      clock,
      log,
    }),
  )
  const pop3 = pop3Shared({ store: mailboxes })
  const pop3Doors = await openListeners(listenersOf(host, 'pop3', 'pop3s'), log, (listener) =>
    servePop3({
      listen: { address: listener.address, port: listener.port },
      tls: listener.protocol === 'pop3s' ? 'implicit' : 'starttls',
      identity: () => identity,
      hostname: listener.hostname,
      authenticator,
      allowPlaintext,
      shared: pop3,
      clock,
      log,
    }),
  )
  const jmap = lazyJmap({
    store: mailboxes,
    changes,
    authenticator,
    directory: node.directory,
    hostname: `mail.${host.domain}`,
    messageBytesMax: () => node.settings['mail.sizeBytesMax'],
    newDeliveryId: () => timedId(clock.nowMs()),
    events,
    submitted: () => pump.wake(),
    clock,
    log,
  })
  const web = await openListeners(listenersOf(host, 'https'), log, (listener) =>
    serveWeb({
      dir: place.dir,
      listener,
      adminSocket: join(place.runDir, 'admin.sock'),
      jmap: { load: jmap, log },
      pages: place.pages,
    }),
  )
  pump.wake()
  const doors = [handedDoor, ...lmtp.opened, ...imap.opened, ...pop3Doors.opened, ...web.opened]
  return {
    listening: [
      ...nodeApi.listening,
      ...lmtp.listened,
      ...imap.listened,
      ...pop3Doors.listened,
      ...web.listened,
    ],
    state: role.state,
    stop: () =>
      role.stop(async () => {
        nodeApi.close()
        await Promise.all(doors.map((door) => door.close(GRACE_MS)))
        await pump.stop()
      }),
  }
})

/** One for all listeners, loaded when a program or a page first asks. */
function lazyJmap(parts: JmapParts): () => Promise<Jmap> {
  let jmap: Promise<Jmap> | undefined
  return () => {
    jmap ??= import('#server/jmap/serve.ts').then(({ serveJmap }) => serveJmap(parts))
    jmap.catch(() => (jmap = undefined))
    return jmap
  }
}
