import type { KnownState } from '#codec/imap/select-params.ts'
import { formatSet, inRanges, resolveSet } from '#codec/imap/sequence-set.ts'
import type { MessageSet, Ranges, SequenceSet } from '#codec/imap/sequence-set.ts'
import type { ModSeq } from '#model/mailbox.ts'
import { flagLine } from '#server/imap/view/fetch-lines.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/**
 * Tells what has gone after a MODSEQ, as far as the client asks for it (RFC 7162 §3.2.10). What it
 * has a number for is not told here: that goes by VANISHED without EARLIER, which takes the number away.
 */
export async function tellVanished(
  session: ImapSession,
  selected: Selected,
  ask: { readonly since: bigint; readonly isAsked: (uid: number) => boolean },
): Promise<void> {
  const { view } = selected
  const delta = await session.room.store.view({
    ...view.asked,
    since: ask.since as ModSeq,
  })
  // What came and went after the view was read is none of the client's.
  const { uidNext } = view.mailbox
  const gone = (delta?.vanished ?? new Uint32Array(0)).filter(
    (uid) => uid < uidNext && ask.isAsked(uid) && !selected.hasNumber(uid),
  )
  if (gone.length > 0) session.out.line(`* VANISHED (EARLIER) ${formatSet(gone)}`)
  await session.out.flush()
}

/** UIDs that a set of UID FETCH names; `*` stands for the last one that was ever given. */
export const isNamed = (set: MessageSet, { view }: Selected): ((uid: number) => boolean) => {
  // RFC 5182 §2.1: what has gone is not in `$` any more.
  if (set === 'saved') return () => false
  const ranges = resolveSet(set, view.mailbox.uidNext - 1)
  return (uid) => inRanges(ranges, uid)
}

/** Brings a client that knows an earlier state up to date, upon SELECT (RFC 7162 §3.2.5). */
export async function resync(
  session: ImapSession,
  selected: Selected,
  known: KnownState,
): Promise<void> {
  const { view } = selected
  const last = view.mailbox.uidNext - 1
  const ranges: Ranges = known.uids === undefined ? [[1, last]] : resolveSet(known.uids, last)
  const agreed = agreedUid(selected, known.matches)
  await tellVanished(session, selected, {
    since: known.modSeq,
    isAsked: (uid) => uid > agreed && inRanges(ranges, uid),
  })
  const since = Number(known.modSeq)
  const rows = selected.rowsOf(ranges, 'uid')
  if (rows === 'outOfRange') return
  for (const row of rows) {
    if (view.modSeqs[row]! <= since) continue
    session.out.line(flagLine(selected, row, true))
    if (session.out.full) await session.out.flush()
  }
}

/**
 * The greatest UID up to which nothing has gone: the client knows it by the number that it still
 * has, and nothing ever comes between (RFC 7162 §3.2.5.2).
 */
function agreedUid(selected: Selected, matches: KnownState['matches']): number {
  if (matches === undefined) return 0
  const uids = numbersOf(matches.uids)
  let agreed = 0
  for (const seq of numbersOf(matches.seqs)) {
    const { value: uid } = uids.next()
    if (uid === undefined || seq > selected.exists) break
    if (selected.view.uids[selected.rowOfSeq(seq)] !== uid) break
    agreed = uid
  }
  return agreed
}

function* numbersOf(set: SequenceSet): Generator<number, undefined> {
  for (const [from, to] of resolveSet(set, 0)) for (let n = from; n <= to; n++) yield n
}
