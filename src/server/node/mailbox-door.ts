import type { IncomingMessage } from 'node:http'

import { Fault } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { carried } from '#contract/node/carried.ts'
import { CALL_BYTES_MAX, MAILBOX_CALLS } from '#contract/node/mailboxes.ts'
import type { MailboxAnswer, MailboxAsk, MailboxCall } from '#contract/node/mailboxes.ts'
import type { DeliveryMailboxes } from '#engine/deliver/delivery-mailboxes.ts'
import type { AccountId } from '#model/account.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'
import type { CommitRequest } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

import { readOctets } from './http.ts'

/** A large message of which nothing more has come for so long is given up. */
const LARGE_IDLE_MS = 5 * MINUTE_MS
/** The answer of a commit is known for so long, for one who did not hear it. */
const ANSWER_KEPT_MS = MINUTE_MS

interface Large {
  readonly owner: KeyPin
  /** Octets that have come. */
  sizeBytes: number
  /** Pieces are written one after the other. */
  work: Promise<void>
  cancel: () => void
}

interface MailboxDoorParts {
  readonly mailboxes: Pick<
    MailboxStore,
    | 'openLarge'
    | 'appendLarge'
    | 'abortLarge'
    | 'commit'
    | 'filing'
    | 'remembered'
    | 'arrivals'
    | 'status'
  > &
    Pick<DeliveryMailboxes, 'hasRoom' | 'script' | 'annotations'>
  readonly clock: Clock
  /** Something may have come into the outbox. */
  readonly filed: () => void
}

/**
 * Lets a joined `deliver` put mail into mailboxes that are owned here, and do nothing else. Whether
 * the peer is one is asked before, at each request; what it opened nobody else can name.
 */
export class MailboxDoor {
  readonly #parts: MailboxDoorParts
  readonly #large = new Map<string, Large>()
  readonly #commits = new Map<string, Promise<MailboxAnswer<'commit'>>>()

  constructor(parts: MailboxDoorParts) {
    this.#parts = parts
  }

