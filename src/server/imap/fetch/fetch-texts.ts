import type { FetchItem } from '#codec/imap/fetch-item.ts'
import type { Uid } from '#model/mailbox.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import type { FetchPlan } from './fetch-plan.ts'
import { rowValue } from '#server/imap/view/fetch-lines.ts'
import type { Selected } from '#server/imap/view/selected.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { RowTexts, TextKind } from '#server/imap/view/shown-texts.ts'

/** Messages of one question to the store; the next is asked while these are written. */
const BATCH_ROWS = 256

/** What a response tells beside the view's own columns. */
interface Known {
  readonly texts: RowTexts | undefined
  readonly ids: MessageIds | undefined
}

/** Of each row of a batch in order; undefined where the message is gone. */
type Batch = AsyncGenerator<Known | undefined, void, undefined>

/**
 * FETCH of envelopes, structures and ids, without octets of messages. What was rendered once is kept
 * for whoever asks next. Returns how many messages were gone.
 */
export async function fetchTexts(
  session: ImapSession,
  selected: Selected,
  { plan, rows }: { readonly plan: FetchPlan; readonly rows: readonly number[] },
): Promise<number> {
  let skipped = 0
  const load = (at: number): Promise<Batch> | undefined => {
    if (at >= rows.length) return undefined
    const loading = loadBatch(session, selected, { plan, rows: rows.slice(at, at + BATCH_ROWS) })
    loading.catch(() => undefined) // awaited below, after the batch before it was written
    return loading
  }
  let coming = load(0)
  for (let at = 0; coming !== undefined; at += BATCH_ROWS) {
    const batch = await coming
    coming = load(at + BATCH_ROWS)
    let next = at
    for await (const known of batch) {
      const row = rows[next++]!
      if (known === undefined) skipped++
      else putRow(session, selected, { row, items: plan.items, known })
      if (session.out.full) await session.out.flush()
    }
    await session.connection.stillThere()
  }
  return skipped
}

/** Resolves once the first metas are there; each is taken apart, and rendered, when its turn comes. */
async function loadBatch(
  session: ImapSession,
  selected: Selected,
  { plan, rows }: { readonly plan: FetchPlan; readonly rows: readonly number[] },
): Promise<Batch> {
  const { room } = session
  const { view } = selected
  const kinds = plan.texts
  const ask = view.asked
  const uids = selected.uidsOf(rows)
  const texts = uids.map((uid) => complete(room.shownTexts.get(view, uid), kinds))
  const unknown = uids.filter((_, index) => texts[index] === undefined)
  const metas = storedMetas(room.store, { ...ask, uids: unknown })
  const [first, ids] = await Promise.all([
    unknown.length === 0 ? undefined : metas.next(),
    plan.needsIds ? room.store.ids({ ...ask, uids }).then((answer) => answer.ids) : undefined,
  ])
  let coming = first
  const rendered = async (uid: Uid): Promise<RowTexts | undefined> => {
    const { value: stored } = coming ?? (await metas.next())
    coming = undefined
    if (stored === undefined) return undefined
    return room.shownTexts.render(view, uid, { meta: stored.meta, kinds })
  }
  async function* batch(): Batch {
    for (const [index, uid] of uids.entries()) {
      const shown = texts[index] ?? (await rendered(uid))
      texts[index] = undefined // it is long, and may be in nobody's hands once it is told
      const id = ids?.[index]
      yield shown === undefined || (ids !== undefined && id === undefined)
        ? undefined
        : { texts: shown, ids: id }
    }
  }
  return batch()
}

const complete = (
  texts: RowTexts | undefined,
  kinds: readonly TextKind[],
): RowTexts | undefined => {
  if (kinds.length === 0) return {}
  return texts !== undefined && kinds.every((kind) => texts[kind] !== undefined) ? texts : undefined
}

function putRow(
  { out }: ImapSession,
  selected: Selected,
  line: { readonly row: number; readonly items: readonly FetchItem[]; readonly known: Known },
): void {
  const { row, items, known } = line
  out.put(`* ${selected.seqOfRow(row)} FETCH (`)
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.put(' ')
    const { kind } = items[i]!
    out.put(rowValue(selected, row, kind) || storedValue(kind, known))
  }
  out.put(')\r\n')
}

/** An item's text from what is stored. */
export function storedValue(kind: FetchItem['kind'], { texts, ids }: Known): string {
  switch (kind) {
    case 'envelope':
      return `ENVELOPE ${texts!.envelope!}`
    case 'body':
      return `BODY ${texts!.body!}`
    case 'bodyStructure':
      return `BODYSTRUCTURE ${texts!.bodyStructure!}`
    case 'preview':
      return `PREVIEW ${texts!.preview!}`
    case 'emailId':
      return `EMAILID (${ids!.emailId})`
    case 'threadId':
      return `THREADID (${ids!.threadId})`
    default:
      throw new Error(`no value of ${kind}`)
  }
}
