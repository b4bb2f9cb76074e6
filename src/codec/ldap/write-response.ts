import type { Octets } from '#base/octets.ts'
import {
  ENUMERATED,
  SET,
  context,
  contextOf,
  element,
  integer,
  octetString,
  sequence,
} from './ber.ts'
import type {
  LdapAttribute,
  LdapControl,
  LdapRequest,
  LdapResponse,
  LdapResult,
} from './message.ts'
import { control } from './request.ts'

/** What is answered with a result; unbind and abandon are not. */
export type AnsweredOp = Exclude<LdapRequest['op'], 'unbind' | 'abandon'>

const RESULTS: Readonly<Record<AnsweredOp, number>> = {
  bind: 0x61,
  search: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  rename: 0x6d,
  compare: 0x6f,
  extended: 0x78,
}

/** An answer's octets; `op` is what a result ends (RFC 4511 §4.1.1). */
export function encodeResponse(
  id: number,
  response: LdapResponse,
  options: { readonly op: AnsweredOp; readonly controls?: readonly LdapControl[] },
): Octets {
  const { op, controls = [] } = options
  const parts = [integer(id), operation(response, op)]
  if (controls.length > 0) parts.push(element(contextOf(0), ...controls.map(control)))
  return sequence(...parts)
}

function operation(response: LdapResponse, op: AnsweredOp): Octets {
  switch (response.op) {
    case 'entry': {
      const { dn, attributes } = response.entry
      return element(0x64, octetString(dn), sequence(...attributes.map(attribute)))
    }
    case 'reference':
      return element(0x73, ...response.uris.map((uri) => octetString(uri)))
    case 'intermediate':
      return element(0x79, ...named(response, 0))
    case 'result': {
      const { result, saslCredentials } = response
      const parts = resultParts(result)
      if (saslCredentials !== undefined) parts.push(octetString(saslCredentials, context(7)))
      return element(RESULTS[op], ...parts, ...named(response, 10))
    }
  }
}

/** Name and value of an extended answer, at these tags. */
function named(
  { oid, value }: { readonly oid?: string; readonly value?: Octets },
  first: number,
): Octets[] {
  const parts: Octets[] = []
  if (oid !== undefined) parts.push(octetString(oid, context(first)))
  if (value !== undefined) parts.push(octetString(value, context(first + 1)))
  return parts
}

function resultParts({ code, matchedDn, message, referrals }: LdapResult): Octets[] {
  const parts = [integer(code, ENUMERATED), octetString(matchedDn), octetString(message)]
  if (referrals.length > 0)
    parts.push(element(contextOf(3), ...referrals.map((uri) => octetString(uri))))
  return parts
}

const attribute = ({ type, values }: LdapAttribute): Octets =>
  sequence(octetString(type), element(SET, ...values.map((value) => octetString(value))))
