import { toLatin1 } from '#base/octets.ts'
import { MINUTE_MS } from '#base/time.ts'
import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { bad, done } from '#server/imap/completion.ts'
import type { Completion } from '#server/imap/completion.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** Routers forget silent connections; a word now and then keeps them. */
const KEEPALIVE_MS = 4 * MINUTE_MS
const DONE_LINE_BYTES_MAX = 1_024

/** RFC 2177 §3: what others change is told at once, until DONE. */
export const idle: ImapCommand<'IDLE'> = {
  name: 'IDLE',
  states: LOGGED_IN,
  async run(session) {
    const { selected } = session
    await selected?.view.refresh()
    session.out.line('+ idling')
    if (selected !== undefined) selected.busy = false // no row number is held while waiting
    try {
      return await waitForDone(session)
    } finally {
      if (selected !== undefined) selected.onChange = undefined
    }
  },
}

async function waitForDone(session: ImapSession): Promise<Completion> {
  const { selected, room } = session
  const line = session
    .continuation(DONE_LINE_BYTES_MAX, room.limits.idleTimeoutMs)
    .then((octets) => ({ octets }))
  for (;;) {
    session.tell(true)
    await session.out.flush()
    if (session.ending) return done('Idle ended')
    let wake = (): void => undefined
    const woken = new Promise<'changed'>((resolve) => {
      wake = () => resolve('changed')
    })
    if (selected !== undefined) selected.onChange = wake
    const cancel = room.clock.after(KEEPALIVE_MS, () => {
      session.out.line('* OK Still here')
      // Also catches up where a notice was lost with a storage process.
      selected?.view.refresh().catch(() => undefined)
      wake()
    })
    // What changed before onChange was set wakes at once.
    if (selected !== undefined && (!selected.upToDate || selected.view.lost)) wake()
    const first = await Promise.race([line, woken])
    cancel()
    if (first === 'changed') continue
    if (first.octets === undefined)
      return session.ending ? done('Idle ended') : bad('Expected DONE')
    return toLatin1(first.octets).trim().toUpperCase() === 'DONE'
      ? done('Idle ended')
      : bad('Expected DONE')
  }
}
