import { z } from 'zod'
import { MEMBER_DELIVERIES } from '#model/list-words.ts'

const id = z.string().min(1).max(200)

/** What somebody does with the own place in a list, at a node or on a page. */
export const membershipAct = z.object({
  list: id,
  who: z.union([z.object({ account: id }), z.object({ address: z.string().min(3).max(1_000) })]),
  act: z.union([z.literal('join'), z.literal('leave'), z.enum(MEMBER_DELIVERIES)]),
  /** Who has said so, where that is somebody else: the owner who approves. */
  by: z.string().min(1).max(500).exactOptional(),
})
export type MembershipActBody = z.infer<typeof membershipAct>

export const MEMBERSHIP_ENDS = [
  'done',
  'same', // it was so already
  'approval', // an owner is to approve
  'closed', // nobody joins, or goes, by themselves
  'excluded', // an owner keeps them out
  'notMember',
  'group', // in by a group or another list, whose posts alone cannot be chosen
  'notFound', // the list or the account is gone
  'refused', // the directory does not take it
] as const
export type MembershipEnd = (typeof MEMBERSHIP_ENDS)[number]
export const membershipEnd = z.object({ end: z.enum(MEMBERSHIP_ENDS) })
