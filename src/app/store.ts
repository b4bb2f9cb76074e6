import { systemClock } from '#base/time.ts'
import { scriptLists } from '#engine/deliver/script-lists.ts'
import { mailOwner } from '#engine/deliver/mail-owner.ts'
import { chosenScript } from '#engine/choices/chosen-script.ts'
import { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import { nodeServer } from '#server/node/node-server.ts'

import { openReading, startMailboxOwner } from './mailbox-owner.ts'
import { Recalling } from './nodes/recalling.ts'
import { runRole } from './role.ts'
import { openReceiving } from './store-doors.ts'

const GRACE_MS = 3_000

runRole('store', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const owner = await startMailboxOwner({ name: 'store', place, clock, log, atFailure })
  const { role, mailboxes, pump, calls } = owner
  const unheard = new UnheardAnswers(clock)
  const recalling = new Recalling({ unheard, mailboxes, clock, log })
  const recalled = recalling.run()
  // Else mail is refused for now, and what waits for storage is asked before what comes later.
  if (role.standing().state === 'ready') await recalled
  const receiving = await openReceiving({
    role,
    place,
    clock,
    log,
    unheard,
    delivery: {
      mailboxes,
      overQuota: () => role.node.settings['policy.overQuota'],
      adminScripts: () => ({
        before: role.node.settings['sieve.before'],
        after: role.node.settings['sieve.after'],
      }),
      limits: () => ({ redirectsMax: role.node.settings['sieve.redirectsMax'] }),
      owner: (id) => mailOwner(role.node.directory, id),
      chosenScript: (id) => chosenScript(role.node.directory, id),
      lists: (id) => scriptLists(id, role.node.directory, clock.nowMs()),
      clock,
      log,
      events: role.events,
      filed: () => pump.wake(),
    },
  })
  const nodeApi = await role.siblings.offer({
    onRequest: nodeServer({
      state: () => role.standing().state,
      calls,
    }),
    onLmtp: (socket) => receiving.handed.take(socket),
  })
  const reading = await openReading({ ...owner, place, clock, log })
  pump.wake()
  return {
    listening: [...nodeApi.listening, ...receiving.listened, ...reading.listened],
    state: role.state,
    stop: () =>
      role.stop(async () => {
        nodeApi.close()
        recalling.stop()
        await Promise.all([receiving.close(GRACE_MS), reading.close(GRACE_MS)])
        await owner.close()
      }),
  }
})
