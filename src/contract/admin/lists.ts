import { z } from 'zod'
import { MEMBER_DELIVERIES } from '#model/list-words.ts'
import {
  ALL_PEOPLE,
  LIST_AUDIENCES,
  LIST_LEAVINGS,
  LIST_POSTINGS,
  LIST_SUBSCRIPTIONS,
} from '#model/list-words.ts'
import { page, pageQuery, pending, windowQuery } from './common.ts'

const count = z.number().int().nonnegative()
const day = z.string().max(20).describe('YYYY-MM-DD')
const names = z.array(z.string().max(1_000)).max(1_000)

/** How a list goes about its posts and its members; what may be null is taken away by it. */
const rules = {
  posting: z
    .enum(LIST_POSTINGS)
    .describe(
      'who may post: members, everybody with an account (domain), anyone; moderated: each post waits; announce: owners and moderators alone',
    ),
  others: z.enum(['hold', 'refuse']).describe('what becomes of posts by others'),
  subscription: z
    .enum(LIST_SUBSCRIPTIONS)
    .describe(
      'who may join: nobody but whom owners add (closed), whoever has an account (domain), also whoever confirms by mail (confirm, open), whom an owner approves (approve)',
    ),
  archive: z.enum(LIST_AUDIENCES).describe('who may read what was posted; none: nothing is kept'),
  roster: z.enum(['owners', 'members']).describe('who may see who is in it'),
  replyTo: z.enum(['author', 'list']),
  attachments: z.enum(['keep', 'remove', 'refuse']),
  language: z.enum(['ja', 'en']).describe('of what the list itself says'),
}
const choices = {
  name: z.string().max(1_000),
  description: z.string().max(20_000),
  subjectTag: z
    .string()
    .max(1_000)
    .describe('put before the subject; %n is the number of the post'),
  numberFrom: count.describe('the number of the first post'),
  retainDays: count.describe('posts older than this leave the archive'),
  leaving: z
    .enum(LIST_LEAVINGS)
    .describe('owners alone take members out; absent: members may go by themselves'),
  digest: z.enum(['day', 'week']).describe('how often digests come; absent: each day'),
  sizeMaxBytes: count.describe('of a post'),
  warnAbove: count.describe('who posts to more than so many confirms it'),
  withdrawSeconds: count.describe('so long a post waits, to be taken back by its author'),
}

const person = z.object({
  id: z.string(),
  address: z.string().optional().describe('absent: the account is gone'),
  name: z.string().optional(),
})

export const list = z.object({
  id: z.string(),
  address: z.string(),
  addresses: z.array(z.string()).describe('further ones under which it takes posts'),
  owners: z.array(person),
  moderators: z.array(
    person.extend({ until: day.optional().describe('the last day of a deputy') }),
  ),
  senders: z.array(person).describe('who may send as from its address'),
  ...rules,
  ...z.object(choices).partial().shape,
  closed: z.boolean().describe('it takes no posts any more'),
  deletedAt: z.string().optional(),
  historyFrom: z
    .string()
    .optional()
    .describe('who had left before is not kept any more; absent: all is known'),
  members: count.describe('rows of members of now; a group is one'),
  version: z
    .string()
    .describe(
      'sent back as If-Match: "VERSION" a change is refused where the list has changed since',
    ),
})
export type ListBody = z.infer<typeof list>

const moderator = z.object({ user: z.string().max(1_000), until: day.optional() })

export const newList = z.object({
  address: z.string().max(1_000).describe('list@domain, or a name of the default domain'),
  owners: names.default([]).describe('user names or addresses'),
  ...z.object({ ...rules, ...choices }).partial().shape,
  addresses: names.optional(),
  moderators: z.array(moderator).max(1_000).optional(),
  senders: names.optional().describe('who may send as from its address'),
})

export const listChange = z.object({
  ...z.object(rules).partial().shape,
  ...(Object.fromEntries(
    Object.entries(choices).map(([name, schema]) => [name, schema.nullable().optional()]),
  ) as { [K in keyof typeof choices]: z.ZodOptional<z.ZodNullable<(typeof choices)[K]>> }),
  owners: names.optional(),
  moderators: z.array(moderator).max(1_000).optional(),
  closed: z.boolean().optional(),
  address: z.string().max(1_000).optional().describe('not by owners'),
  addresses: names.optional().describe('not by owners'),
  senders: names.optional().describe('who may send as from its address'),
})

/** What a further call takes back, as long as nobody has changed it since. */
const undo = z.string().max(10_000).describe('sent to …/undo, it takes the change back')

export const writtenList = list.extend({ undo: undo.optional(), pending })
export const listDone = z.object({ undo: undo.optional(), pending })

export const listsQuery = pageQuery.extend({
  search: z
    .string()
    .max(1_000)
    .optional()
    .describe('text in an address, the name or the description'),
  deleted: z.literal('true').optional().describe('those that were deleted and can be had back'),
})

