import { join } from 'node:path'

import { isFault } from '#base/outcome.ts'
import { timedId } from '#base/id.ts'
import { systemClock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { parseHanded } from '#codec/auth/verdict.ts'
import { storeReception } from '#engine/deliver/store-reception.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import { pop3Shared, servePop3 } from '#server/pop3/serve.ts'
import { serveMail } from '#server/smtp/serve.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import { isLoopback } from '#store/directory/guessing.ts'
import { EventBuffer } from '#store/events/event-buffer.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-store.ts'

import { listenersOf, portOf, readHost } from './host.ts'
import { JoinedNode } from './joined-node.ts'
import { dialPath, loadNode, openListeners, readIdentity, roleState } from './node-parts.ts'
import { OutboxPump } from './outbox-pump.ts'
import { runRole } from './role.ts'
import { StorageChild } from './storage/child-process.ts'
import { VERSION } from './version.ts'
import { serveWeb } from './web.ts'

const GRACE_MS = 3_000

runRole('store', async (place, log) => {
  const clock = systemClock
  const host = readHost(place.dir)
  const identity = readIdentity(place.dir)
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
  await storage.start()
  const mailboxes = storage.service('mailboxes')
  let isFull = false
  const state = () => roleState(storage.state(), isFull)
  const eventLog = storage.service('events')
  const node = new JoinedNode({
    dial: dialPath(join(place.runDir, 'node.sock')),
    clock,
    log,
    node: 'store',
    role: 'store',
    replica: storage.service('replica'),
    copy: storage.service('copy'),
    events: eventLog,
    beat: () => ({ ...state(), version: VERSION, pid: process.pid }),
  })
  const events = new EventBuffer({
    log: eventLog,
    clock,
    trouble: log,
    onFlushed: () => node.link.poke(),
  })
  const stopping = new AbortController()
  await loadNode(node, { clock, log, signal: stopping.signal })
  const pump = new OutboxPump({
    mailboxes,
    gateway: new NodeCaller({ dial: dialPath(join(place.runDir, 'gateway.sock')), clock }),
    clock,
    log,
  })
  const watchSpace = setInterval(() => {
    mailboxes.status().then(
      (status) => (isFull = status.full),
      () => undefined,
    )
  }, 1_000)
  watchSpace.unref()
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
    unready: () => state().state,
  })
  const authenticator = createAuthenticator({ directory: node.directory, clock, log })
  const texts = () => ({
    authHost: `smtp.${host.domain}`,
    authPorts: [
      { port: portOf(host, 'submissions'), tls: 'implicit' as const },
      { port: portOf(host, 'submission'), tls: 'starttls' as const },
    ],
  })
  const mail = { door: 'lmtp', reception, texts, clock, log, parseHanded } as const
  const handedDoor = await serveMail({
    ...mail,
    listen: { path: join(place.runDir, 'lmtp.sock') },
    hostname: `mail.${host.domain}`,
    trusted: true,
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
  const allowPlaintext = (ip: string) => isLoopback(ip) && node.settings['auth.allowPlaintext']
  const shared = imapShared({
    store: mailboxes,
    messageBytesMax: () => node.settings['mail.sizeBytesMax'],
    changes: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
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
  const web = await openListeners(listenersOf(host, 'https'), log, (listener) =>
    serveWeb({ dir: place.dir, listener, adminSocket: join(place.runDir, 'admin.sock') }),
  )
  pump.wake()
  const doors = [handedDoor, ...lmtp.opened, ...imap.opened, ...pop3Doors.opened, ...web.opened]
  return {
    listening: [...lmtp.listened, ...imap.listened, ...pop3Doors.listened, ...web.listened],
    state,
    stop: async () => {
      stopping.abort()
      clearInterval(watchSpace)
      await Promise.all(doors.map((door) => door.close(GRACE_MS)))
      await pump.stop()
      node.link.stop()
      await events.flush().catch((cause: unknown) => {
        if (!isFault(cause)) throw cause
      })
      await storage.stop()
    },
  }
})
