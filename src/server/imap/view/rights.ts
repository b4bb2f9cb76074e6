import { hasRight } from '#model/acl.ts'
import type { Right } from '#model/acl.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'

/** Whether the session may do something in its own mailbox, or by its rights in another's. */
export const may = ({ rights }: MailboxRow, right: Right): boolean =>
  rights === undefined || hasRight(rights, right)

/**
 * RFC 4314 §5.2: without any right to change what others see a mailbox is READ-ONLY; one's own \Seen,
 * which nobody else sees, may be stored all the same.
 */
export const mayChange = (mailbox: MailboxRow): boolean =>
  (['i', 'e', 't', 'w'] as const).some((right) => may(mailbox, right))
