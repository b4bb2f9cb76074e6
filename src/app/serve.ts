import { systemClock } from '#base/time.ts'
import { MailboxDoor } from '#server/node/mailbox-door.ts'
import { nodeServer } from '#server/node/node-server.ts'

import { openReading, startMailboxOwner } from './mailbox-owner.ts'
import { runRole } from './role.ts'

const GRACE_MS = 3_000

/** Owns the mailboxes; a `deliver` on another machine puts mail into them. */
runRole('serve', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const owner = await startMailboxOwner({ name: 'serve', place, clock, log, atFailure })
  const { role, mailboxes, pump, calls } = owner
  const nodeApi = await role.siblings.offer({
    onRequest: nodeServer({
      mailboxes: new MailboxDoor({ mailboxes, clock, filed: () => pump.wake() }),
      calls,
    }),
  })
  const reading = await openReading({ ...owner, place, clock, log })
  pump.wake()
  return {
    listening: [...nodeApi.listening, ...reading.listened],
    state: role.state,
    stop: () =>
      role.stop(async () => {
        nodeApi.close()
        await reading.close(GRACE_MS)
        await owner.close()
      }),
  }
})
