import type { Octets } from '#base/octets.ts'
import type { ManageSieveResponse } from '#codec/managesieve/response.ts'
import { assertNever } from '#base/outcome.ts'
import type { ScriptsRefusal } from '#engine/deliver/scripts.ts'

/** Response codes that we send (RFC 5804 §1.3, §2.1). */
export type ResponseCode =
  | 'ACTIVE'
  | 'ALREADYEXISTS'
  | 'AUTH-TOO-WEAK'
  | 'ENCRYPT-NEEDED'
  | 'NONEXISTENT'
  | 'QUOTA/MAXSCRIPTS'
  | 'QUOTA/MAXSIZE'
  | 'SASL'
  | 'TAG'
  | 'TRANSITION-NEEDED'
  | 'TRYLATER'
  | 'WARNINGS'

const response = (
  kind: ManageSieveResponse['kind'],
  text: string,
  code?: ResponseCode,
  value?: Octets,
): ManageSieveResponse => ({
  kind,
  ...(code !== undefined && { code: { name: code, ...(value !== undefined && { value }) } }),
  text,
})

export const done = (text: string, code?: ResponseCode, value?: Octets): ManageSieveResponse =>
  response('OK', text, code, value)

export const no = (text: string, code?: ResponseCode): ManageSieveResponse =>
  response('NO', text, code)

export const bye = (text: string, code?: ResponseCode): ManageSieveResponse =>
  response('BYE', text, code)

/** Each fault of a script on a line of its own, as RFC 5804 §2.6 shows them. */
export function refused(refusal: ScriptsRefusal): ManageSieveResponse {
  switch (refusal.code) {
    case 'active':
      return no(refusal.message, 'ACTIVE')
    case 'exists':
      return no(refusal.message, 'ALREADYEXISTS')
    case 'notFound':
      return no(refusal.message, 'NONEXISTENT')
    case 'limit':
      return no(refusal.message, refusal.limit === 'scripts' ? 'QUOTA/MAXSCRIPTS' : 'QUOTA/MAXSIZE')
    case 'invalid':
      return no(refusal.errors === undefined ? refusal.message : lines(refusal.errors))
    default:
      return assertNever(refusal.code)
  }
}

export const lines = (
  found: readonly { readonly line: number; readonly message: string }[],
): string => found.map(({ line, message }) => `line ${line}: ${message}`).join('\r\n')
