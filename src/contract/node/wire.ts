import { z } from 'zod'
import type { Account, Alias, Forward, LocalDomain } from '#model/account.ts'
import { APP_PASSWORD_NAME_MAX, APP_PROTOCOLS, isAppPasswordName } from '#model/app-password.ts'
import type { Choices } from '#model/choices.ts'
import type { EventRecord } from '#model/event.ts'
import type { ListMember } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { RouteRow } from '#model/route.ts'
import type { DirectorySource } from '#model/source.ts'
import { ownAct } from '#contract/admin/choices.ts'
import { nodeListens, nodePlace } from './join.ts'

/** Paths of the node API; the version is part of them. */
export const NODE_PATHS = {
  subscribe: '/node/v1/subscribe',
  tables: '/node/v1/tables/',
  acks: '/node/v1/acks',
  credentials: '/node/v1/credentials',
  appPasswords: '/node/v1/app-passwords',
  /** POST: uses of app passwords; GET `?account=ID`: what is known of them. */
  uses: '/node/v1/app-password-uses',
  choices: '/node/v1/choices',
  membership: '/node/v1/membership',
  scripts: '/node/v1/scripts',
  heartbeat: '/node/v1/heartbeat',
  events: '/node/v1/events',
  /** Answered at once, by whoever is there; `{state}` where it takes mail for mailboxes. */
  alive: '/node/v1/alive',
  outbox: '/node/v1/outbox',
  calls: '/node/v1/calls/',
  /** Asked by a joined `deliver` only. */
  mailboxes: '/node/v1/mailboxes/',
} as const

/** Changes protocols: LMTP between joined nodes, where verdict and delivery id are believed. */
export const LMTP_PATH = '/node/v1/lmtp'
export const LMTP_PROTOCOL = 'watari-lmtp'
/** Who asks, where the transport does not say it. */
export const NODE_HEADER = 'watari-node'
export const ROLE_HEADER = 'watari-role'

/** Octets of one JSON body; a page of rows or events is far below it. */
export const BODY_BYTES_MAX = 8 * 1024 * 1024
/** Rows in one line of the stream, where they are short; each line is one commit at the node. */
export const ROWS_PER_LINE = 2_000
/** Silence on the stream is broken so often; a node takes three times as much for a dead connection. */
export const PING_MS = 4_000

/** A row of the directory on the wire: what store/directory keeps. */
export type WireRow =
  | { readonly kind: 'domain'; readonly domain: LocalDomain }
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'alias'; readonly alias: Alias }
  | { readonly kind: 'forward'; readonly forward: Forward }
  | { readonly kind: 'choices'; readonly choices: Choices }
  | { readonly kind: 'route'; readonly route: RouteRow }
  | { readonly kind: 'source'; readonly source: DirectorySource }
  | { readonly kind: 'plan'; readonly plan: DatedPlan }
  | { readonly kind: 'list'; readonly list: MailingList }
  | { readonly kind: 'member'; readonly member: ListMember }

/** A kind that is missing here would end the stream of every node: it does not compile. */
const ROW_KINDS: Readonly<Record<WireRow['kind'], true>> = {
  domain: true,
  account: true,
  alias: true,
  forward: true,
  choices: true,
  route: true,
  source: true,
  plan: true,
  list: true,
  member: true,
}

const row = z.custom<WireRow>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(ROW_KINDS, (value as WireRow).kind),
)
const count = z.number().int().nonnegative()
const change = z.object({ seq: count, key: z.string(), row: row.nullable() })
const snapshot = z.object({
  generation: count,
  hash: z.string(),
  values: z.record(
    z.string(),
    z.union([z.number(), z.boolean(), z.string(), z.array(z.number()), z.array(z.string())]),
  ),
  tables: z.record(z.string(), z.string()),
})

/** One line of the stream from control to a node. */
export const streamLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('settings'), snapshot }),
  /** Rows of a whole new copy, in the order of their creation. */
  z.object({
    kind: z.literal('gather'),
    first: z.boolean(),
    rows: z.array(z.object({ key: z.string(), row })),
  }),
  /** What was gathered is the copy, as it stood at `seq`. */
  z.object({ kind: z.literal('replace'), seq: count }),
  z.object({ kind: z.literal('changes'), changes: z.array(change) }),
  /** All nodes that have joined, and where they answer. */
  z.object({ kind: z.literal('nodes'), nodes: z.array(nodePlace) }),
  /** Also the first line of all; with control's own clock. */
  z.object({ kind: z.literal('ping'), atMs: z.number().optional() }),
])
export type StreamLine = z.infer<typeof streamLine>
export type WireSnapshot = z.infer<typeof snapshot>

