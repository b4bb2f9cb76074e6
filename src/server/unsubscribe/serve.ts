import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { clientNetwork } from '#base/client-network.ts'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { LeaveLinks } from '#engine/list/leave-link.ts'
import { LEAVE_PATH } from '#engine/list/leave-way.ts'
import { formatAddress } from '#model/address.ts'
import { peerAddress } from '#net/peer.ts'

import { leavePage, STYLE } from './page.ts'
import type { LeaveState } from './page.ts'

/** Requests of one client's network in a minute: providers follow links for many people. */
const PER_MINUTE = 300
const CLIENTS_MAX = 10_000
const BODY_BYTES_MAX = 16 * 1024
const BODY_MS = 10_000

/** Takes a request whose path begins with LEAVE_PATH. */
export type ServeLeaving = (incoming: IncomingMessage, response: ServerResponse) => void

/**
 * One click by which a member leaves (RFC 8058): nothing but POST changes anything, since programs follow
 * links to look at them (§3.2), and needs neither a login nor a cookie; GET shows a page with a button.
 */
export function serveLeaving(parts: {
  readonly links: LeaveLinks
  readonly clock: Clock
  readonly log: Log
}): ServeLeaving {
  const { links, clock, log } = parts
  const isTooMuch = countedByMinute(clock)
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '' } = incoming
    const send = (status: number, state: LeaveState, more: Record<string, string> = {}): void =>
      sendPage(response, status, state, { method, more })
    if (isTooMuch(peerAddress(incoming.socket).ip))
      return send(429, { kind: 'later' }, { 'retry-after': '60' })
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
      return send(405, { kind: 'unknown' }, { allow: 'GET, HEAD, POST' })
    const match = /^([\w-]{1,100})\/([\w-]{1,1100})$/.exec(
      url.split('?')[0]!.slice(LEAVE_PATH.length),
    )
    const link = match === null ? undefined : await links.find(match[1]!, match[2]!)
    if (link === undefined) return send(404, { kind: 'unknown' })
    const shown = {
      list: link.list.name ?? formatAddress(link.list.address),
      member: formatAddress(link.member),
    }
    if (method !== 'POST') return send(200, { kind: 'ask', ...shown })
    const body = await bodyOf(incoming)
    // RFC 8058 §3.2: a form of either kind with this one field.
    if (body === undefined || !/List-Unsubscribe(?:=|"\s+)One-Click/.test(body))
      return send(400, { kind: 'ask', ...shown })
    const end = await links.follow(link)
    if (end === 'done' || end === 'same' || end === 'notMember' || end === 'notFound')
      return send(200, { kind: 'left', ...shown })
    return send(403, { kind: 'stays', ...shown })
  }
  return (incoming, response) => {
    answer(incoming, response).catch((thrown: unknown) => {
      log.warn('unsubscribe.waiting', { cause: messageOf(thrown) })
      if (response.headersSent) response.destroy()
      else
        sendPage(
          response,
          503,
          { kind: 'later' },
          {
            method: incoming.method ?? 'GET',
            more: { 'retry-after': '60' },
          },
        )
    })
  }
}

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

function sendPage(
  response: ServerResponse,
  status: number,
  state: LeaveState,
  { method, more }: { readonly method: string; readonly more: Readonly<Record<string, string>> },
): void {
  response.writeHead(status, {
    ...more,
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // The address of the page is what lets one leave: it goes nowhere else.
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  })
  response.end(method === 'HEAD' ? undefined : leavePage(state))
}

/** Undefined where it is longer than any such form, or does not come. */
async function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let length = 0
  incoming.setTimeout(BODY_MS, () => incoming.destroy())
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > BODY_BYTES_MAX) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('latin1')
}

function countedByMinute(clock: Clock): (ip: string) => boolean {
  let minute = 0
  let counts = new Map<string, number>()
  return (ip) => {
    const now = Math.floor(clock.monotonicMs() / MINUTE_MS)
    if (now !== minute) counts = new Map()
    minute = now
    const client = clientNetwork(ip)
    const count = (counts.get(client) ?? 0) + 1
    if (counts.size < CLIENTS_MAX || counts.has(client)) counts.set(client, count)
    return count > PER_MINUTE
  }
}
