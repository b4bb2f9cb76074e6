import { z } from 'zod'

const retention = z
  .union([z.number().int().min(1).max(36_525), z.literal('forever'), z.literal('inherit')])
  .describe(
    'days from when a message entered the mailbox; forever; inherit: as the mailbox above it',
  )

/** A mailbox with what it keeps. */
export const mailbox = z.object({
  name: z.string().describe('levels with / between them'),
  role: z.string().nullable(),
  messages: z.number().int(),
  unseen: z.number().int(),
  sizeBytes: z.number().int(),
  retainDays: z.number().int().nullable().describe('days in force; null: its messages stay'),
  retention,
})
export type MailboxBody = z.infer<typeof mailbox>

const quota = z.object({ bytes: z.number().int(), messages: z.number().int() })

export const mailboxes = z.object({
  items: z.array(mailbox),
  used: quota.describe('what they hold in all'),
  quota: quota.describe('what they may hold in all; 0: no limit'),
})

/** Counts by how much they were too high; below zero: too low. */
const wrongSums = { bytes: z.number().int(), messages: z.number().int() }
export const recounted = z.object({
  user: z.string(),
  used: quota.describe('what it holds, as it was counted'),
  wrong: z.object(wrongSums).describe('of the sums that quotas believe; 0: it was right'),
  mailboxes: z
    .array(
      z.object({
        mailbox: z.string(),
        ...wrongSums,
        unseen: z.number().int(),
        deleted: z.number().int(),
      }),
    )
    .describe('those whose counts were wrong'),
})

export const mailboxRetention = z.object({ retention })

export const expireAsk = z.object({
  asOf: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('what is due then; without it what is due now'),
  dryRun: z.boolean().default(false).describe('true: only counted'),
  after: z.string().max(200).optional(),
})

/** Part of a run; `next` is given back as `after`, absent at the end. */
export const expirePart = z.object({
  items: z.array(z.object({ user: z.string(), mailbox: z.string(), messages: z.number().int() })),
  looked: z.number().int().describe('messages that were looked at'),
  next: z.string().optional(),
})

const since = z.iso.datetime({ offset: true }).optional().describe('what was expunged since then')
const inMailbox = z.string().max(6_000).optional().describe('only what would come back into it')
const after = z.string().max(200).optional()

export const expungedQuery = z.object({ since, mailbox: inMailbox, after })

/** Messages that lie in no mailbox any more and can come back. */
export const expungedPage = z.object({
  items: z.array(
    z.object({
      emailId: z.string(),
      mailbox: z.string().describe('where it would come back'),
      from: z.string(),
      subject: z.string(),
      sizeBytes: z.number().int(),
      expungedAt: z.string(),
    }),
  ),
  next: z.string().optional(),
})

/** Messages whose octets cannot be read any more, as the store found when it last read all of them. */
export const damagedMessages = z.object({
  items: z.array(
    z.object({
      user: z.string(),
      mailbox: z.string(),
      uid: z.number().int().describe('the number that IMAP shows'),
      emailId: z.string(),
      expunged: z.boolean().describe('nobody sees it; it could not come back'),
      foundAt: z.string(),
    }),
  ),
})

/** Part of the work; `next` is given back as `after`, absent at the end. */
export const undeleted = z.object({ restored: z.number().int(), next: z.string().optional() })
