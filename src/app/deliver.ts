import { join } from 'node:path'

import { Fault, messageOf } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { MailboxCaller } from '#client/node/mailbox-caller.ts'
import { scriptLists } from '#engine/deliver/script-lists.ts'
import { mailOwner } from '#engine/deliver/mail-owner.ts'
import { chosenScript } from '#engine/choices/chosen-script.ts'
import { DeliveryQueue } from '#engine/deliver/delivery-queue.ts'
import type { DeliveryOptions } from '#engine/deliver/delivery-sink.ts'
import { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import { Courier } from '#engine/queue/courier.ts'
import { withFreshContents } from '#engine/queue/fresh-contents.ts'
import { Signer } from '#engine/sender/signer.ts'
import { nodeServer } from '#server/node/node-server.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

import { DeliveryCarrier } from './nodes/delivery-carrier.ts'
import { startNode } from './nodes/node-role.ts'
import type { NodeRole } from './nodes/node-role.ts'
import { OutboxDoor } from './nodes/outbox-door.ts'
import { queueCalls } from './nodes/queue-calls.ts'
import { Recalling } from './nodes/recalling.ts'
import { MailboxWatch, remoteMailboxes } from './nodes/remote-mailboxes.ts'
import { runRole } from './role.ts'
import type { RoleState } from './role.ts'
import { FOLDERS } from './role-names.ts'
import { StorageChild } from './storage/child-process.ts'
import { openReceiving } from './store-doors.ts'

const GRACE_MS = 3_000
/** A temporary failure of the sender: sysexits EX_TEMPFAIL. */
const STORAGE_ENDED = 75

/**
 * Takes mail for mailboxes and runs their scripts; `serve` on another machine keeps them. While that
 * is away, what comes waits in a queue of its own, and so does what deliveries send out.
 */
runRole('deliver', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const storage = new StorageChild({
    kind: 'spool',
    dir: join(place.dir, FOLDERS.deliver),
    options: { queueOf: 'deliver' },
    clock,
    log,
    // Claims live in the storage process: without it, this one no longer knows what is at work.
    onEnded: (reason) => {
      log.error('deliver.storageEnded', { reason })
      process.exit(STORAGE_ENDED)
    },
  })
  atFailure.defer(() => storage.stop())
  const spool = withFreshContents(storage.service('spool'))
  const caller = new MailboxCaller({ dial: () => role.siblings.serve(), clock })
  const watch = new MailboxWatch({ caller, clock })
  const role: NodeRole = await startNode({
    name: 'deliver',
    place,
    storage,
    space: () => spool.status(),
    beyond: () => withoutMailboxes(watch.state),
    clock,
    log,
  })
  const mailboxes = remoteMailboxes(caller)
  const delivery: DeliveryOptions = {
    mailboxes,
    adminScripts: () => ({
      before: role.node.settings['sieve.before'],
      after: role.node.settings['sieve.after'],
    }),
    limits: () => ({ redirectsMax: role.node.settings['sieve.redirectsMax'] }),
    owner: (id) => mailOwner(role.node.directory, id),
    chosenScript: (id) => chosenScript(role.node.directory, id),
    lists: (id) => scriptLists(id, role.node.directory, clock.nowMs()),
    overQuota: () => role.node.settings['policy.overQuota'],
    clock,
    log,
    events: role.events,
    // Where the outbox is, its owner sees to it.
    filed: () => undefined,
  }
  const sending = openSending({ role, spool, watch, delivery, clock, log })
  await watch.look()
  const unheard = new UnheardAnswers(clock)
  const recalling = new Recalling({ unheard, mailboxes, clock, log })
  const recalled = recalling.run()
  await unheard.recall(spool).catch((cause: unknown) => {
    log.warn('deliver.notRecalled', { cause: messageOf(cause) })
  })
  // Mailboxes that do not answer hold up no start: until they do, mail is queued.
  if (watch.state.state === 'ready') await recalled
  const receiving = await openReceiving({
    role,
    place,
    clock,
    log,
    delivery,
    queue: sending.queue,
    unheard,
  })
  const nodeApi = await role.siblings.offer({
    onRequest: nodeServer({
      state: () => role.state().state,
      outbox: (head, octets) => {
        // They are judged before they are queued, and here is no judge: nothing passes by without.
        if (head.kind === 'submission')
          throw new Fault('invalid', 'what users submit is taken by gateways')
        return sending.outbox.take(head, octets)
      },
      calls: queueCalls(spool, sending.courier),
    }),
    onLmtp: (socket) => receiving.handed.take(socket),
  })
  sending.courier.wake()
  return {
    listening: [...nodeApi.listening, ...receiving.listened],
    state: role.state,
    stop: () =>
      role.stop(async () => {
        nodeApi.close()
        await Promise.all([receiving.close(GRACE_MS), sending.courier.stop(GRACE_MS)])
        watch.stop()
        recalling.stop()
      }),
  }
})

/**
 * While the mailboxes are away, what foreign gateways bring waits in the queue here: no reason to take
 * it elsewhere, and none to be called well. Our own gateways keep theirs, since this is not `ready`.
 */
const withoutMailboxes = ({ state, ...more }: RoleState): RoleState => ({
  state: state === 'stalled' ? 'degraded' : state,
  ...more,
})

/** The queue: what enters it, and what carries it on. */
function openSending(parts: {
  readonly role: NodeRole
  readonly spool: SpoolStore
  readonly watch: MailboxWatch
  readonly delivery: DeliveryOptions
  readonly clock: Clock
  readonly log: Log
}) {
  const { role, spool, watch, delivery, clock, log } = parts
  const { host, node, siblings, events } = role
  const { directory } = node
  const hostname = `mail.${host.domain}`
  const lifetimeMs = (): number => node.settings['queue.lifetimeMs']
  const carrier = new DeliveryCarrier({
    spool,
    directory,
    delivery,
    hostname,
    mailboxes: () => watch.state,
    doubt: (cause) => watch.doubt(cause),
    gatewayFor: (id) => siblings.gatewayFor(id),
    clock,
  })
  const signer = new Signer({ directory, settings: () => node.settings, clock, events })
  const courier = new Courier({
    spool,
    signer,
    carrier,
    isStoreReady: () => Promise.resolve(watch.state.state === 'ready'),
    // As its peer gave it: aliases and forwards are followed when it is filed, in the same commit.
    hopOf: ({ door }) => (door === 'lmtp' ? { kind: 'local' } : undefined),
    directory,
    clock,
    log,
    events,
    hostname,
    settings: () => ({
      retryMs: node.settings['queue.retryMs'],
      delayNoticeMs: node.settings['queue.delayNoticeMs'],
      lifetimeMs: lifetimeMs(),
    }),
  })
  const entered = (): void => courier.wake()
  return {
    courier,
    queue: new DeliveryQueue({ spool, lifetimeMs, clock, events, entered }),
    outbox: new OutboxDoor({ spool, signer, directory, clock, lifetimeMs, accepted: entered }),
  }
}
