import { SECOND_MS } from '#base/time.ts'
import { quote } from '#codec/imap/render.ts'
import type { ImapSession } from './session.ts'

const EVERY_MS = 10 * SECOND_MS

/** Tells a client that waits how far its command has come (RFC 9585 §3). */
export class Progress {
  readonly #session: ImapSession
  readonly #tag: string
  #toldMs: number
  constructor(session: ImapSession, tag: string) {
    this.#session = session
    this.#tag = tag
    this.#toldMs = session.room.clock.monotonicMs()
  }

  /** Lets others run; `done` of `total` only ever grows. */
  async step(done: number, total: number): Promise<void> {
    const session = this.#session
    const nowMs = session.room.clock.monotonicMs()
    if (nowMs - this.#toldMs >= EVERY_MS) {
      this.#toldMs = nowMs
      session.out.line(`* OK [INPROGRESS (${quote(this.#tag)} ${done} ${total})] Still at work`)
      await session.out.flush()
    }
    await session.connection.stillThere()
  }
}
