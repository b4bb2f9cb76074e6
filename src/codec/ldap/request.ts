import type { Octets } from '#base/octets.ts'
import {
  SET,
  boolean,
  context,
  contextOf,
  element,
  ENUMERATED,
  integer,
  octetString,
  sequence,
} from './ber.ts'
import { encodeFilter } from './filter.ts'
import type { BindBy, LdapAttribute, LdapControl, LdapRequest, SearchAsk } from './message.ts'

const VERSION = 3
const SCOPES = { base: 0, one: 1, subtree: 2 } as const
const CHANGES = { add: 0, delete: 1, replace: 2 } as const
const NEVER_DEREFERENCE = 0

/** A request's octets, its number and controls with it (RFC 4511 §4.1.1). */
export function encodeRequest(
  id: number,
  request: LdapRequest,
  controls: readonly LdapControl[] = [],
): Octets {
  const parts = [integer(id), operation(request)]
  if (controls.length > 0) parts.push(element(contextOf(0), ...controls.map(control)))
  return sequence(...parts)
}

function operation(request: LdapRequest): Octets {
  switch (request.op) {
    case 'bind':
      return element(0x60, integer(VERSION), octetString(request.dn), credentials(request.by))
    case 'unbind':
      return element(0x42)
    case 'search':
      return search(request)
    case 'modify':
      return element(0x66, octetString(request.dn), sequence(...request.changes.map(change)))
    case 'add':
      return element(0x68, octetString(request.dn), sequence(...request.attributes.map(attribute)))
    case 'delete':
      return octetString(request.dn, 0x4a)
    case 'rename': {
      const parts = [
        octetString(request.dn),
        octetString(request.rdn),
        boolean(request.deleteOldRdn),
      ]
      if (request.superior !== undefined) parts.push(octetString(request.superior, context(0)))
      return element(0x6c, ...parts)
    }
    case 'compare':
      return element(
        0x6e,
        octetString(request.dn),
        sequence(octetString(request.type), octetString(request.value)),
      )
    case 'abandon':
      return integer(request.id, 0x50)
    case 'extended': {
      const parts = [octetString(request.oid, context(0))]
      if (request.value !== undefined) parts.push(octetString(request.value, context(1)))
      return element(0x77, ...parts)
    }
  }
}

function credentials(by: BindBy): Octets {
  if (by.kind === 'simple') return octetString(by.password, context(0))
  const parts = [octetString(by.mechanism)]
  if (by.credentials !== undefined) parts.push(octetString(by.credentials))
  return element(contextOf(3), ...parts)
}

const search = (ask: SearchAsk): Octets =>
  element(
    0x63,
    octetString(ask.base),
    integer(SCOPES[ask.scope], ENUMERATED),
    integer(NEVER_DEREFERENCE, ENUMERATED),
    integer(ask.sizeLimit ?? 0),
    integer(ask.timeLimitSeconds ?? 0),
    boolean(ask.typesOnly === true),
    encodeFilter(ask.filter),
    sequence(...ask.attributes.map((name) => octetString(name))),
  )

const attribute = ({ type, values }: LdapAttribute): Octets =>
  sequence(octetString(type), element(SET, ...values.map((value) => octetString(value))))

const change = ({
  kind,
  ...changed
}: LdapAttribute & { readonly kind: keyof typeof CHANGES }): Octets =>
  sequence(integer(CHANGES[kind], ENUMERATED), attribute(changed))

/** One control of a message. */
export function control({ oid, critical = false, value }: LdapControl): Octets {
  const parts = [octetString(oid)]
  if (critical) parts.push(boolean(true))
  if (value !== undefined) parts.push(octetString(value))
  return sequence(...parts)
}
