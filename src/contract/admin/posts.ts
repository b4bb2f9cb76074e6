import { z } from 'zod'

import { windowQuery } from './common.ts'
import { verdict } from './mail.ts'

const number = z.number().int().min(1)

export const listPost = z.object({
  number: number.describe('its number in the list, for good'),
  subject: z.string(),
  author: z.string().describe('as its From shows it'),
  messageId: z.string().nullable(),
  postedAt: z.string(),
  recipients: z.number().int().nullable().describe('people it went to; null: not known any more'),
  approvedBy: z.string().nullable(),
  withdrawnBy: z.string().nullable(),
  waits: z.boolean().describe('it has not gone out yet, and can be withdrawn'),
})
export type ListPostBody = z.infer<typeof listPost>
export const listPosts = z.object({
  items: z.array(listPost),
  next: z.string().optional(),
  total: z.number().int().optional().describe('of all that fit; an older store does not tell'),
})

/** What a mail says to people; text, and nothing else. */
const letter = z.object({
  fields: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .describe('those that people read, decoded'),
  header: z.string().describe('the whole header as it came'),
  text: z.string(),
  form: z
    .enum(['plain', 'html', 'both'])
    .describe('html: the text was made of it; both: it has HTML too, which is not shown'),
  isCut: z.boolean().describe('there is more text'),
  attachments: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      sizeBytes: z.number().int().describe('about, where it is encoded'),
    }),
  ),
})
export type LetterBody = z.infer<typeof letter>

const beside = {
  older: number.optional().describe('the number of the post before it'),
  newer: number.optional().describe('of the one after it'),
}

export const listPostWhole = listPost.extend({
  ...letter.shape,
  preview: z.string().describe('the beginning of its text'),
  raw: z.string().describe('its octets in base64, up to a megabyte'),
  sizeBytes: z.number().int(),
  ...beside,
  thread: z
    .object({ ...beside, place: number, count: number })
    .optional()
    .describe('answers and what they answer, the oldest first; absent: it stands alone'),
})

export const listPostRecipients = z.object({ items: z.array(z.object({ address: z.string() })) })

const heldRow = z.object({
  number: number.describe('its number among those that were held'),
  reason: z
    .enum(['moderated', 'notAllowed', 'unproved', 'spam', 'loop', 'attachment', 'tooMany'])
    .describe('why it waits'),
  decidedBy: z.enum(['moderator', 'author']),
  author: z.string().nullable(),
  from: z.string().describe('as its From shows it'),
  proof: z.enum(['proved', 'claimed', 'failed']).describe('how sure it is that this is its author'),
  subject: z.string(),
  messageId: z.string().nullable(),
  sizeBytes: z.number().int(),
  heldAt: z.string(),
  ending: z
    .object({
      end: z.enum(['rejected', 'discarded']),
      by: z.string(),
      at: z.string().describe('until then `restore` takes it back'),
    })
    .nullable()
    .describe('what has been decided, while that can be taken back'),
})
export const heldPosts = z.object({ items: z.array(heldRow) })

/** A held post as a moderator reads it before deciding; who has read it is told by an event (list.read). */
export const heldPost = heldRow.extend({
  ...letter.shape,
  verdict: verdict.nullable().describe('null: a gateway of others has told nothing'),
})

export const postNumbers = z.object({ numbers: z.array(number).min(1).max(500) })
export const postDiscarding = postNumbers.extend({
  undoSeconds: z
    .number()
    .int()
    .min(0)
    .max(3_600)
    .optional()
    .describe('so long `restore` takes it back, and nobody is told; without it, it ends at once'),
})
export const postRejection = postDiscarding.extend({
  text: z.string().max(10_000).optional().describe('what its author is told'),
})
export const postsDecided = z.object({
  items: z.array(
    z.object({
      number,
      end: z.enum(['done', 'notFound', 'conflict']).describe('conflict: it is on its way already'),
      post: number.optional().describe('of an approval: the number it was posted under'),
    }),
  ),
})

export const postsQuery = z.object({
  before: z.coerce.number().int().min(1).optional().describe('the `next` of the page before'),
  from: windowQuery.shape.from.describe('so many posts stand before the first that is asked for'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  text: z.string().max(1_000).optional().describe('in subject, author or body'),
})

export const listBounces = z.object({
  items: z.array(
    z.object({
      address: z.string(),
      score: z.number(),
      days: z.array(z.string()),
      status: z.string().describe('the last answer'),
      suspendedAt: z.string().nullable().describe('since when nothing is sent there'),
    }),
  ),
})
export const bouncingAddress = z.object({ address: z.string().min(3).max(1_000) })

/** Mails to a list that could not be worked on. */
export const asideMails = z.object({
  items: z.array(
    z.object({
      number: number.describe('its number among those that were put aside'),
      purpose: z.string().describe('which address of the list it was for; empty: unknown'),
      from: z.string(),
      subject: z.string(),
      cause: z.string().describe('why the last try failed'),
      asideAt: z.string(),
    }),
  ),
})
