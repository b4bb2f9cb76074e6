import type { Log } from '#base/log.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { WokenWork } from '#base/woken-work.ts'
import { verdictClassOf } from '#codec/auth/verdict.ts'
import { firstField, headerFields, headerLength } from '#codec/mime/header.ts'
import type { EventSink } from '#model/event.ts'
import type { JunkReport } from '#store/mailbox/change/junk-report.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

const REPORTS_AT_ONCE = 100
/** Octets of a message in which its verdict stands: it is among its first fields. */
const HEAD_BYTES = 64 * 1024
/** After trouble, or where a wake was lost with its process. */
const LOOK_AGAIN_MS = 30 * SECOND_MS

interface JunkReportsParts {
  readonly mailboxes: Pick<MailboxStore, 'junkReports' | 'junkReportsDone' | 'emails' | 'read'>
  /** `flush` resolves once they are in the node's log. */
  readonly events: EventSink & { flush(): Promise<void> }
  readonly clock: Clock
  readonly log: Log
}

/**
 * Makes events of what people say of mails by moving them into \Junk and out of it: `junk.reported` and
 * `junk.denied`. What was said stands in the store until it is in the log: a crash in between says it again,
 * with the same `report`.
 */
export class JunkReports {
  readonly #parts: JunkReportsParts
  readonly #work: WokenWork

  constructor(parts: JunkReportsParts) {
    this.#parts = parts
    this.#work = new WokenWork({
      pass: () => this.#handOn(),
      onTrouble: (cause) => parts.log.warn('junk.waiting', { cause }),
      lookAgainMs: LOOK_AGAIN_MS,
      clock: parts.clock,
    })
  }

  /** Looks for reports now. */
  wake(): void {
    this.#work.wake()
  }

  /** Waits for those that are being handed on. */
  idle(): Promise<void> {
    return this.#work.idle()
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #handOn(): Promise<void> {
    const { mailboxes, events } = this.#parts
    for (;;) {
      const { reports } = await mailboxes.junkReports({ limit: REPORTS_AT_ONCE })
      if (reports.length === 0 || this.#work.isClosed) return
      for (const report of reports) {
        const { accountId, emailId, word, atMs } = report
        const before = await this.#classOf(report)
        events.emit({
          atMs,
          name: `junk.${word}`,
          fields: { accountId, emailId, class: before ?? null, report: `${emailId}.${atMs}` },
        })
      }
      await events.flush()
      await mailboxes.junkReportsDone({ reports })
    }
  }

  /** What it was judged to be when it came; undefined where nobody has, or it is gone. */
  async #classOf({ accountId, emailId }: JunkReport) {
    const { mailboxes } = this.#parts
    const { emails } = await mailboxes.emails({ accountId, emailIds: [emailId] })
    const place = emails[0]?.places[0]
    if (place === undefined) return undefined
    const { mailboxId, uid } = place
    const ask = { accountId, mailboxId, uid, offset: 0, length: HEAD_BYTES }
    const { octets } = await mailboxes.read(ask)
    if (octets === undefined) return undefined
    const fields = [...headerFields(octets.subarray(0, headerLength(octets)))]
    return verdictClassOf(firstField(fields, 'x-watari-verdict'))
  }
}
