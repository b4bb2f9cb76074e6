import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import {
  BOOLEAN,
  BerReader,
  ENUMERATED,
  Malformed,
  OCTET_STRING,
  SET,
  context,
  contextOf,
  elementLength,
  textOf,
} from './ber.ts'
import type {
  EntryReader,
  LdapAttribute,
  LdapControl,
  LdapEntry,
  LdapMessage,
  LdapResponse,
  LdapResult,
} from './message.ts'

/**
 * How many octets the message has that begins at `at`; undefined while they are too few to tell. The
 * error says what it is instead of LDAP: somebody else's protocol on that port, as a rule.
 */
export function messageLength(octets: Octets, at = 0): Outcome<number | undefined, string> {
  return decoded(() => {
    const tag = octets[at]
    if (tag !== undefined && tag !== 0x30) throw new Malformed('this is not LDAP')
    return elementLength(octets, at)
  })
}

/** A whole message of a server, which begins at `at` (RFC 4511 §4.1.1). */
export const readResponse = (octets: Octets, at = 0): Outcome<LdapMessage, string> =>
  readResponseBy(octets, at, () => readEntry)

/** The same with entries in the form that the asker of that number wants. */
export const readResponseBy = <Entry>(
  octets: Octets,
  at: number,
  readerOf: (id: number) => EntryReader<Entry>,
): Outcome<LdapMessage<Entry>, string> =>
  decoded(() => {
    const message = new BerReader(octets, at).enter()
    const id = message.integer()
    const response =
      message.tag === ENTRY
        ? { op: 'entry' as const, entry: readerOf(id)(...message.place(ENTRY)) }
        : readOperation(message)
    const controls = message.tag === contextOf(0) ? readControls(message.enter(contextOf(0))) : []
    return { id, response, controls }
  })

const ENTRY = 0x64

/** Runs a decoder; what it finds malformed becomes the error. */
export function decoded<T>(decode: () => T): Outcome<T, string> {
  try {
    return ok(decode())
  } catch (thrown) {
    if (!(thrown instanceof Malformed)) throw thrown
    return err(thrown.message)
  }
}

/** Results of bind, search, modify, add, delete, rename, compare. */
const RESULTS: ReadonlySet<number> = new Set([0x61, 0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f])

function readOperation(message: BerReader): Exclude<LdapResponse, { readonly op: 'entry' }> {
  const { tag } = message
  if (tag === 0x73) return { op: 'reference', uris: readTexts(message.enter(tag)) }
  if (tag === 0x79) {
    const parts = message.enter(tag)
    const [oid, value] = [parts.optional(context(0)), parts.optional(context(1))]
    return {
      op: 'intermediate',
      ...(oid !== undefined && { oid: textOf(oid) }),
      ...(value !== undefined && { value }),
    }
  }
  if (tag === 0x78) {
    const parts = message.enter(tag)
    const result = readResult(parts)
    const [oid, value] = [parts.optional(context(10)), parts.optional(context(11))]
    return {
      op: 'result',
      result,
      ...(oid !== undefined && { oid: textOf(oid) }),
      ...(value !== undefined && { value }),
    }
  }
  if (tag === undefined || !RESULTS.has(tag)) throw new Malformed('an answer of no kind')
  const parts = message.enter(tag)
  const result = readResult(parts)
  const saslCredentials = parts.optional(context(7))
  return { op: 'result', result, ...(saslCredentials !== undefined && { saslCredentials }) }
}

function readResult(parts: BerReader): LdapResult {
  return {
    code: parts.integer(ENUMERATED),
    matchedDn: parts.text(),
    message: parts.text(),
    referrals: parts.tag === contextOf(3) ? readTexts(parts.enter(contextOf(3))) : [],
  }
}

/** Entries with all their octets, whatever these are. */
export const readEntry: EntryReader<LdapEntry> = (octets, at, end) =>
  readEntryOf(new BerReader(octets, at, end))

/** The parts of an entry of a search. */
export function readEntryOf(parts: BerReader): LdapEntry {
  const dn = parts.text()
  const attributes: LdapAttribute[] = []
  for (const list = parts.enter(); !list.done;) {
    const one = list.enter()
    const type = one.text()
    const values: Octets[] = []
    for (const set = one.enter(SET); !set.done;) values.push(set.octets())
    attributes.push({ type, values })
  }
  return { dn, attributes }
}

function readTexts(list: BerReader): string[] {
  const texts: string[] = []
  while (!list.done) texts.push(list.text())
  return texts
}

/** The controls of a message, a request's or an answer's. */
export function readControls(list: BerReader): LdapControl[] {
  const controls: LdapControl[] = []
  while (!list.done) {
    const parts = list.enter()
    const oid = parts.text()
    const critical = parts.tag === BOOLEAN && parts.boolean()
    const value = parts.optional(OCTET_STRING)
    controls.push({ oid, critical, ...(value !== undefined && { value }) })
  }
  return controls
}
