import type { Octets } from '#base/octets.ts'
import type { Outcome } from '#base/outcome.ts'
import { BerReader, ENUMERATED, Malformed, SET, BOOLEAN, context, contextOf } from './ber.ts'
import { readFilter } from './read-filter.ts'
import type { BindBy, LdapAsked, LdapAttribute, LdapChange, LdapRequest } from './message.ts'
import { decoded, readControls } from './response.ts'

const VERSION = 3
const ID_MAX = 2 ** 31 - 1

/** A whole message of a client (RFC 4511 §4.1.1); the error says what is wrong with it. */
export const readRequest = (octets: Octets): Outcome<LdapAsked, string> =>
  decoded(() => {
    const message = new BerReader(octets).enter()
    const id = message.integer()
    // 0 is the server's own (RFC 4511 §4.1.1.1).
    if (id < 1 || id > ID_MAX) throw new Malformed('a message without a number')
    const request = readOperation(message)
    const controls = message.tag === contextOf(0) ? readControls(message.enter(contextOf(0))) : []
    return { id, request, controls }
  })

function readOperation(message: BerReader): LdapRequest {
  const { tag } = message
  switch (tag) {
    case 0x60:
      return readBind(message.enter(tag))
    case 0x42:
      message.skip()
      return { op: 'unbind' }
    case 0x63:
      return readSearch(message.enter(tag))
    case 0x66:
      return readModify(message.enter(tag))
    case 0x68: {
      const parts = message.enter(tag)
      return { op: 'add', dn: parts.text(), attributes: readList(parts.enter(), readAttribute) }
    }
    case 0x4a:
      return { op: 'delete', dn: message.text(tag) }
    case 0x6c:
      return readRename(message.enter(tag))
    case 0x6e: {
      const parts = message.enter(tag)
      const dn = parts.text()
      const assertion = parts.enter()
      return { op: 'compare', dn, type: assertion.text(), value: assertion.octets() }
    }
    case 0x50:
      return { op: 'abandon', id: message.integer(tag) }
    case 0x77: {
      const parts = message.enter(tag)
      const oid = parts.text(context(0))
      const value = parts.optional(context(1))
      return { op: 'extended', oid, ...(value !== undefined && { value }) }
    }
    default:
      throw new Malformed('a request of no kind')
  }
}

function readBind(parts: BerReader): LdapRequest {
  if (parts.integer() !== VERSION) throw new Malformed('LDAP of another version')
  const dn = parts.text()
  return { op: 'bind', dn, by: readBy(parts) }
}

function readBy(parts: BerReader): BindBy {
  const password = parts.optional(context(0))
  if (password !== undefined) return { kind: 'simple', password }
  const sasl = parts.enter(contextOf(3))
  const mechanism = sasl.text()
  const credentials = sasl.done ? undefined : sasl.octets()
  return { kind: 'sasl', mechanism, ...(credentials !== undefined && { credentials }) }
}

const SCOPES = ['base', 'one', 'subtree'] as const

function readSearch(parts: BerReader): LdapRequest {
  const base = parts.text()
  const scope = SCOPES[parts.integer(ENUMERATED)]
  if (scope === undefined) throw new Malformed('a search of no scope')
  parts.integer(ENUMERATED) // aliases: there are none that could be followed
  const sizeLimit = limit(parts)
  const timeLimitSeconds = limit(parts)
  const typesOnly = parts.boolean()
  const filter = readFilter(parts)
  const attributes = readList(parts.enter(), (list) => list.text())
  return { op: 'search', base, scope, sizeLimit, timeLimitSeconds, typesOnly, filter, attributes }
}

/** 0 to 2^31-1 (RFC 4511 §4.5.1.4). */
function limit(parts: BerReader): number {
  const value = parts.integer()
  if (value < 0 || value > ID_MAX) throw new Malformed('a limit that is none')
  return value
}

const CHANGES = ['add', 'delete', 'replace'] as const

function readModify(parts: BerReader): LdapRequest {
  const dn = parts.text()
  const changes = readList(parts.enter(), (list): LdapChange => {
    const one = list.enter()
    const kind = CHANGES[one.integer(ENUMERATED)]
    if (kind === undefined) throw new Malformed('a change of no kind')
    return { kind, ...readAttribute(one) }
  })
  return { op: 'modify', dn, changes }
}

function readRename(parts: BerReader): LdapRequest {
  const [dn, rdn, deleteOldRdn] = [parts.text(), parts.text(), parts.boolean(BOOLEAN)]
  if (parts.done) return { op: 'rename', dn, rdn, deleteOldRdn }
  return { op: 'rename', dn, rdn, deleteOldRdn, superior: parts.text(context(0)) }
}

function readAttribute(list: BerReader): LdapAttribute {
  const one = list.enter()
  const type = one.text()
  return { type, values: readList(one.enter(SET), (values) => values.octets()) }
}

function readList<T>(list: BerReader, read: (list: BerReader) => T): T[] {
  const items: T[] = []
  while (!list.done) items.push(read(list))
  return items
}
