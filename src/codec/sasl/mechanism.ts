import { bufferOf, toLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { fromBase64 } from './base64.ts'

export type SaslMechanism = 'PLAIN' | 'LOGIN'

/** What the server does next. Octets are as on the wire: base64, one line without CRLF. */
export type SaslStep =
  | {
      readonly kind: 'challenge'
      readonly octets: Octets
      /** The line that the client answers with; `*` cancels (RFC 4954 §4, RFC 9051 §6.2.2). */
      next(response: Octets): SaslStep
    }
  | {
      readonly kind: 'credentials'
      readonly login: string
      /** Opaque: no charset, no normalisation. */
      readonly password: Octets
      /** Whom to act as, where that is not the login itself. */
      readonly authzid?: string
    }
  | { readonly kind: 'error'; readonly text: string }

/**
 * Begins an exchange. `initial` is the initial response as it stood in the command, `=` for an
 * empty one (RFC 4954 §4); absent where the client sent none.
 */
export function startSasl(mechanism: SaslMechanism, initial?: Octets): SaslStep {
  const first = mechanism === 'PLAIN' ? plain : loginName
  if (initial === undefined) return challenge(mechanism === 'PLAIN' ? '' : 'Username:', first)
  return answered(isText(initial, '=') ? new Uint8Array(0) : initial, first)
}

/** The mechanism of that name, in any case; undefined where we have none. */
export function saslMechanism(name: string): SaslMechanism | undefined {
  const upper = name.toUpperCase()
  return upper === 'PLAIN' || upper === 'LOGIN' ? upper : undefined
}

const isText = (octets: Octets, text: string): boolean => toLatin1(octets) === text

function challenge(text: string, then: (decoded: Octets) => SaslStep): SaslStep {
  return {
    kind: 'challenge',
    octets: Buffer.from(Buffer.from(text, 'latin1').toString('base64'), 'latin1'),
    next: (response) =>
      isText(response, '*')
        ? { kind: 'error', text: 'authentication cancelled' }
        : answered(response, then),
  }
}

function answered(response: Octets, then: (decoded: Octets) => SaslStep): SaslStep {
  const decoded = fromBase64(toLatin1(response))
  return decoded === undefined ? { kind: 'error', text: 'cannot decode base64' } : then(decoded)
}

/** `[authzid] NUL authcid NUL passwd` (RFC 4616 §2). */
function plain(message: Octets): SaslStep {
  const buffer = bufferOf(message)
  const first = buffer.indexOf(0)
  const second = first < 0 ? -1 : buffer.indexOf(0, first + 1)
  if (second < 0 || buffer.indexOf(0, second + 1) >= 0)
    return { kind: 'error', text: 'malformed PLAIN message' }
  const authzid = toUtf8Strict(buffer.subarray(0, first))
  const login = toUtf8Strict(buffer.subarray(first + 1, second))
  if (authzid === undefined || login === undefined || login === '')
    return { kind: 'error', text: 'malformed login name' }
  const password = buffer.subarray(second + 1)
  return authzid === '' || authzid === login
    ? { kind: 'credentials', login, password }
    : { kind: 'credentials', login, password, authzid }
}

function loginName(message: Octets): SaslStep {
  const login = toUtf8Strict(message)
  if (login === undefined || login === '' || login.includes('\0'))
    return { kind: 'error', text: 'malformed login name' }
  return challenge('Password:', (password) => ({ kind: 'credentials', login, password }))
}