export const member = z.object({
  member: z.string().describe('names the row in further calls'),
  kind: z.enum(['account', 'list', 'group', 'filter', 'address']),
  id: z.string().optional().describe('of an account or a list'),
  address: z.string().optional().describe('as it is now; absent: it is gone'),
  name: z.string().optional(),
  source: z.string().optional(),
  base: z.string().optional(),
  filter: z.string().optional(),
  asOf: z.string().optional().describe('when the source of a filter was asked last'),
  people: count.optional().describe('accounts that a filter named then'),
  trouble: z
    .object({
      why: z.enum(['away', 'held', 'refused']),
      since: z.string(),
      text: z.string(),
    })
    .optional()
    .describe(
      'why whom a filter names is not what its source says now; who was named before stays',
    ),
  as: z.enum(['member', 'excluded']),
  delivery: z.enum(MEMBER_DELIVERIES),
  from: z.string(),
  until: z.string().optional().describe('the first moment after it'),
  addedBy: z.string().optional(),
})
export type MemberBody = z.infer<typeof member>

export const membersQuery = windowQuery.extend({
  search: z
    .string()
    .max(1_000)
    .optional()
    .describe('words, each in a name, a reading or an address'),
  on: z
    .string()
    .max(40)
    .optional()
    .describe('who was in on that day, or at that moment; absent: now, and who is still to come'),
  as: z.enum(['member', 'excluded']).optional(),
})

export const members = page(member).extend({
  total: count.optional().describe('all rows that fit; with `from`'),
  knownFrom: z
    .string()
    .optional()
    .describe('`on` is before that: some who were in then are not kept any more'),
})

const how = {
  delivery: z.enum(MEMBER_DELIVERIES).optional(),
  until: day.nullable().optional().describe('the last day; null: no end; absent: stays'),
}

const filterRef = z.object({
  source: z
    .string()
    .max(100)
    .default(ALL_PEOPLE)
    .describe('absent: our own directory, as all sources together make it'),
  base: z.string().max(1_000).optional(),
  filter: z.string().max(1_000),
})

/** Whom a filter names now, before it is a member. */
export const filterLook = filterRef
export const filterNames = z.object({
  total: count,
  items: z.array(person).describe('some of them'),
  fault: z
    .object({
      code: z.enum(['syntax', 'noSource', 'noBase', 'secret', 'tooMany', 'refused', 'away']),
      at: z.number().int().optional().describe('syntax: the character, from 1 on'),
      text: z.string(),
    })
    .optional()
    .describe('why nobody can be named'),
})
export const filterSources = z.object({
  items: z.array(z.object({ name: z.string(), base: z.string() })),
})

export const newMembers = z.object({
  text: z
    .string()
    .max(2_000_000)
    .optional()
    .describe(
      'pasted: user names, addresses and names of people, lists or groups, in lines or between commas or tabs',
    ),
  who: names.max(20_000).optional().describe('the same, one each'),
  filters: z
    .array(filterRef)
    .max(100)
    .optional()
    .describe(
      'entries of a directory that is a source (RFC 4515), as far as they are accounts here; whom they name is asked again and again',
    ),
  exclude: z.boolean().default(false).describe('they get nothing, whatever else has them in'),
  ...how,
  preview: z.boolean().default(false).describe('tells who is meant, and changes nothing'),
})

const addedRow = z.object({
  line: z.number().int().optional(),
  text: z.string(),
  outcome: z.enum(['added', 'changed', 'same', 'unclear', 'unknown', 'refused']),
  member: member.optional(),
  candidates: z
    .array(person)
    .optional()
    .describe('who bears the name (`several`), or has it as a part of theirs (`part`)'),
  note: z.string().optional(),
  why: z
    .enum([
      'tooLong',
      'deleted',
      'nobody',
      'circle',
      'noAddress',
      'notUnderstood',
      'several',
      'part',
    ])
    .optional()
    .describe('where `note` is one of those that pages have words for'),
})
export type AddedRow = z.infer<typeof addedRow>
export const membersAdded = z.object({ rows: z.array(addedRow), undo: undo.optional(), pending })

const which = z
  .array(z.string().max(3_000))
  .max(20_000)
  .describe('as `member` names them; or user names and addresses')
export const membersChange = z.object({ members: which, ...how })
export const membersRemoval = z.object({ members: which })
export const membersChanged = z.object({ changed: count, undo: undo.optional(), pending })

export const undoBody = z.object({ undo })

/** Who gets a post that is sent now. */
export const recipients = z.object({
  total: count,
  items: z.array(
    z.object({
      address: z.string(),
      id: z.string().optional(),
      name: z.string().optional(),
      delivery: z.enum(MEMBER_DELIVERIES),
      through: z.array(z.string()).describe('by which members'),
    }),
  ),
  unresolved: z.array(
    z.object({ list: z.string(), member, why: z.string(), id: z.string().optional() }),
  ),
  next: z.string().optional(),
})

/** The lists that somebody is in, by whatever way, or has a part in. */
export const listsOfUser = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      name: z.string().optional(),
      as: z.array(z.enum(['member', 'owner', 'moderator'])),
      delivery: z
        .enum(MEMBER_DELIVERIES)
        .optional()
        .describe('absent: in by a group or another list'),
      mayLeave: z.boolean().describe('by oneself'),
    }),
  ),
})

/** Lists that whoever is logged in may join by themselves. */
export const openLists = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      name: z.string().optional(),
      description: z.string().optional(),
      byApproval: z.boolean().describe('an owner says yes or no'),
    }),
  ),
})
export const ownListAct = z.object({ list: z.string().min(1).max(1_000) })
export const ownListDelivery = ownListAct.extend({ delivery: z.enum(MEMBER_DELIVERIES) })
export const ownListDone = z.object({
  end: z.enum(['done', 'same', 'asked']).describe('asked: an owner is to approve'),
  pending,
})
