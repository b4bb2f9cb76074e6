import { randomUUID } from 'node:crypto'

import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { carry } from '#contract/node/carried.ts'
import { MAILBOX_ANSWERS } from '#contract/node/mailboxes.ts'
import type { MailboxAnswer, MailboxAsk, MailboxCall } from '#contract/node/mailboxes.ts'
import { NODE_PATHS } from '#contract/node/wire.ts'

import { askJson } from './request.ts'
import type { Dial } from './request.ts'

/** A delivery that cannot go on is told so within 5 s. */
const CALL_MS = 4 * SECOND_MS
/** A connection that broke is tried again so often in all: each call may come twice. */
const TRIES = 3

/** Asks the owner of the mailboxes for what a delivery needs; each failure is a Fault. */
export class MailboxCaller {
  readonly #dial: () => Dial | undefined
  readonly #clock: Clock

  /** `dial`: to the owner as it is now; undefined: there is none. */
  constructor(parts: { readonly dial: () => Dial | undefined; readonly clock: Clock }) {
    this.#dial = parts.dial
    this.#clock = parts.clock
  }

  /** The same commit is made once, however often its answer is lost. */
  commit(ask: Omit<MailboxAsk<'commit'>, 'requestId'>): Promise<MailboxAnswer<'commit'>> {
    return this.call('commit', { ...ask, requestId: randomUUID() })
  }

  async call<C extends MailboxCall>(name: C, ask: MailboxAsk<C>): Promise<MailboxAnswer<C>> {
    const body = carry(ask)
    for (let left = TRIES; ; left--)
      try {
        return await this.#once(name, body)
      } catch (thrown) {
        // An idle connection that the other side has just closed, or an answer that was lost.
        if (left <= 1 || !isFault(thrown, 'unreachable')) throw thrown
      }
  }

  async #once<C extends MailboxCall>(name: C, body: Uint8Array): Promise<MailboxAnswer<C>> {
    const dial = this.#dial()
    if (dial === undefined)
      throw new Fault('unavailable', 'no node that keeps mailboxes takes mail now')
    const answer = await askJson({
      dial,
      clock: this.#clock,
      method: 'POST',
      path: `${NODE_PATHS.mailboxes}${name}`,
      body: once(body),
      headers: { 'content-length': String(body.byteLength) },
      timeoutMs: CALL_MS,
    })
    const parsed = MAILBOX_ANSWERS[name].safeParse(answer)
    if (parsed.success) return parsed.data as MailboxAnswer<C>
    throw new Fault('protocol', `${name}: the answer cannot be read`)
  }
}

async function* once(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  yield octets
}
