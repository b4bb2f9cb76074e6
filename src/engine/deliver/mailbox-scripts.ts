import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { EventSink } from '#model/event.ts'
import { WokenWork } from '#base/woken-work.ts'
import type { ScriptEvent } from '#store/mailbox/change/script-event.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'

import { compiledSieve } from './compiled-sieve.ts'
import { asking, happenedTo } from './event-message.ts'
import type { EventSurroundings } from './event-message.ts'
import { planEvent, troublePlan, withoutTrace } from './event-plan.ts'
import type { EventPlan, Happened } from './event-plan.ts'
import type { ScriptTrouble } from './script-trouble.ts'

/** Events that are looked at side by side: of each the beginning of its message is in memory. */
const EVENTS_AT_ONCE = 20
/** After trouble, or where a wake was lost with its process. */
const LOOK_AGAIN_MS = 30 * SECOND_MS

interface MailboxScriptsParts extends EventSurroundings {
  readonly mailboxes: EventSurroundings['mailboxes'] &
    Pick<MailboxStore, 'commit' | 'scriptEvents' | 'scriptEventsDone'>
  /** Something is in the outbox. */
  readonly sent: () => void
  readonly events: EventSink
  readonly log: Log
}

/**
 * Runs the scripts of mailboxes on what happens in them (RFC 6785): after the commit in which it did, in its
 * order. What a script does is one commit, which takes the event with it: a crash in between runs it again,
 * and none does anything twice. What scripts do is no event, so none of them goes round.
 */
export class MailboxScripts {
  readonly #parts: MailboxScriptsParts
  readonly #work: WokenWork

  constructor(parts: MailboxScriptsParts) {
    this.#parts = parts
    this.#work = new WokenWork({
      pass: () => this.#all(),
      onTrouble: (cause) => parts.log.warn('sieve.waiting', { cause }),
      lookAgainMs: LOOK_AGAIN_MS,
      clock: parts.clock,
    })
  }

  /** Looks for events now. */
  wake(): void {
    this.#work.wake()
  }

  /** Waits for those that are being looked at. */
  idle(): Promise<void> {
    return this.#work.idle()
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  /** Those that wait, a few at a time; what cannot be read now is left behind, and tried again later. */
  async #all(): Promise<void> {
    const { mailboxes } = this.#parts
    let after = 0
    let failed: unknown
    while (!this.#work.isClosed) {
      const { events } = await mailboxes.scriptEvents({ limit: EVENTS_AT_ONCE, after })
      const batch = differentMessages(events)
      if (batch.length === 0) break
      const reasons = await this.#some(batch)
      ;[failed = undefined] = [failed, ...reasons].filter((reason) => reason !== undefined)
      if (reasons.length === batch.length) break
      after = batch.at(-1)!.id
    }
    if (failed !== undefined) throw failed
  }

  /** Why some of them could not be done. */
  async #some(events: readonly ScriptEvent[]): Promise<readonly unknown[]> {
    const { mailboxes, sent } = this.#parts
    const done: number[] = []
    let hasSent = false
    const runs = events.map(async (event) => {
      const plan = await this.#plan(event)
      if (plan === undefined || !(await this.#commit(event, plan))) done.push(event.id)
      if (plan !== undefined && plan.outbox.length > 0) hasSent = true
    })
    const settled = await Promise.allSettled(runs)
    if (done.length > 0) await mailboxes.scriptEventsDone({ ids: done })
    if (hasSent) sent()
    return settled.flatMap((run) => (run.status === 'rejected' ? [run.reason as unknown] : []))
  }

  /** What comes of it; undefined: nothing. Throws Fault where nobody knows. */
  async #plan(event: ScriptEvent): Promise<EventPlan | undefined> {
    const { mailboxes, log } = this.#parts
    const { accountId, script: name } = event
    const { script } = await mailboxes.script({ accountId, name: name.normalize('NFC') })
    if (script === undefined) return undefined // RFC 6785 §2.3.1
    const happened = await happenedTo(event, this.#parts)
    if (happened === undefined) return undefined
    const plan = await this.#runs(script.text, event, happened)
    const { trouble, unsent } = plan
    if (trouble !== undefined) this.#tell(event, trouble)
    if (unsent.length > 0) log.info('sieve.unsent', { accountId, script: name, why: unsent.join() })
    return plan
  }

  async #runs(text: string, event: ScriptEvent, happened: Happened): Promise<EventPlan> {
    const failed = (trouble: Omit<ScriptTrouble, 'place'>): EventPlan =>
      troublePlan({ place: 'mailbox', ...trouble }, happened)
    const compiled = compiledSieve(text)
    if (!compiled.ok) return failed(compiled.error[0] ?? { message: 'it does not check' })
    try {
      const program = compiled.value
      return await asking(program, { event, happened, parts: this.#parts }, (asked) =>
        planEvent(program, asked),
      )
    } catch (thrown) {
      if (isFault(thrown)) throw thrown
      // A fault of ours must not keep all others waiting.
      return failed({ message: messageOf(thrown) })
    }
  }

  /** False where there is nothing to commit, or it was refused: then the message stays as it is. */
  async #commit(event: ScriptEvent, plan: EventPlan): Promise<boolean> {
    const { mailboxes } = this.#parts
    const { accountId, id } = event
    const { changes, outbox, memories } = plan
    if (changes.length + outbox.length + memories.length === 0) return false
    // The message itself is read whole where it is sent as it is.
    const isSent = outbox.some(({ content }) => content === 0)
    const whole = isSent ? await this.#whole(event) : undefined
    if (isSent && whole === undefined) return false
    const shift = isSent ? 0 : -1
    const { results } = await mailboxes.commit({
      contents: [
        ...(whole === undefined ? [] : [{ octets: whole }]),
        ...plan.contents.map((octets) => ({ octets: [octets] })),
      ],
      commits: [
        {
          accountId,
          event: id,
          changes: changes.map((change) =>
            change.kind === 'append' ? { ...change, content: change.content + shift } : change,
          ),
          outbox,
          memories,
        },
      ],
    })
    const [result] = results
    if (result?.kind !== 'refused') return true
    this.#tell(event, { message: result.refusal.text })
    return false
  }

  #tell({ accountId, script: name }: ScriptEvent, trouble: Omit<ScriptTrouble, 'place'>): void {
    const { events, log, clock } = this.#parts
    const { line = null, message } = trouble
    const fields = { accountId, script: 'mailbox', name, line, cause: message.slice(0, 500) }
    log.warn('sieve.failed', fields)
    events.emit({ atMs: clock.nowMs(), name: 'sieve.failed', fields })
  }

  /** The message as it is sent on; undefined where it is gone. */
  async #whole({ accountId, mailboxId, uid }: ScriptEvent): Promise<Octets[] | undefined> {
    const pieces: Octets[] = []
    for (let offset = 0; ;) {
      const ask = { accountId, mailboxId, uid, offset, length: READ_BYTES_MAX }
      const { octets } = await this.#parts.mailboxes.read(ask)
      if (octets === undefined) return undefined
      pieces.push(offset === 0 ? withoutTrace(octets) : octets)
      offset += octets.byteLength
      if (octets.byteLength < READ_BYTES_MAX) return pieces
    }
  }
}

/** Up to the second event of a message: it is to find what comes of the first. */
function differentMessages(events: readonly ScriptEvent[]): readonly ScriptEvent[] {
  const seen = new Set<string>()
  const first = events.findIndex(({ mailboxId, uid }) => {
    const key = `${mailboxId} ${uid}`
    if (seen.has(key)) return true
    seen.add(key)
    return false
  })
  return first < 0 ? events : events.slice(0, first)
}
