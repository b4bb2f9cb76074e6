import { z } from 'zod'

const list = z.string().min(1).max(200)
const number = z.number().int().min(1).max(4_294_967_295)
const by = z.string().max(200)

/** Arguments of the calls that control makes about posts of mailing lists, by name. */
export const POST_CALLS = {
  'post.list': z.object({
    list,
    before: number.exactOptional(),
    from: z.number().int().min(0).max(1_000_000).exactOptional(),
    limit: z.number().int().min(1).max(500),
    text: z.string().max(1_000).exactOptional(),
  }),
  'post.show': z.object({ list, number }),
  'post.recipients': z.object({ list, number }),
  'post.held': z.object({ list }),
  'post.heldPost': z.object({ list, number, by }),
  'post.decide': z.object({
    list,
    numbers: z.array(number).min(1).max(500),
    act: z.enum(['approve', 'reject', 'discard', 'restore', 'withdraw']),
    text: z.string().max(10_000).exactOptional(),
    undoSeconds: z.number().int().min(0).max(3_600).exactOptional(),
    by,
  }),
  'post.aside': z.object({ list }),
  'post.settleAside': z.object({
    list,
    numbers: z.array(number).min(1).max(500),
    act: z.enum(['retry', 'drop']),
    by,
  }),
  'post.admission': z.object({ list, account: z.string().min(1).max(200) }),
  'post.bounces': z.object({ list }),
  'post.resume': z.object({ list, address: z.string().max(1_000), by }),
} as const
