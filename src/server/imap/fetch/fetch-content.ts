import { messagePieces, PIECES_MAX } from '#store/mailbox/message-pieces.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { Responses, writeGathered } from './fetch-responses.ts'
import type { Gathered } from './fetch-responses.ts'
import { needsMetas, unitOf } from './fetch-units.ts'
import type { Known, Made, Missing, Pieces, Told, Unit } from './fetch-units.ts'
import type { FetchPlan } from './fetch-plan.ts'
import { unreadFor } from './message-octets.ts'
import { markSeen } from './mark-seen.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** Messages whose metas or ids are asked for at once. */
const BATCH_ROWS = 200
/** What is read by one question, and written by one write. */
const GROUP = { units: 128, bytes: 512 * 1024 }
/** One on its way to the client, one that waits for it, one being read. */
const GROUPS_MAX = 2
/** Both where many clients take nothing. */
const CROWDED_BATCH_ROWS = 4
const CROWDED_GROUP = { units: 4, bytes: 16 * 1024 }

/** How many messages were left out, and why. */
type LeftOut = Readonly<Record<Missing, number>>

interface Ask {
  readonly plan: FetchPlan
  readonly rows: readonly number[]
  readonly markSeen: boolean
}

/** Units whose octets come in one answer, which is let go once it is used. */
interface Group {
  readonly units: readonly Unit[]
  readonly bytes: number
  pieces: Promise<Pieces> | undefined
}

/**
 * FETCH with octets of messages. They are read in groups, two ahead of the client, who slows it. A
 * message that cannot be read is left out, so that it costs no other.
 */
export async function fetchContent(
  session: ImapSession,
  selected: Selected,
  ask: Ask,
): Promise<LeftOut> {
  const leftOut = { gone: 0, unknownEncoding: 0, damaged: 0, unread: 0 }
  const { readAhead } = session.room
  const groups: Group[] = []
  const writeOne = async (): Promise<void> => {
    const group = groups[0]!
    await writeGathered(session, selected, await gather(group, leftOut))
    groups.shift()
    readAhead.give(group.bytes)
  }
  try {
    for await (const group of groupsOf(session, selected, { ...ask, leftOut })) {
      groups.push(group)
      while (groups.length > GROUPS_MAX || (groups.length > 0 && !readAhead.hasRoom))
        await writeOne()
    }
    while (groups.length > 0) await writeOne()
  } finally {
    for (const { bytes } of groups) readAhead.give(bytes)
  }
  return leftOut
}

/** Groups whose octets are under way, and count as read ahead; what is gone is only counted. */
async function* groupsOf(
  session: ImapSession,
  selected: Selected,
  ask: Ask & { readonly leftOut: Record<Missing, number> },
): AsyncGenerator<Group> {
  const { readAhead, store } = session.room
  let units: Unit[] = []
  let bytes = 0
  let pieces = 0
  const begin = (): Group => {
    readAhead.take(bytes)
    const asks = units.flatMap((unit) => unit.asks)
    const reading =
      asks.length === 0
        ? Promise.resolve([])
        : messagePieces(store, { ...selected.view.asked, pieces: asks })
    const group = { units, bytes, pieces: reading.catch((thrown) => lost(asks.length, thrown)) }
    group.pieces.catch(() => undefined) // awaited when its turn comes; where an earlier one fails, nobody does
    units = []
    bytes = 0
    pieces = 0
    return group
  }
  for await (const some of unitsOf(session, selected, ask))
    for (const unit of some) {
      if (unit === 'gone') {
        ask.leftOut.gone++
        continue
      }
      const max = readAhead.hasRoom ? GROUP : CROWDED_GROUP
      const isFull =
        units.length >= max.units ||
        bytes + unit.bytes > max.bytes ||
        pieces + unit.asks.length > PIECES_MAX
      if (isFull && units.length > 0) yield begin()
      units.push(unit)
      bytes += unit.bytes
      pieces += unit.asks.length
    }
  if (units.length > 0) yield begin()
}

