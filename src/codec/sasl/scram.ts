import { fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { fromBase64 } from './base64.ts'

const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] as const
export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number]

/** The mechanism of that name, in any case (RFC 7677 §3). */
export const scramMechanism = (name: string): ScramMechanism | undefined =>
  SCRAM_MECHANISMS.find((known) => known === name.toUpperCase())

/** What a client says first (RFC 5802 §7). */
export interface ClientFirst {
  /** n: it binds no channel; y: it would, but believes that we do not; else the type that it binds. */
  readonly binding: 'n' | 'y' | { readonly type: string }
  /** As it stood, with both commas: the beginning of what is bound. */
  readonly gs2Header: string
  readonly authzid: string | undefined
  readonly login: string
  readonly nonce: string
  /** client-first-message-bare. */
  readonly bare: string
}

/** Undefined for what is none, or asks for an extension that nobody has defined (`m=`). */
export function parseClientFirst(message: Octets): ClientFirst | undefined {
  const text = toUtf8Strict(message)
  const match =
    text === undefined || text.includes('\0')
      ? null
      : /^((?:([ny])|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]+))?,)(n=([^,]*),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]+)*)$/.exec(
          text,
        )
  if (match === null) return undefined
  const authzid = match[4] === undefined ? undefined : saslName(match[4])
  const login = saslName(match[6]!)
  if (login === undefined || login === '' || (match[4] !== undefined && authzid === undefined))
    return undefined
  return {
    binding: match[3] === undefined ? (match[2] as 'n' | 'y') : { type: match[3] },
    gs2Header: match[1]!,
    authzid,
    login,
    nonce: match[7]!,
    bare: match[5]!,
  }
}

/** `=2C` and `=3D` are the comma and the equals sign; another `=` is a fault (RFC 5802 §5.1). */
function saslName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** What a client says last (RFC 5802 §7). */
export interface ClientFinal {
  /** The GS2 header and the octets of the channel. */
  readonly bound: Octets
  readonly nonce: string
  readonly proof: Octets
  readonly withoutProof: string
}

export function parseClientFinal(message: Octets): ClientFinal | undefined {
  const text = toUtf8Strict(message)
  const match =
    text === undefined || text.includes('\0')
      ? null
      : /^(c=([^,]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]+)*),p=([^,]+)$/.exec(text)
  if (match === null) return undefined
  const bound = fromBase64(match[2]!)
  const proof = fromBase64(match[4]!)
  if (bound === undefined || proof === undefined) return undefined
  return { bound, nonce: match[3]!, proof, withoutProof: match[1]! }
}

/** server-first-message. */
export const renderServerFirst = (first: {
  readonly nonce: string
  readonly salt: Octets
  readonly iterations: number
}): string => `r=${first.nonce},s=${base64(first.salt)},i=${first.iterations}`

/** server-final-message of a login that was right. */
export const renderServerFinal = (signature: Octets): string => `v=${base64(signature)}`

/** What `c=` has to hold: the header as the client said it, then the channel's octets. */
export const boundOctets = (gs2Header: string, channel: Octets | undefined): Octets =>
  Buffer.concat([fromUtf8(gs2Header), channel ?? new Uint8Array(0)])

const base64 = (octets: Octets): string => Buffer.from(octets).toString('base64')
