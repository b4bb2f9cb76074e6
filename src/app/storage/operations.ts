import { randomBytes } from 'node:crypto'
import type { CommitRequest, MailboxChange, Operation } from '#store/mailbox/commit.ts'

/** Done twice they do what once has done, so that whoever heard NO asks again. */
const REPEATABLE: ReadonlySet<MailboxChange['kind']> = new Set([
  'setFlags',
  'expunge',
  'claimRecent',
  'subscribe',
  'grant',
  'retain',
  'number',
  'describe',
  'forget',
] as const)

/**
 * Gives each commit that must not be made twice an operation, by which its outcome is asked for where the
 * storage child ends before it has answered. A slot is free again once the answer is heard, so that there
 * are as many rows as there were commits at once.
 */
export class Operations {
  /** Of this process's life: slots are used again by the next. */
  readonly #life = randomBytes(9).toString('base64url')
  #lastId = 0
  #slots = 0
  readonly #free: number[] = []

  /** Undefined for calls that need none. */
  begin(
    { service, method, argument }: { service: string; method: string; argument: unknown },
    untilMs: number,
  ): Operation | undefined {
    if (service !== 'mailboxes' || method !== 'commit') return undefined
    const { commits } = argument as CommitRequest
    // What has an id of its own is done once however often it is asked.
    const isDoubtful = commits.some(
      ({ deliveryId, notice, event, changes, outbox = [] }) =>
        deliveryId === undefined &&
        notice === undefined &&
        event === undefined &&
        (outbox.length > 0 || changes.some(({ kind }) => !REPEATABLE.has(kind))),
    )
    if (!isDoubtful) return undefined
    const id = `${this.#life}.${++this.#lastId}`
    return { slot: this.#free.pop() ?? this.#slots++, id, untilMs }
  }

  /** Its answer is heard. */
  end(operation: Operation | undefined): void {
    if (operation !== undefined) this.#free.push(operation.slot)
  }
}
