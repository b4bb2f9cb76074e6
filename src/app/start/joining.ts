import { readFileSync } from 'node:fs'

import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import type { Clock } from '#base/time.ts'
import { joinControl } from '#client/node/join.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import { parseToken } from '#contract/node/join.ts'
import type { JoinAnswer, JoinToken } from '#contract/node/join.ts'

import type { Host } from './host.ts'

/** How a machine asks to be taken in by a control centre. */
export interface Joining {
  /** `https://control.example:6443` */
  readonly url: string
  readonly tokenFile: string
}

export interface Joined extends JoinAnswer {
  readonly control: NonNullable<Host['control']>
}

const DEFAULT_PORT = 6443

/**
 * Joins with the one-time token. Asking again with the same key is safe: an answer can be lost.
 * Throws Fault `config` with one line that says what to do.
 */
export async function join(ask: {
  readonly joining: Joining
  readonly role: string
  readonly identity: NodeIdentity
  /** Where this machine's own node API will listen. */
  readonly listener: { readonly address: string; readonly port: number }
  readonly clock: Clock
}): Promise<Joined> {
  const { url, tokenFile } = ask.joining
  const token = parseToken(readToken(tokenFile))
  if (token === undefined)
    throw new Fault('config', `${tokenFile}: holds no token; make one with: watari node token`)
  if (token.role !== ask.role)
    throw new Fault(
      'config',
      `${tokenFile}: the token is for the role ${token.role}, not ${ask.role}`,
    )
  const place = placeOf(url)
  const control = { ...place, pin: token.pin as KeyPin }
  try {
    const answer = await joinControl({
      dial: dialPinned(ask.identity, control),
      clock: ask.clock,
      request: { secret: token.secret, ...ask.listener },
    })
    return { ...answer, control }
  } catch (cause) {
    throw new Fault('config', `cannot join ${url}: ${messageOf(cause)}${remedyFor(cause)}`, {
      cause,
    })
  }
}

/** The token in this file; undefined where the file is gone, or holds none. */
export function tokenIn(file: string): JoinToken | undefined {
  try {
    return parseToken(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function remedyFor(cause: unknown): string {
  if (isFault(cause, 'unreachable') || isFault(cause, 'timeout'))
    return '; is control running, and is this its node port?'
  // Control itself has said what to do.
  if (isFault(cause, 'conflict')) return ''
  return '; make a new token with: watari node token'
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('config', `${file}: the token cannot be read: ${messageOf(cause)}`)
  }
}

function placeOf(text: string): { readonly address: string; readonly port: number } {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'https:' || url.hostname === '')
    throw new Fault('config', `--join ${text}: write https://HOST:${DEFAULT_PORT}`)
  return {
    address: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
  }
}
