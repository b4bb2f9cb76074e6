import { z } from 'zod'
import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import { JOINING_ROLES } from '#model/node.ts'

/** Where a machine asks to be taken in; all else of the node API needs a key that is known. */
export const JOIN_PATH = '/node/v1/join'

export const nodeName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'a node name has up to 40 of a to z, 0 to 9 and -')

const pin = z.string().regex(/^[0-9a-f]{64}$/)
const role = z.enum(JOINING_ROLES)

/** What an administrator carries to a new machine: a secret that works once, and control's pinned key. */
const joinToken = z.object({
  v: z.literal(1),
  name: nodeName,
  role,
  /** SHA-256 of control's public key: nobody else is believed to be control. */
  pin,
  secret: z.string().min(16).max(200),
})
export type JoinToken = z.infer<typeof joinToken>

const PREFIX = 'watari-join-'

export const renderToken = (token: JoinToken): string =>
  `${PREFIX}${Buffer.from(JSON.stringify(token)).toString('base64url')}`

/** Undefined for what is no token. */
export function parseToken(text: string): JoinToken | undefined {
  const body = text.trim()
  if (!body.startsWith(PREFIX) || body.length > 2_000) return undefined
  try {
    const value: unknown = JSON.parse(
      Buffer.from(body.slice(PREFIX.length), 'base64url').toString('utf8'),
    )
    const parsed = joinToken.safeParse(value)
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Where a node's own API listens; without an address: where its requests come from. */
export const nodeListens = z.object({
  address: z.string().max(100).optional(),
  port: z.number().int().min(1).max(65_535),
})

/** Octets of a request to join: it comes from strangers. */
export const JOIN_BYTES_MAX = 4 * 1024

export const joinRequest = nodeListens.extend({ secret: z.string().min(1).max(200) })
export type JoinRequest = z.infer<typeof joinRequest>

export const joinAnswer = z.object({
  name: nodeName,
  role,
  /** The installation's first domain: host names are made from it. */
  domain: z.string(),
})
export type JoinAnswer = z.infer<typeof joinAnswer>

/** A joined node as the others are told of it. */
export const nodePlace = z.object({
  name: nodeName.transform((text) => text as NodeId),
  role,
  address: z.string(),
  port: z.number().int(),
  pin: pin.transform((text) => text as KeyPin),
  draining: z.boolean(),
})