/** Trouble of the rows themselves leaves out all that were asked for. */
const lost = (count: number, thrown: unknown): Pieces => {
  const why = unreadFor(thrown)
  return Array.from({ length: count }, () => why)
}

/** The responses of a group as they are written. */
async function gather(group: Group, leftOut: Record<Missing, number>): Promise<Gathered> {
  const pieces = await group.pieces!
  group.pieces = undefined
  const responses = new Responses()
  let at = 0
  for (const unit of group.units) {
    const own = pieces.slice(at, at + unit.asks.length)
    const values = unit.waits ? await valuesInTurn(unit, own) : valuesOf(unit, own)
    at += unit.asks.length
    if (typeof values === 'string') leftOut[values]++
    else responses.add(unit, values)
  }
  return responses.end()
}

const missingFor = (thrown: unknown): { readonly missing: Missing } => ({
  missing: unreadFor(thrown),
})

/** Of a unit whose values are there: to wait for each of a thousand messages costs more than the rest. */
function valuesOf({ values }: Unit, pieces: Pieces): readonly Made[] | Missing {
  const made: Made[] = []
  for (const value of values) {
    const told = typeof value === 'string' ? value : (value(pieces) as Told)
    if (typeof told === 'object' && 'missing' in told) return told.missing
    made.push(told)
  }
  return made
}

/** One is made after the other. */
async function valuesInTurn({ values }: Unit, pieces: Pieces): Promise<readonly Made[] | Missing> {
  const made: Made[] = []
  for (const value of values) {
    const known = typeof value === 'string' ? value : value(pieces)
    const told = known instanceof Promise ? await known.catch(missingFor) : known
    if (typeof told === 'object' && 'missing' in told) return told.missing
    made.push(told)
  }
  return made
}

/** Of each row in order what its response takes, or that the message is gone; as many at once as are known. */
async function* unitsOf(
  session: ImapSession,
  selected: Selected,
  { plan, rows: all, markSeen: marks }: Ask,
): AsyncGenerator<readonly (Unit | 'gone')[]> {
  const { readAhead } = session.room
  for (let at = 0; at < all.length;) {
    const rows = all.slice(at, at + (readAhead.hasRoom ? BATCH_ROWS : CROWDED_BATCH_ROWS))
    at += rows.length
    const seen = marks ? await markSeen(session, selected, rows) : new Set<number>()
    const unit = (row: number, known: Known): Unit =>
      unitOf(session, selected, { row, plan, known, seen: seen.has(row) })
    if (!plan.needsIds && !needsMetas(plan)) {
      yield rows.map((row) => unit(row, NOTHING_KNOWN))
      continue
    }
    let next = 0
    for await (const known of knownOf(session, selected, { plan, rows })) {
      const row = rows[next++]!
      yield [known === undefined ? 'gone' : unit(row, known)]
    }
  }
}

/** Whole messages are where the view says. */
const NOTHING_KNOWN: Known = {}

/** Of each row in order; undefined where the message is gone. */
async function* knownOf(
  session: ImapSession,
  selected: Selected,
  { plan, rows }: { readonly plan: FetchPlan; readonly rows: readonly number[] },
): AsyncGenerator<Known | undefined> {
  const { store } = session.room
  const ask = {
    ...selected.view.asked,
    uids: selected.uidsOf(rows),
  }
  const ids = plan.needsIds ? (await store.ids(ask)).ids : undefined
  const metas = needsMetas(plan) ? storedMetas(store, ask) : undefined
  for (const index of rows.keys()) {
    const message = (await metas?.next())?.value ?? undefined
    const known = ids?.[index]
    const isGone =
      (metas !== undefined && message === undefined) || (ids !== undefined && known === undefined)
    yield isGone
      ? undefined
      : { ...(message !== undefined && { message }), ...(known !== undefined && { ids: known }) }
  }
}
