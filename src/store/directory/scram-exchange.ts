import { randomBytes } from 'node:crypto'
import { equalOctets, fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { fromBase64 } from '#codec/sasl/base64.ts'
import {
  boundOctets,
  parseClientFinal,
  parseClientFirst,
  renderServerFinal,
  renderServerFirst,
} from '#codec/sasl/scram.ts'
import type { ClientFirst, ScramMechanism } from '#codec/sasl/scram.ts'
import type { Authenticator, LoginAttempt, LoginFault, ScramLogins } from './authenticator.ts'
import type { Entrant } from './entrant.ts'

/** The octets that a TLS connection is known by, of a type of binding; undefined where it has none such. */
export type Channel = (type: string) => Octets | undefined

/** How an exchange ended. malformed: the client broke the protocol, or cancelled. gone: it said nothing. */
export type ScramEnd =
  | { readonly kind: 'loggedIn'; readonly account: Entrant; readonly final?: Octets }
  | { readonly kind: 'fault'; readonly fault: LoginFault; readonly login: string }
  | { readonly kind: 'malformed'; readonly text: string }
  | { readonly kind: 'otherUser' }
  | { readonly kind: 'gone' }

const NONCE_BYTES = 18

/** The mechanisms that are offered now; PLUS inside TLS only. */
export function scramOffered(
  { scram }: Pick<Authenticator, 'scram'>,
  channel: Channel | undefined,
): readonly ScramMechanism[] {
  if (scram?.offered !== true) return []
  return channel === undefined ? ['SCRAM-SHA-256'] : ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']
}

/**
 * Carries out SCRAM-SHA-256 (RFC 5802 §5). `ask` sends a challenge and gives the client's line, both in
 * base64; `initial` is the initial response where the command had one.
 */
export async function exchangeScram(
  scram: ScramLogins,
  attempt: Pick<LoginAttempt, 'ip' | 'protocol'> & {
    readonly mechanism: ScramMechanism
    readonly channel: Channel | undefined
    readonly initial: Octets | undefined
    /** beside: `final` is told with the success; absent: the client is asked to hear it. */
    readonly lastWords?: 'beside'
  },
  ask: (challenge: Octets) => Promise<Octets | undefined>,
): Promise<ScramEnd> {
  const say = (text: string): Promise<Octets | undefined> => ask(inBase64(text))
  const opening = attempt.initial ?? (await say(''))
  if (opening === undefined) return { kind: 'gone' }
  const first = understood(opening, parseClientFirst)
  if ('kind' in first) return first
  const bound = boundBy(first, attempt)
  if (bound === undefined) return { kind: 'malformed', text: 'channel binding does not fit' }
  if (first.authzid !== undefined && first.authzid !== first.login) return { kind: 'otherUser' }
  const nonce = first.nonce + randomBytes(NONCE_BYTES).toString('base64')
  const begun = scram.begin(first.login)
  const serverFirst = renderServerFirst({ nonce, salt: begun.salt, iterations: begun.iterations })
  const closing = await say(serverFirst)
  if (closing === undefined) return { kind: 'gone' }
  const final = understood(closing, parseClientFinal)
  if ('kind' in final) return final
  // Another nonce is a replay; another binding is somebody in between.
  if (final.nonce !== nonce || !equalOctets(final.bound, bound))
    return { kind: 'fault', fault: 'refused', login: first.login }
  const outcome = await begun.finish({
    ip: attempt.ip,
    protocol: attempt.protocol,
    proof: final.proof,
    authMessage: `${first.bare},${serverFirst},${final.withoutProof}`,
  })
  if (!outcome.ok) return { kind: 'fault', fault: outcome.error, login: first.login }
  const { account } = outcome.value
  const last = renderServerFinal(outcome.value.signature)
  if (attempt.lastWords === 'beside') return { kind: 'loggedIn', account, final: inBase64(last) }
  const heard = await say(last)
  if (heard === undefined) return { kind: 'gone' }
  if (heard.length > 0) return { kind: 'malformed', text: 'nothing more was wanted' }
  return { kind: 'loggedIn', account }
}

const inBase64 = (text: string): Octets =>
  fromLatin1(Buffer.from(fromUtf8(text)).toString('base64'))

function understood<T extends object>(
  line: Octets,
  parse: (message: Octets) => T | undefined,
): T | (ScramEnd & { readonly kind: 'malformed' }) {
  const text = toLatin1(line)
  if (text === '*') return { kind: 'malformed', text: 'authentication cancelled' }
  const octets = fromBase64(text)
  const message = octets === undefined ? undefined : parse(octets)
  return message ?? { kind: 'malformed', text: 'malformed SCRAM message' }
}

/**
 * What the client has to bind; undefined where that does not go with what was offered. `y` says that
 * we do not offer PLUS: where we do, somebody in between took it out of the list (RFC 5802 §6).
 */
function boundBy(
  { binding, gs2Header }: ClientFirst,
  {
    mechanism,
    channel,
  }: { readonly mechanism: ScramMechanism; readonly channel: Channel | undefined },
): Octets | undefined {
  const isPlus = mechanism === 'SCRAM-SHA-256-PLUS'
  if (typeof binding === 'string') {
    if (isPlus || (binding === 'y' && channel !== undefined)) return undefined
    return boundOctets(gs2Header, undefined)
  }
  const octets = isPlus ? channel?.(binding.type) : undefined
  return octets === undefined ? undefined : boundOctets(gs2Header, octets)
}
