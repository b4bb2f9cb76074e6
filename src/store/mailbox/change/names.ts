import { equalAsciiIgnoreCase } from '#base/text.ts'
import { MAILBOX_COMPONENT_BYTES_MAX, MAILBOX_DEPTH_MAX } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/ // RFC 5198 §2: no controls, no line separators

/** The path as it is stored: NFC, INBOX in capitals (RFC 9051 §5.1). Throws Refusal `badName` or `limit`. */
export function storedPath(path: MailboxPath): string[] {
  if (path.length === 0) throw new Refusal('badName', 'A mailbox must have a name')
  if (path.length > MAILBOX_DEPTH_MAX)
    throw new Refusal('limit', `Mailbox names have at most ${MAILBOX_DEPTH_MAX} levels`)
  return path.map((component, depth) => {
    if (component === '') throw new Refusal('badName', 'A level of the mailbox name is empty')
    if (!component.isWellFormed() || CONTROLS.test(component))
      throw new Refusal('badName', 'Mailbox names hold no control characters')
    const name = component.normalize('NFC')
    if (Buffer.byteLength(name) > MAILBOX_COMPONENT_BYTES_MAX)
      throw new Refusal(
        'limit',
        `Each level of a mailbox name has at most ${MAILBOX_COMPONENT_BYTES_MAX} octets`,
      )
    return depth === 0 && equalAsciiIgnoreCase(name, 'INBOX') ? 'INBOX' : name
  })
}

export const isInbox = (path: MailboxPath): boolean => path.length === 1 && path[0] === 'INBOX'
