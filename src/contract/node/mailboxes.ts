import { z } from 'zod'
import type { SpecialUse } from '#model/mailbox.ts'

/*
 * What `deliver` may ask of `serve`, the owner of the mailboxes: POST with one carried value, answered
 * by JSON. Nothing here reads a message or changes what is there already.
 */

/** Octets of one request: a commit has content up to 256 KiB in it, and lines for each recipient. */
export const CALL_BYTES_MAX = 16 * 1024 * 1024
/** Octets of one piece of a large message. */
export const PIECE_BYTES_MAX = 256 * 1024
/** Accounts that one `filing` asks: their scripts fit into one answer. */
export const FILINGS_MAX = 100

const count = z.number().int().nonnegative()
const octets = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const accountId = z.string().min(1).max(200)
const handle = z.string().min(1).max(200)
const path = z.array(z.string().max(1_000)).min(1).max(100)
const address = z.object({ localpart: z.string().max(1_000), domain: z.string().max(255) })

/** Roles that a delivery may give to what it makes. */
const USES = ['drafts', 'sent', 'archive', 'trash', 'junk'] as const satisfies readonly SpecialUse[]

const memoryKey = z.string().min(1).max(100)

const append = z.strictObject({
  kind: z.literal('append'),
  mailbox: z.strictObject({ path, create: z.boolean(), use: z.enum(USES).exactOptional() }),
  content: count,
  flags: count,
  keywords: z.array(z.string().max(1_000)).max(1_000),
  internalDateMs: z.number(),
  prefix: octets.optional(),
  once: memoryKey.optional(),
})

const entry = z.strictObject({
  id: z.string().min(1).max(500),
  kind: z.enum(['redirect', 'reject', 'forward', 'submission', 'vacation', 'notify']),
  reversePath: address.nullable(),
  recipients: z.array(address).min(1).max(100_000),
  body: z.enum(['7bit', '8bitmime', 'binarymime']),
  smtpUtf8: z.boolean(),
  content: z.union([count, octets]),
  once: memoryKey.optional(),
})

const memory = z.strictObject({
  key: memoryKey,
  untilMs: z.number(),
  isProlonged: z.boolean().optional(),
  isFirst: z.boolean().optional(),
})

/** Of the asker's own: another's have another name. */
const door = z.string().min(1).max(100)
const arrival = {
  deliveryId: z.string().min(1).max(1_000),
  octetsKey: z.string().min(1).max(100),
  recipients: z.array(z.string().max(1_000)).max(100_000),
}

const commit = z.strictObject({
  /** The same request again gets the answer of the first one. */
  requestId: z.string().min(1).max(100),
  contents: z
    .array(
      z.union([
        z.strictObject({ octets: z.array(octets) }),
        z.strictObject({ prefix: octets, large: handle }),
      ]),
    )
    .max(100),
  commits: z.array(
    z.strictObject({
      accountId,
      changes: z.array(append),
      outbox: z.array(entry).optional(),
      memories: z.array(memory).max(100).optional(),
      /** A delivery always has one: a second commit with it changes nothing. */
      deliveryId: z.string().min(1).max(1_000),
    }),
  ),
  /** Only for an owner that has answered `arrivals`: others refuse it. */
  arrival: z.strictObject({ door, slot: count.max(65_535), ...arrival }).optional(),
})

/** The argument of each call, by name. */
export const MAILBOX_CALLS = {
  openLarge: z.strictObject({}),
  /** `offset`: octets sent before; a piece that has come already is not taken twice. */
  appendLarge: z.strictObject({ handle, offset: count, octets }),
  abortLarge: z.strictObject({ handle }),
  commit,
  filing: z.strictObject({ accountIds: z.array(accountId).max(FILINGS_MAX) }),
  remembered: z.strictObject({ accountId, keys: z.array(memoryKey).max(100) }),
  script: z.strictObject({ accountId, name: z.string().max(1_000) }),
  annotations: z.strictObject({ accountId }),
  hasRoom: z.strictObject({
    accountId,
    sizeBytes: count,
    copyId: z.string().min(1).max(1_000).optional(),
  }),
  arrivals: z.strictObject({ door }),
  status: z.strictObject({}),
} as const
export type MailboxCall = keyof typeof MAILBOX_CALLS
export type MailboxAsk<C extends MailboxCall> = z.infer<(typeof MAILBOX_CALLS)[C]>

const result = z.union([
  z.object({
    kind: z.literal('append'),
    mailboxId: z.unknown(),
    uidValidity: count,
    uid: count,
    emailId: z.string(),
    threadId: z.string(),
  }),
  z.object({ kind: z.literal('done') }),
])

/** What each call is answered with. */
export const MAILBOX_ANSWERS = {
  openLarge: z.object({ handle }),
  appendLarge: z.object({}),
  abortLarge: z.object({}),
  commit: z.object({
    results: z.array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('committed'), results: z.array(result) }),
        z.object({ kind: z.literal('duplicate') }),
        z.object({
          kind: z.literal('refused'),
          refusal: z.object({
            code: z.enum([
              'noMailbox',
              'exists',
              'limit',
              'badName',
              'conflict',
              'reserved',
              'quota',
              'noPermission',
            ]),
            text: z.string(),
          }),
        }),
      ]),
    ),
  }),
  filing: z.object({
    accounts: z.array(
      z.object({
        script: z.string().optional(),
        mailboxes: z.array(path),
        /** Absent from owners that do not tell yet. */
        uses: z.array(z.object({ use: z.string(), path })).optional(),
        ids: z.array(z.string()).optional(),
      }),
    ),
  }),
  remembered: z.object({ keys: z.array(z.string()) }),
  arrivals: z.object({ arrivals: z.array(z.object({ ...arrival, atMs: z.number() })) }),
  /** Absent: there is no such script. */
  script: z.object({ text: z.string().optional() }),
  /** Absent: too many to be told. */
  annotations: z.object({
    annotations: z
      .array(
        z.object({ mailbox: z.string().exactOptional(), entry: z.string(), value: z.string() }),
      )
      .optional(),
  }),
  hasRoom: z.object({ hasRoom: z.boolean() }),
  status: z.object({ full: z.boolean() }),
} as const
export type MailboxAnswer<C extends MailboxCall> = z.infer<(typeof MAILBOX_ANSWERS)[C]>
