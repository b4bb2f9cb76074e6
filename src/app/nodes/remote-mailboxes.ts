import { messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { MailboxCaller } from '#client/node/mailbox-caller.ts'
import { FILINGS_MAX, PIECE_BYTES_MAX } from '#contract/node/mailboxes.ts'
import type { MailboxAnswer, MailboxAsk } from '#contract/node/mailboxes.ts'
import type { DeliveryMailboxes } from '#engine/deliver/delivery-mailboxes.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { AccountFiling, MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { LargeHandle } from '#store/blob/blobs.ts'

import type { RoleState } from '#app/role.ts'

/** Mailboxes that another node owns, for deliveries of this one. */
export function remoteMailboxes(
  caller: MailboxCaller,
): DeliveryMailboxes & Pick<MailboxStore, 'arrivals'> {
  /** Octets sent of each large message. */
  const sent = new Map<LargeHandle, number>()
  return {
    openLarge: async () => {
      const handle = (await caller.call('openLarge', {})).handle as LargeHandle
      sent.set(handle, 0)
      return { handle }
    },
    appendLarge: async ({ handle, octets }) => {
      for (let at = 0; at < octets.byteLength; at += PIECE_BYTES_MAX) {
        const piece = octets.subarray(at, at + PIECE_BYTES_MAX)
        const offset = sent.get(handle) ?? 0
        await caller.call('appendLarge', { handle, offset, octets: piece })
        sent.set(handle, offset + piece.byteLength)
      }
    },
    abortLarge: async ({ handle }) => {
      sent.delete(handle)
      await caller.call('abortLarge', { handle })
    },
    commit: async (request) => {
      for (const content of request.contents) if ('large' in content) sent.delete(content.large)
      const made = await caller.commit(request as unknown as MailboxAsk<'commit'>)
      return made as unknown as Awaited<ReturnType<MailboxStore['commit']>>
    },
    filing: async ({ accountIds }) => {
      const accounts: MailboxAnswer<'filing'>['accounts'] = []
      for (let at = 0; at < accountIds.length; at += FILINGS_MAX) {
        const ask = { accountIds: accountIds.slice(at, at + FILINGS_MAX) }
        accounts.push(...(await caller.call('filing', ask)).accounts)
      }
      return {
        accounts: accounts.map(({ script, mailboxes, uses = [], ids }) => ({
          mailboxes,
          uses: uses as AccountFiling['uses'],
          ...(script !== undefined && { script }),
          ...(ids !== undefined && { ids: ids as MailboxId[] }),
        })),
      }
    },
    remembered: ({ accountId, keys }) => caller.call('remembered', { accountId, keys: [...keys] }),
    arrivals: (ask) => caller.call('arrivals', ask),
    script: async (ask) => {
      const { text } = await caller.call('script', ask)
      return { script: text === undefined ? undefined : { text } }
    },
    annotations: (ask) => caller.call('annotations', ask),
    hasRoom: (ask) => caller.call('hasRoom', ask),
  }
}

const LOOK_EVERY_MS = 2 * SECOND_MS

/** How the owner of the mailboxes is, asked every two seconds: mail is refused before it is sent. */
export class MailboxWatch {
  readonly #caller: MailboxCaller
  readonly #clock: Clock
  #isStopped = false
  #cancel: (() => void) | undefined
  #state: RoleState = { state: 'stalled', reason: 'the node that keeps the mailboxes is not known' }

  constructor(parts: { readonly caller: MailboxCaller; readonly clock: Clock }) {
    this.#caller = parts.caller
    this.#clock = parts.clock
  }

  get state(): RoleState {
    return this.#state
  }

  /** Looks now, and again until `stop`. */
  async look(): Promise<void> {
    try {
      const { full } = await this.#caller.call('status', {})
      this.#state = full
        ? { state: 'full', reason: 'the node that keeps the mailboxes is full' }
        : { state: 'ready' }
    } catch (cause) {
      this.doubt(cause)
    }
    if (!this.#isStopped) this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => void this.look())
  }

  /** A call of somebody else's has failed: they are away until the next look. */
  doubt(cause: unknown): void {
    this.#state = { state: 'stalled', reason: `mailboxes: ${messageOf(cause)}` }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }
}
