import { emptyOctets, fromLatin1, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, isLost } from '#base/outcome.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { pickFields, resolveSection } from '#codec/imap/section.ts'
import type { Prefixed } from '#codec/imap/section.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { decodedPart } from './fetch-binary.ts'
import type { Decoded } from './fetch-binary.ts'
import { rowValue } from './fetch-lines.ts'
import { storedValue } from './fetch-texts.ts'
import type { TextKind } from './shown-texts.ts'
import { markSeen } from './mark-seen.ts'
import type { Selected } from './selected.ts'
import type { ImapSession } from './session.ts'

/** What a FETCH asks for, sorted out once. */
export interface FetchPlan {
  readonly items: readonly FetchItem[]
  /** Those that are rendered from the stored meta. */
  readonly texts: readonly TextKind[]
  /** Octets of messages. */
  readonly hasSections: boolean
  readonly needsIds: boolean
}

const BATCH_ROWS = 200
const CROWDED_BATCH_ROWS = 20
/** Octets of one read; a body is read in so large pieces, one ahead of the client. */
const READ_BYTES = 256 * 1024
/** The same where many clients take nothing: of a message that is in one record the whole is read, with its CRC. */
const CROWDED_READ_BYTES = 32 * 1024
/** Messages whose first octets are under way while earlier ones are written. */
const AHEAD_MESSAGES = 32
const AHEAD_BYTES = 2 * 1024 * 1024

/** A literal: its first octets, and where the rest lies. */
interface Literal {
  readonly label: string
  readonly length: number
  readonly first: Octets
  readonly rest?: { readonly offset: number; readonly length: number }
  /** In place of both: octets that are decoded while they are sent. */
  readonly decoded?: Decoded
}

/** Why a message is left out of the answer; `unread`: the disk does not give it for now. */
type Missing = 'gone' | 'unknownEncoding' | 'damaged' | 'unread'

/** How many were left out. */
type LeftOut = Readonly<Record<Missing, number>>

/** One FETCH response in the making. */
interface Unit {
  readonly uid: Uid
  readonly values: readonly (string | Promise<Literal | { readonly text: string } | Missing>)[]
  readonly aheadBytes: number
  readonly seq: number
}

/**
 * FETCH with octets of messages: metas and ids in batches, bodies read ahead of the client, who
 * slows it. A message that cannot be read is left out, so that it costs no other.
 */
export async function fetchContent(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly plan: FetchPlan
    readonly rows: readonly number[]
    readonly markSeen: boolean
  },
): Promise<LeftOut> {
  const leftOut = { gone: 0, unknownEncoding: 0, damaged: 0, unread: 0 }
  const { readAhead } = session.room
  for (let at = 0; at < ask.rows.length;) {
    const rows = ask.rows.slice(at, at + (readAhead.hasRoom ? BATCH_ROWS : CROWDED_BATCH_ROWS))
    at += rows.length
    const seen = ask.markSeen ? await markSeen(session, selected, rows) : new Set<number>()
    const batch = await loadBatch(session, selected, { plan: ask.plan, rows })
    const units = function* (): Generator<Unit | 'gone'> {
      for (const [index, row] of rows.entries()) {
        const loaded = batch(index)
        yield loaded === undefined
          ? 'gone'
          : unitOf(session, selected, { row, plan: ask.plan, loaded, seen: seen.has(row) })
      }
    }
    await writeUnits(session, selected, { units: units(), leftOut })
  }
  return leftOut
}

/** Each unit begins to read when it is made: as many are made ahead as there is room for. */
async function writeUnits(
  session: ImapSession,
  selected: Selected,
  ask: { readonly units: Iterable<Unit | 'gone'>; readonly leftOut: Record<Missing, number> },
): Promise<void> {
  const { readAhead } = session.room
  const ahead: Unit[] = []
  let bytes = 0
  const isFull = (): boolean =>
    ahead.length >= AHEAD_MESSAGES || bytes > AHEAD_BYTES || !readAhead.hasRoom
  const writeOne = async (): Promise<void> => {
    const unit = ahead.shift()!
    try {
      const why = await writeUnit(session, selected, unit)
      if (why !== undefined) ask.leftOut[why]++
    } finally {
      bytes -= unit.aheadBytes
      readAhead.give(unit.aheadBytes)
    }
  }
  try {
    for (const unit of ask.units) {
      if (unit === 'gone') {
        ask.leftOut.gone++
        continue
      }
      ahead.push(unit)
      bytes += unit.aheadBytes
      readAhead.take(unit.aheadBytes)
      while (ahead.length > 0 && isFull()) await writeOne()
    }
    while (ahead.length > 0) await writeOne()
  } finally {
    readAhead.give(bytes)
  }
}

