import { z } from 'zod'
import { pageQuery } from './common.ts'

const queueRecipient = z.object({
  address: z.string(),
  state: z.enum(['ready', 'claimed', 'held', 'delivered', 'failed', 'dropped']),
  attempts: z.number().int(),
  nextAttempt: z.string().optional(),
  lastStatus: z.string().optional(),
  hold: z.string().optional(),
})

export const queueMessage = z.object({
  node: z.string(),
  queueId: z.string(),
  deliveryId: z.string(),
  door: z.string(),
  from: z.string().describe('empty for the null reverse-path'),
  sizeBytes: z.number(),
  received: z.string(),
  expires: z.string(),
  recipients: z.array(queueRecipient),
})
export type QueueMessageBody = z.infer<typeof queueMessage>

/** Which of the waiting messages are meant. */
const queueFilter = z.object({
  state: queueRecipient.shape.state.optional(),
  address: z.string().max(1_000).optional().describe('text within a sender or recipient'),
  text: z
    .string()
    .max(1_000)
    .optional()
    .describe('within an address, a last answer or a reason, or a whole queue or delivery id'),
  domain: z.string().max(255).optional().describe("a recipient's domain"),
  from: z.iso.datetime({ offset: true }).optional().describe('received at this time or later'),
  before: z.iso.datetime({ offset: true }).optional().describe('received before this time'),
})

const mark = z
  .string()
  .max(10_000)
  .describe('where the queues ended when /queue/news was asked: what has come since is not meant')

export const queueQuery = pageQuery.extend(queueFilter.shape).extend({
  order: z.enum(['oldest', 'newest']).default('oldest'),
  until: mark.optional(),
})

export const queueNewsQuery = queueFilter.extend({ since: mark.optional() })
export const queueNews = z.object({
  mark: mark.describe('where the queues end now'),
  count: z.number().int().describe('messages that came since and are meant; 0 without since'),
  isMore: z.boolean().describe('there are more than these'),
  unreachable: z.array(z.object({ node: z.string(), reason: z.string() })),
})
export type QueueNewsBody = z.infer<typeof queueNews>

export const unreachable = z.array(z.object({ node: z.string(), reason: z.string() }))

export const queuePage = z.object({
  items: z.array(queueMessage),
  next: z
    .string()
    .optional()
    .describe(
      'absent at the end. One page looks at a bounded number of messages: where few match, it is short or empty and has a next all the same',
    ),
  unreachable,
})

export const queueActs = z.enum(['hold', 'release', 'retry', 'drop'])
export const queueActed = z.object({ node: z.string(), queueId: z.string(), changed: z.number() })

const event = z.object({
  node: z.string(),
  seq: z.number(),
  at: z.string(),
  name: z.string(),
  deliveryId: z.string().optional(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})

export const trace = z.object({
  deliveryId: z.string(),
  events: z.array(event),
  left: z
    .number()
    .optional()
    .describe(
      'so many more events there are, of a mail to very many: an address finds those of one recipient',
    ),
})
export type TraceBody = z.infer<typeof trace>

export const traceQuery = z.object({
  q: z.string().max(2_000).optional().describe('any of the three, recognised by its form'),
  deliveryId: z.string().max(200).optional(),
  messageId: z.string().max(2_000).optional(),
  address: z.string().max(1_000).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(20),
})

/** The judges' verdict with its evidence, as model/verdict has it. */
export const verdict = z.object({
  class: z.enum(['clean', 'suspected', 'spam']),
  score: z.number(),
  hits: z.array(z.object({ name: z.string(), score: z.number(), detail: z.string().optional() })),
  virus: z.object({
    kind: z.enum(['clean', 'infected', 'unscannable', 'unavailable']),
    name: z.string().optional(),
    reason: z.string().optional(),
  }),
  auth: z.array(
    z.object({
      method: z.string(),
      result: z.string(),
      properties: z.array(z.array(z.string())),
    }),
  ),
  caseId: z.string(),
  degraded: z.array(z.string()),
})
export type VerdictBody = z.infer<typeof verdict>

export const spamScore = z.object({ score: z.number(), class: verdict.shape.class })

const sieveError = z.object({ line: z.number().int().optional(), message: z.string() })
export const sieveChecked = z.object({ errors: z.array(sieveError) })

const sieveAction = z.object({
  kind: z.string(),
  mailbox: z.string().optional(),
  address: z.string().optional(),
  flags: z.array(z.string()).optional(),
  text: z.string().optional(),
  subject: z.string().optional().describe('of the mail of a vacation or notification'),
  seconds: z.number().optional().describe('a sender is answered once in so long'),
  fcc: z.string().optional().describe('where a copy of that mail is filed'),
})

export const sieveTest = z.object({
  script: z.string(),
  message: z.base64().describe('the message in base64'),
  envelope: z.object({ from: z.string().default(''), to: z.string() }),
})
export const sieveTested = sieveChecked.extend({
  actions: z.array(sieveAction),
  unsent: z
    .array(z.string())
    .optional()
    .describe('answers and notifications that the script wants and nobody would get, with why'),
})