  /** One call of the holder of a key. Throws the store's Fault, `invalid`, `limit`, `notFound`. */
  async take(owner: KeyPin, name: string, request: IncomingMessage): Promise<unknown> {
    if (!Object.hasOwn(MAILBOX_CALLS, name)) throw new Fault('notFound', `there is no call ${name}`)
    const call = name as MailboxCall
    const parsed = MAILBOX_CALLS[call].safeParse(carried(await readOctets(request, CALL_BYTES_MAX)))
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new Fault('invalid', `${name}: ${issue?.path.join('.')}: ${issue?.message}`)
    }
    return this.#carryOut(owner, call, parsed.data)
  }

  #carryOut(owner: KeyPin, call: MailboxCall, data: unknown): Promise<unknown> {
    const { mailboxes } = this.#parts
    switch (call) {
      case 'openLarge':
        return this.#openLarge(owner)
      case 'appendLarge':
        return this.#appendLarge(owner, data as MailboxAsk<'appendLarge'>)
      case 'abortLarge':
        return this.#abortLarge(owner, data as MailboxAsk<'abortLarge'>)
      case 'commit':
        return this.#commit(owner, data as MailboxAsk<'commit'>)
      case 'filing':
        return this.#filing(data as MailboxAsk<'filing'>)
      case 'remembered': {
        const { accountId, keys } = data as MailboxAsk<'remembered'>
        return mailboxes.remembered({ accountId: accountId as AccountId, keys })
      }
      case 'arrivals':
        return this.#arrivals(owner, data as MailboxAsk<'arrivals'>)
      case 'script':
        return this.#script(data as MailboxAsk<'script'>)
      case 'annotations':
        return this.#annotations(data as MailboxAsk<'annotations'>)
      case 'hasRoom':
        return this.#hasRoom(data as MailboxAsk<'hasRoom'>)
      case 'status':
        return mailboxes.status().then(({ full }) => ({ full }) satisfies MailboxAnswer<'status'>)
    }
  }

  async #arrivals(
    owner: KeyPin,
    { door }: MailboxAsk<'arrivals'>,
  ): Promise<MailboxAnswer<'arrivals'>> {
    const found = await this.#parts.mailboxes.arrivals({ door: doorOf(owner, door) })
    return {
      arrivals: found.arrivals.map(({ recipients, ...more }) => ({
        ...more,
        recipients: [...recipients],
      })),
    }
  }

  async #filing({ accountIds }: MailboxAsk<'filing'>): Promise<MailboxAnswer<'filing'>> {
    const ask = { accountIds: accountIds as AccountId[] }
    const { accounts } = await this.#parts.mailboxes.filing(ask)
    return {
      accounts: accounts.map(({ script, mailboxes, uses, ids }) => ({
        mailboxes: mailboxes.map((path) => [...path]),
        uses: uses.map(({ use, path }) => ({ use, path: [...path] })),
        ...(script !== undefined && { script }),
        ...(ids !== undefined && { ids: [...ids] }),
      })),
    }
  }

  async #script({ accountId, name }: MailboxAsk<'script'>): Promise<MailboxAnswer<'script'>> {
    const ask = { accountId: accountId as AccountId, name }
    const { script } = await this.#parts.mailboxes.script(ask)
    return script === undefined ? {} : { text: script.text }
  }

  async #annotations({
    accountId,
  }: MailboxAsk<'annotations'>): Promise<MailboxAnswer<'annotations'>> {
    const told = await this.#parts.mailboxes.annotations?.({ accountId: accountId as AccountId })
    return { annotations: told?.annotations?.map((each) => ({ ...each })) }
  }

  async #hasRoom(ask: MailboxAsk<'hasRoom'>): Promise<MailboxAnswer<'hasRoom'>> {
    const { accountId, sizeBytes, copyId } = ask
    const room = {
      accountId: accountId as AccountId,
      sizeBytes,
      ...(copyId !== undefined && { copyId }),
    }
    return (await this.#parts.mailboxes.hasRoom?.(room)) ?? { hasRoom: true }
  }

  async #openLarge(owner: KeyPin): Promise<MailboxAnswer<'openLarge'>> {
    const { handle } = await this.#parts.mailboxes.openLarge()
    const large = { owner, sizeBytes: 0, work: Promise.resolve(), cancel: () => undefined }
    this.#large.set(handle, large)
    this.#watch(handle, large)
    return { handle }
  }

  #watch(handle: string, large: Large): void {
    large.cancel()
    large.cancel = this.#parts.clock.after(LARGE_IDLE_MS, () => {
      this.#large.delete(handle)
      const abandoned = { handle: handle as LargeHandle }
      void this.#parts.mailboxes.abortLarge(abandoned).catch(() => undefined)
    })
  }

  #owned(owner: KeyPin, handle: string): Large {
    const large = this.#large.get(handle)
    if (large?.owner !== owner) throw new Fault('notFound', 'there is no such large message')
    return large
  }

  async #appendLarge(
    owner: KeyPin,
    { handle, offset, octets }: MailboxAsk<'appendLarge'>,
  ): Promise<MailboxAnswer<'appendLarge'>> {
    const large = this.#owned(owner, handle)
    this.#watch(handle, large)
    const work = large.work.then(async () => {
      // Sent again after an answer that was lost.
      if (offset + octets.byteLength === large.sizeBytes && octets.byteLength > 0) return
      if (offset !== large.sizeBytes)
        throw new Fault('conflict', `octets from ${offset}, but ${large.sizeBytes} have come`)
      await this.#parts.mailboxes.appendLarge({ handle: handle as LargeHandle, octets })
      large.sizeBytes += octets.byteLength
    })
    large.work = work.catch(() => undefined)
    await work
    return {}
  }

  async #abortLarge(
    owner: KeyPin,
    { handle }: MailboxAsk<'abortLarge'>,
  ): Promise<MailboxAnswer<'abortLarge'>> {
    const large = this.#large.get(handle)
    // Given up already, or never here: it is gone, and that is what was asked.
    if (large?.owner !== owner) return {}
    this.#release(handle, large)
    await large.work
    await this.#parts.mailboxes.abortLarge({ handle: handle as LargeHandle })
    return {}
  }

  #release(handle: string, large: Large): void {
    this.#large.delete(handle)
    large.cancel()
  }

  #commit(owner: KeyPin, ask: MailboxAsk<'commit'>): Promise<MailboxAnswer<'commit'>> {
    const key = `${owner} ${ask.requestId}`
    const known = this.#commits.get(key)
    if (known !== undefined) return known
    const answer = this.#carryIn(owner, ask)
    this.#commits.set(key, answer)
    const forget = (): void => {
      this.#parts.clock.after(ANSWER_KEPT_MS, () => this.#commits.delete(key))
    }
    answer.then(forget, forget)
    return answer
  }

  async #carryIn(owner: KeyPin, ask: MailboxAsk<'commit'>): Promise<MailboxAnswer<'commit'>> {
    const { contents, commits, arrival } = ask
    for (const { changes, outbox = [] } of commits) {
      const named = [...changes, ...outbox].map(({ content }) => content)
      if (named.some((content) => typeof content === 'number' && content >= contents.length))
        throw new Fault('invalid', 'a content is named that is not there')
    }
    // The store takes them over, whatever becomes of the commit.
    const large = contents.flatMap((content) => ('large' in content ? [content.large] : []))
    const owned = large.map((handle) => [handle, this.#owned(owner, handle)] as const)
    for (const [handle, one] of owned) this.#release(handle, one)
    for (const [, one] of owned) await one.work
    const { results } = await this.#parts.mailboxes.commit({
      contents,
      commits,
      ...(arrival !== undefined && {
        arrival: { ...arrival, door: doorOf(owner, arrival.door) },
      }),
    } as unknown as CommitRequest)
    if (commits.some(({ outbox = [] }) => outbox.length > 0)) this.#parts.filed()
    return { results: results as MailboxAnswer<'commit'>['results'] }
  }
}

/** Nobody writes over what came in at another node. */
const doorOf = (owner: KeyPin, door: string): string => `${owner} ${door}`
