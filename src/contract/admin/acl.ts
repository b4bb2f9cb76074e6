import { z } from 'zod'

const rights = z
  .string()
  .max(32)
  .describe(
    'letters of RFC 4314: l look up, r read, s keep what one has read, w set flags, i insert, p post ' +
      '(kept only), k create below, x delete it, t mark deleted, e expunge, a administer',
  )

const entry = z.object({
  who: z
    .string()
    .describe('a user by address, or anyone; behind a minus sign who has these rights taken away'),
  rights,
})

/** Who may do what in a mailbox, beside its owner. */
export const acl = z.object({ items: z.array(entry) })

export const aclRights = z.object({ rights })
