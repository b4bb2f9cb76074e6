import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

const AGAIN_MS = 2 * SECOND_MS
/** Where foreign peers come in. */
const DOOR = 'lmtp'

interface RecallParts {
  readonly unheard: UnheardAnswers
  readonly mailboxes: Pick<MailboxStore, 'arrivals'>
  readonly clock: Clock
  readonly log: Log
}

/** Asks the mailboxes what this node filed right before it ended the last time, until they say it. */
export class Recalling {
  readonly #parts: RecallParts
  #cancel: (() => void) | undefined
  #isStopped = false

  constructor(parts: RecallParts) {
    this.#parts = parts
  }

  /** Resolves once it was asked; where nobody answered it goes on by itself. */
  async run(): Promise<void> {
    const { unheard, mailboxes, clock, log } = this.#parts
    try {
      await unheard.recallFiled(mailboxes, DOOR)
    } catch (thrown) {
      log.warn('deliver.notRecalled', { cause: messageOf(thrown) })
      // An owner of an earlier version keeps nothing of it.
      if (this.#isStopped || isFault(thrown, 'notFound')) return
      this.#cancel = clock.after(AGAIN_MS, () => void this.run())
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }
}