/** What a node has in force. */
export const ack = z.object({
  settings: z
    .object({
      generation: count,
      hash: z.string(),
      status: z.enum(['applied', 'error']),
      error: z.string().max(2_000).optional(),
    })
    .optional(),
  seq: count.optional(),
})
export type Ack = z.infer<typeof ack>

export const heartbeat = z.object({
  state: z.enum(['starting', 'ready', 'degraded', 'full', 'stalled', 'stopping']),
  reason: z.string().max(2_000).optional(),
  version: z.string().max(100),
  pid: count,
  /** The node's own clock: control tells where it differs. */
  atMs: z.number().optional(),
  /** Where the node's own API listens; a new place is told to all others. */
  listens: nodeListens.optional(),
  settings: ack.shape.settings,
  seq: count,
})
export type HeartbeatBody = z.infer<typeof heartbeat>

/** Records of one node's log, in order. */
export const eventBatch = z.object({
  epoch: z.string().min(1).max(64),
  records: z
    .array(
      z.object({
        seq: z.number().int().positive(),
        atMs: z.number(),
        name: z.string().max(200),
        deliveryId: z.string().max(200).optional(),
        fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
      }),
    )
    .max(2_000),
})
export type WireEvent = Omit<EventRecord, 'node'>

/** A new hash or SCRAM keys of a password that was right, in the place of dated ones of this version. */
export const newCredential = z.object({
  accountId: z.string().min(1).max(100),
  version: count,
  /** Absent: the one in force is as we make them, and only the keys are new. */
  credential: z.string().min(1).max(2_000).optional(),
  /** Keys of the same password for SCRAM, where it can have such. */
  scram: z.string().min(1).max(1_000).optional(),
})
export type NewCredential = z.infer<typeof newCredential>

const appPassword = z.object({
  id: z.string().min(1).max(100),
  name: z.string().max(APP_PASSWORD_NAME_MAX).refine(isAppPasswordName),
  hash: z.string().min(1).max(100),
  scram: z.string().min(1).max(1_000),
  createdAt: z.string().max(100),
  protocols: z.array(z.enum(APP_PROTOCOLS)).exactOptional(),
})

/** A password of a program that somebody has made, or takes back, on a page of a node. */
export const appPasswordChange = z.union([
  z.object({ accountId: z.string().min(1).max(100), add: appPassword }),
  z.object({ accountId: z.string().min(1).max(100), remove: z.string().max(100) }),
])
export const appPasswordEnd = z.object({ end: z.enum(['done', 'limit', 'notFound']) })

const appPasswordUse = z.object({
  accountId: z.string().min(1).max(100),
  id: z.string().min(1).max(100),
  at: z.iso.datetime(),
  ip: z.string().max(100),
  protocol: z.enum(APP_PROTOCOLS),
})
/** When app passwords were used last. */
export const appPasswordUses = z.object({ uses: z.array(appPasswordUse).max(1_000) })

/** What somebody does with the own choices on a page of a node. */
export const ownChoicesAct = z.object({ accountId: z.string().min(1).max(100), act: ownAct })

export const aliveAnswer = z.object({ state: z.string().optional() })

export const eventAck = z.object({ acked: count })

const address = z.object({ localpart: z.string().max(1_000), domain: z.string().max(255) })

/** An entry of a store's outbox on its way to a queue; its octets follow the line. */
export const outboxHead = z.object({
  /** Derived from the delivery id: the same entry sent again is the same message. */
  id: z.string().min(1).max(500),
  kind: z.enum([
    'redirect',
    'reject',
    'forward',
    'submission',
    'vacation',
    'notify',
    'post',
    'notice',
  ]),
  reversePath: address.nullable(),
  recipients: z.array(address).min(1).max(100_000),
  body: z.enum(['7bit', '8bitmime', 'binarymime']),
  smtpUtf8: z.boolean(),
  sizeBytes: count,
  dsn: z
    .object({
      notify: z
        .array(z.enum(['success', 'failure', 'delay']))
        .readonly()
        .exactOptional(),
      ret: z.enum(['full', 'hdrs']).exactOptional(),
    })
    .exactOptional(),
  deliverBy: z
    .object({ atMs: z.number(), mode: z.enum(['return', 'notify']), isTraced: z.boolean() })
    .exactOptional(),
  verp: z
    .object({
      key: z.string().min(16).max(100),
      post: count,
      leave: z
        .object({
          address,
          pages: z.string().max(1_000).exactOptional(),
          list: z.string().max(200),
          page: z.string().max(2_000),
        })
        .exactOptional(),
    })
    .exactOptional(),
  /** Whose it is: of a submission, who has logged in. */
  accountId: z.string().min(1).max(200).exactOptional(),
})
export type OutboxHead = z.infer<typeof outboxHead>

/** The end of every request that failed. */
export const nodeError = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