interface Loaded {
  readonly message: Prefixed
  readonly ids: MessageIds | undefined
}

async function loadBatch(
  session: ImapSession,
  selected: Selected,
  { plan, rows }: { readonly plan: FetchPlan; readonly rows: readonly number[] },
): Promise<(index: number) => Loaded | undefined> {
  const { store } = session.room
  const ask = {
    ...selected.view.asked,
    uids: selected.uidsOf(rows),
  }
  const [metas, ids] = await Promise.all([
    storedMetas(store, ask),
    plan.needsIds ? store.ids(ask).then((answer) => answer.ids) : undefined,
  ])
  return (index) => {
    const [message, known] = [metas[index], ids?.[index]]
    if (message === undefined || (plan.needsIds && known === undefined)) return undefined
    return { message, ids: known }
  }
}

function unitOf(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly row: number
    readonly plan: FetchPlan
    readonly loaded: Loaded
    readonly seen: boolean
  },
): Unit {
  const { row, plan, loaded } = ask
  const uid = selected.view.uids[row]! as Uid
  let aheadBytes = 0
  const { message, ids } = loaded
  const texts = session.room.shownTexts.render(selected.view, uid, {
    meta: message.meta,
    kinds: plan.texts,
  })
  const values = plan.items.map((item) => {
    if (item.kind === 'section') {
      const started = readSection(session, selected, { uid, item, message })
      aheadBytes += started.aheadBytes
      // Awaited when its turn comes; where an earlier one fails, nobody does.
      if (typeof started.literal !== 'string') started.literal.catch(() => undefined)
      return started.literal
    }
    if (item.kind === 'binary' || item.kind === 'binarySize') {
      const started = readBinary(session, selected, { uid, item, message })
      started.catch(() => undefined)
      return started
    }
    return rowValue(selected, row, item.kind) || storedValue(item.kind, { texts, ids })
  })
  if (ask.seen) {
    // RFC 9051 §6.4.5: the flag that reading sets is told with what is read.
    if (!plan.items.some((item) => item.kind === 'flags'))
      values.push(rowValue(selected, row, 'flags'))
    if (session.condStore && !plan.items.some((item) => item.kind === 'modSeq'))
      values.push(rowValue(selected, row, 'modSeq'))
  }
  return { uid, values, aheadBytes, seq: selected.seqOfRow(row) }
}

function readSection(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly uid: Uid
    readonly item: FetchItem & { readonly kind: 'section' }
    readonly message: Prefixed
  },
): { readonly literal: Promise<Literal | 'gone'> | string; readonly aheadBytes: number } {
  const { uid, item } = ask
  const range = resolveSection(item.section, ask.message)
  // RFC 9051 §6.4.5: a part that does not exist is NIL.
  if (range === undefined) return { literal: `${item.label} NIL`, aheadBytes: 0 }
  if (range.fields !== undefined)
    return {
      literal: readFields(session, selected, { uid, item, range, fields: range.fields }),
      aheadBytes: range.length,
    }
  const skip = Math.min(item.partial?.offset ?? 0, range.length)
  const length = Math.min(item.partial?.length ?? range.length, range.length - skip)
  const offset = range.offset + skip
  const isCrowded = length > READ_BYTES && !session.room.readAhead.hasRoom
  const firstLength = Math.min(length, isCrowded ? CROWDED_READ_BYTES : READ_BYTES)
  const literal = async (): Promise<Literal | 'gone'> => {
    if (length === 0) return { label: item.label, length, first: new Uint8Array(0) }
    const first = await read(session, selected, { uid, offset, length: firstLength })
    if (first === undefined) return 'gone'
    if (first.length !== firstLength) throw new Fault('corrupt', 'a stored message is cut short')
    const rest = { offset: offset + firstLength, length: length - firstLength }
    return { label: item.label, length, first, ...(rest.length === 0 ? {} : { rest }) }
  }
  return { literal: literal(), aheadBytes: firstLength }
}

async function readBinary(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly uid: Uid
    readonly item: FetchItem & { readonly kind: 'binary' | 'binarySize' }
    readonly message: Prefixed
  },
): Promise<Literal | { readonly text: string } | Missing> {
  const { uid, item } = ask
  const decoded = await decodedPart(item, ask.message, (range) =>
    read(session, selected, { uid, ...range }),
  )
  if (decoded === 'gone' || decoded === 'unknownEncoding') return decoded
  if (item.kind === 'binarySize')
    return { text: `${item.label} ${decoded === 'noPart' ? 0 : decoded.length}` }
  if (decoded === 'noPart') return { text: `${item.label} NIL` }
  return { label: item.label, length: decoded.length, first: emptyOctets, decoded }
}

