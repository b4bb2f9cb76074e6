import { join } from 'node:path'

import { systemClock } from '#base/time.ts'
import { MailboxCaller } from '#client/node/mailbox-caller.ts'
import { nodeServer } from '#server/node/node-server.ts'

import { startNode } from './nodes/node-role.ts'
import type { NodeRole } from './nodes/node-role.ts'
import { MailboxWatch, remoteMailboxes } from './nodes/remote-mailboxes.ts'
import { runRole } from './role.ts'
import { FOLDERS } from './role-names.ts'
import { StorageChild } from './storage/child-process.ts'
import { openReceiving } from './store-doors.ts'

const GRACE_MS = 3_000

/** Takes mail for mailboxes and runs their scripts; `serve` on another machine keeps them. */
runRole('deliver', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const dir = join(place.dir, FOLDERS.deliver)
  const storage = new StorageChild({ kind: 'copies', dir, clock, log })
  atFailure.defer(() => storage.stop())
  const caller = new MailboxCaller({ dial: () => role.siblings.serve(), clock })
  const watch = new MailboxWatch({ caller, clock })
  const role: NodeRole = await startNode({
    name: 'deliver',
    place,
    storage,
    beyond: () => watch.state,
    clock,
    log,
  })
  await watch.look()
  const receiving = await openReceiving({
    role,
    place,
    clock,
    log,
    mailboxes: remoteMailboxes(caller),
    // Where the outbox is, its owner sees to it.
    filed: () => undefined,
  })
  const nodeApi = await role.siblings.offer({
    onRequest: nodeServer({}),
    onLmtp: (socket) => receiving.handed.take(socket),
  })
  return {
    listening: [...nodeApi.listening, ...receiving.listened],
    state: role.state,
    stop: () =>
      role.stop(async () => {
        nodeApi.close()
        await receiving.close(GRACE_MS)
        watch.stop()
      }),
  }
})
