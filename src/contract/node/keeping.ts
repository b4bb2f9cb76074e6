import { z } from 'zod'

const accountId = z.string().min(1).max(200)
const path = z.array(z.string().max(1_000)).min(1).max(100)
const retention = z.union([z.number(), z.literal('forever'), z.literal('inherit')])
const after = z.string().max(200).optional()
const since = { accountId, sinceMs: z.number(), path: path.optional(), after }
/** Who changes something, for the event that tells of it. */
const by = z.string().max(200)
/** Accounts that one call may ask about. */
export const USAGES_MAX = 1_000

/** Arguments of the calls that control makes to the store that holds mailboxes, by name. */
export const KEEPING_CALLS = {
  'mailbox.list': z.object({ accountId }),
  'mailbox.acl': z.object({ accountId, path }),
  'mailbox.grant': z.object({
    accountId,
    path,
    who: z.string().min(1).max(255),
    rights: z.string().regex(/^[lrswipkxtea]{0,11}$/),
    by,
  }),
  'mailbox.retain': z.object({ accountId, path, retention, by }),
  'mailbox.expire': z.object({ asOfMs: z.number().optional(), dryRun: z.boolean(), after, by }),
  'mailbox.gone': z.object(since),
  'mailbox.damaged': z.object({}),
  'mailbox.recount': z.object({ accountId, by }),
  'mailbox.usages': z.object({ accountIds: z.array(accountId).max(USAGES_MAX) }),
  'mailbox.undelete': z.object({ ...since, by }),
} as const
