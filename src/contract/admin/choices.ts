import { z } from 'zod'
import {
  CONDITIONS_MAX,
  FILTER_FIELDS,
  FILTER_FLAGS,
  FILTERS_MAX,
  JUNK_TARGETS,
  SENDER_LISTS_MAX,
  SENDERS_MAX,
  VACATION_DAYS_MAX,
  VACATION_SUBJECT_MAX,
  VACATION_TEXT_MAX,
} from '#model/choice-limits.ts'
import { pending } from './common.ts'

const target = z
  .enum(JUNK_TARGETS)
  .describe('folder: the one of the class below Junk; junk: Junk itself; inbox: the inbox')

const junk = z.object({ spam: target, suspected: target })

const instant = z.string().max(40).describe('ISO 8601, UTC, whole seconds')

const vacation = z.object({
  isOn: z.boolean(),
  from: instant.optional().describe('absent: at once'),
  until: instant.optional().describe('the first moment after it; absent: until it is switched off'),
  subject: z.string().max(VACATION_SUBJECT_MAX).optional(),
  text: z.string().max(VACATION_TEXT_MAX),
  html: z.string().max(VACATION_TEXT_MAX).optional().describe('the text as HTML, sent beside it'),
  outsideText: z
    .string()
    .max(VACATION_TEXT_MAX)
    .optional()
    .describe('for everybody else than colleagues; absent: the same'),
  days: z.int().min(1).max(VACATION_DAYS_MAX).describe('one answer to a sender in so many days'),
  to: z.enum(['everybody', 'colleagues']).describe('colleagues: those of our own domains'),
})

const condition = z.object({
  field: z.enum(FILTER_FIELDS).describe('recipient: To or Cc; list: List-Id'),
  is: z.enum(['contains', 'equals']),
  not: z.literal(true).optional(),
  value: z.string().max(1_000),
})

const filter = z.object({
  name: z.string().max(1_000),
  isOff: z.literal(true).optional(),
  match: z.enum(['all', 'any']),
  conditions: z.array(condition).max(CONDITIONS_MAX),
  folder: z.string().max(10_000).optional().describe('a mailbox, made where it is missing'),
  copy: z.literal(true).optional().describe('a copy stays in the inbox'),
  flags: z.array(z.enum(FILTER_FLAGS)).max(FILTER_FLAGS.length).optional(),
  stop: z.literal(true).optional().describe('no later filter is looked at'),
})

const sender = z.string().max(1_000).describe('an address, or a domain with all below it')
const senders = z.array(sender).max(SENDERS_MAX)

const senderList = z.object({ name: z.string().max(1_000), senders })
const senderLists = z.array(senderList).max(SENDER_LISTS_MAX)

/** Part by part; null takes one back to what it is for everybody. */
export const choicesPatch = z.object({
  junk: junk.nullable().optional(),
  vacation: vacation.nullable().optional(),
  blocked: senders.nullable().optional().describe('their mail goes to Trash'),
  welcome: senders.nullable().optional().describe('their mail is never filed as junk'),
  filters: z.array(filter).max(FILTERS_MAX).nullable().optional().describe('in their order'),
  lists: senderLists
    .nullable()
    .optional()
    .describe("named sets of senders, for one's own scripts: tag:DOMAIN,DATE:own/NAME"),
})
export type ChoicesPatchBody = z.infer<typeof choicesPatch>

const address = z.string().max(1_000)

/** What somebody has chosen of the own mail, and may choose. */
export const choices = z.object({
  user: z.string(),
  revision: z.int().describe('grows with each change'),
  junk,
  vacation: vacation.nullable(),
  blocked: z.array(sender),
  welcome: z.array(sender),
  filters: z.array(filter),
  /** Absent from programs that know of none. */
  lists: senderLists.optional(),
  forward: z.object({ to: z.array(address), keep: z.boolean() }).nullable(),
  awaited: z
    .array(z.object({ address, use: z.enum(['forward', 'contact']), expiresAt: z.string() }))
    .describe('addresses that were written to, whose code has not come back yet'),
  proved: z.array(z.object({ address, at: z.string() })),
  contact: address.nullable(),
  address: z.object({
    main: address,
    further: z.array(address),
    chosen: z.array(z.object({ address, since: z.string() })),
    mayChoose: z.boolean(),
    max: z.int(),
    patterns: z.array(z.string()),
    lengthMin: z.int(),
    changesFrom: z.string().nullable().describe('before that none is chosen or changed'),
    former: z.array(z.object({ address, keptUntil: z.string() })),
  }),
  forwarding: z.string().describe('anyone, domain or none, as the settings say'),
  domains: z.array(z.string()),
  script: z.string().describe('the Sieve script that is made of it'),
})
export type ChoicesBody = z.infer<typeof choices>

export const writtenChoices = choices.extend({ pending })

/** What somebody does with the own choices on a page. */
export const ownAct = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('set'),
    revision: z.int().nonnegative().exactOptional().describe('that was seen; absent: whichever'),
    patch: choicesPatch,
  }),
  z.object({ kind: z.literal('forward'), to: z.array(address).max(20), keep: z.boolean() }),
  z.object({ kind: z.literal('ask'), use: z.enum(['forward', 'contact']), address }),
  z.object({ kind: z.literal('prove'), code: z.string().max(100) }),
  z.object({ kind: z.literal('forget'), address }),
  z.object({ kind: z.literal('address'), address, instead: address.exactOptional() }),
  z.object({ kind: z.literal('dropAddress'), address }),
])
export type OwnActBody = z.infer<typeof ownAct>

/** Why nothing was done; pages say it in their own words. */
const OWN_REASONS = [
  'invalid',
  'stale', // somebody has changed them since they were seen
  'policy', // not allowed to this person
  'loop', // mail would go round in a circle
  'limit',
  'wrongCode',
  'tooOften', // mails of codes
  'tooSoon', // since the last change of the address
  'pattern',
  'reserved',
  'taken',
  'notFound',
  'unsent', // no queue takes the mail with the code now
] as const
export const ownEnd = z.union([
  z.object({ end: z.literal('done') }),
  z.object({
    end: z.enum(OWN_REASONS),
    message: z.string(),
    /** From when on, where it is too soon. */
    from: z.string().optional(),
  }),
])
export type OwnEnd = z.infer<typeof ownEnd>
