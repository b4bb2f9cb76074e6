import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { bad, done } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

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
    // Before anybody reads: from here on news is sent beside the wait for DONE.
    await session.out.flush()
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
  const bell = new Bell()
  const heard: { end?: { readonly line: Octets | undefined } } = {}
  void session.continuation(DONE_LINE_BYTES_MAX, room.limits.idleTimeoutMs).then((line) => {
    heard.end = { line }
    bell.ring()
  })
  if (selected !== undefined) selected.onChange = () => bell.ring()
  while (heard.end === undefined) {
    session.tell(true)
    await session.out.flush()
    if (session.ending) return done('Idle ended')
    if (!(await bell.rung(room.clock, KEEPALIVE_MS))) {
      session.out.line('* OK Still here')
      // Also catches up where a notice was lost with a storage process.
      selected?.view.refresh().catch(() => undefined)
    }
  }
  const { line } = heard.end
  if (line === undefined) return session.ending ? done('Idle ended') : bad('Expected DONE')
  return toLatin1(line).trim().toUpperCase() === 'DONE' ? done('Idle ended') : bad('Expected DONE')
}

/**
 * Wakes one who waits, and is heard by the next to wait where nobody does. A race of promises would do
 * but for what it leaves: on the promise that stays, a little for each change in hours of idling.
 */
class Bell {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** True once it was rung since the last time, false after `timeoutMs` without. */
  async rung(clock: Clock, timeoutMs: number): Promise<boolean> {
    if (!this.#isRung)
      await new Promise<void>((resolve) => {
        const cancel = clock.after(timeoutMs, resolve)
        this.#wake = () => {
          cancel()
          resolve()
        }
      })
    this.#wake = undefined
    const wasRung = this.#isRung
    this.#isRung = false
    return wasRung
  }
}
