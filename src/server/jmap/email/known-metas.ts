import type { EmailId } from '#model/mailbox.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import type { StoredMeta } from '#store/mailbox/meta-records.ts'

/** Addresses and parts of all that is kept; each costs about half a kilobyte. */
const WEIGHT_MAX = 20_000
/** One message with more of them is not worth what it would push out. */
const MESSAGE_WEIGHT_MAX = 200

/**
 * What was parsed of emails that were shown lately: an email never changes, whatever its mailboxes
 * and keywords do. Ids of two accounts never meet; who asks has found the email in the account before.
 */
export class KnownMetas {
  /** Last used last. */
  readonly #metas = new Map<EmailId, { readonly stored: StoredMeta; readonly weight: number }>()
  #weight = 0

  get(emailId: EmailId): StoredMeta | undefined {
    const known = this.#metas.get(emailId)
    if (known === undefined) return undefined
    this.#metas.delete(emailId)
    this.#metas.set(emailId, known)
    return known.stored
  }

  keep(emailId: EmailId, stored: StoredMeta): void {
    const weight = weightOf(stored.meta)
    if (weight > MESSAGE_WEIGHT_MAX || this.#metas.has(emailId)) return
    this.#metas.set(emailId, { stored, weight })
    this.#weight += weight
    for (const [oldest, { weight: less }] of this.#metas) {
      if (this.#weight <= WEIGHT_MAX) break
      this.#metas.delete(oldest)
      this.#weight -= less
    }
  }
}

function weightOf({ envelope, references, root }: MessageMeta): number {
  const { from, sender, replyTo, to, cc, bcc } = envelope
  let weight = 1 + references.length
  for (const list of [from, sender, replyTo, to, cc, bcc]) weight += list?.length ?? 0
  const open: MimePart[] = [root]
  for (
    let part = open.pop();
    part !== undefined && weight <= MESSAGE_WEIGHT_MAX;
    part = open.pop()
  ) {
    weight += 1 + part.params.length
    open.push(...part.parts)
    // A message within it has an envelope of its own.
    if (part.message !== undefined) return MESSAGE_WEIGHT_MAX + 1
  }
  return weight
}