async function readFields(
  session: ImapSession,
  selected: Selected,
  ask: {
    readonly uid: Uid
    readonly item: FetchItem & { readonly kind: 'section' }
    readonly range: { readonly offset: number; readonly length: number }
    readonly fields: { readonly names: readonly string[]; readonly not: boolean }
  },
): Promise<Literal | 'gone'> {
  let header = ''
  for (let at = 0; at < ask.range.length;) {
    const length = Math.min(READ_BYTES, ask.range.length - at)
    const octets = await read(session, selected, {
      uid: ask.uid,
      offset: ask.range.offset + at,
      length,
    })
    if (octets === undefined) return 'gone'
    if (octets.length === 0) break
    header += toLatin1(octets)
    at += octets.length
  }
  const picked = fromLatin1(pickFields(header, ask.fields))
  const { partial } = ask.item
  const first =
    partial === undefined
      ? picked
      : picked.subarray(partial.offset, partial.offset + partial.length)
  return { label: ask.item.label, length: first.length, first }
}

async function read(
  session: ImapSession,
  selected: Selected,
  range: { readonly uid: Uid; readonly offset: number; readonly length: number },
): Promise<Octets | undefined> {
  const { octets } = await session.room.store.read({
    ...selected.view.asked,
    ...range,
  })
  return octets
}

/** Writes one response, or tells why nothing was written. */
async function writeUnit(
  session: ImapSession,
  selected: Selected,
  unit: Unit,
): Promise<Missing | undefined> {
  const values: (string | Literal)[] = []
  for (const value of unit.values) {
    const known = typeof value === 'string' ? value : await value.catch(missingFor)
    if (isMissing(known)) return known
    values.push(typeof known === 'object' && 'text' in known ? known.text : known)
  }
  const { out } = session
  out.put(`* ${unit.seq} FETCH (`)
  for (const [index, value] of values.entries()) {
    if (index > 0) out.put(' ')
    if (typeof value === 'string') out.put(value)
    else await writeLiteral(session, selected, { uid: unit.uid, literal: value })
  }
  out.put(')\r\n')
  if (out.full) await out.flush()
  return undefined
}

const isMissing = (value: unknown): value is Missing =>
  value === 'gone' || value === 'unknownEncoding' || value === 'damaged' || value === 'unread'

/** Rethrows what concerns more than one message. */
function missingFor(thrown: unknown): Missing {
  if (!isLost(thrown)) throw thrown
  return isFault(thrown, 'io') ? 'unread' : 'damaged'
}

async function writeLiteral(
  session: ImapSession,
  selected: Selected,
  { uid, literal }: { readonly uid: Uid; readonly literal: Literal },
): Promise<void> {
  const { out } = session
  if (literal.decoded !== undefined) return writeDecoded(session, literal.label, literal.decoded)
  out.put(`${literal.label} {${literal.length}}\r\n`)
  const { readAhead } = session.room
  let { offset, length: unread } = literal.rest ?? { offset: 0, length: 0 }
  const next = (): Promise<Octets | undefined> | undefined => {
    if (unread === 0) return undefined
    const length = Math.min(readAhead.hasRoom ? READ_BYTES : CROWDED_READ_BYTES, unread)
    const reading = read(session, selected, { uid, offset, length })
    offset += length
    unread -= length
    reading.catch(() => undefined) // awaited below, after the piece before it was written
    return reading
  }
  let current: Octets | undefined = literal.first
  let left = literal.length
  while (current !== undefined) {
    const coming = readAhead.hasRoom ? next() : undefined
    await out.octets(current)
    left -= current.length
    current = await (coming ?? next())?.catch(() => undefined)
  }
  // The client counts octets: what was announced and cannot be read ends the connection.
  if (left !== 0) session.abort()
}

/** RFC 3516 §4.2: a literal8, since NUL may stand in it. */
async function writeDecoded(session: ImapSession, label: string, decoded: Decoded): Promise<void> {
  const { out } = session
  out.put(`${label} ~{${decoded.length}}\r\n`)
  let left = decoded.length
  try {
    for await (const octets of decoded.pieces()) {
      await out.octets(octets)
      left -= octets.length
    }
  } catch (thrown) {
    if (isFault(thrown, 'closed')) throw thrown
  }
  // The client counts octets: what was announced and cannot be read ends the connection.
  if (left !== 0) session.abort()
}
