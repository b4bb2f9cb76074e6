import { isFault } from '#base/outcome.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { addressText, foldedFields } from '#codec/mime/message-texts.ts'
import { HEADER_BYTES_MAX } from '#codec/mime/header.ts'
import { bodyReadings, isReadable, partNames } from '#codec/mime/readings.ts'
import { decodeText } from '#codec/mime/text.ts'
import type { MailboxId, ThreadId, Uid } from '#model/mailbox.ts'
import type { HeaderAddress, MessageMeta, MimePart } from '#model/message.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { PARTS_HELD_MAX, partsIn, storedMetas } from '#store/mailbox/meta-records.ts'
import { bodiesOf } from './body-parts.ts'
import type { Candidate, Filter, Need, Texts } from './email-filter.ts'
import type { SortTexts } from './email-order.ts'
import { hasAttachment } from './email-shape.ts'
import { loadEmails } from './emails.ts'
import { text8 } from './header-forms.ts'
import { MethodError } from '#server/jmap/method/method-error.ts'
import { asked } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'

interface Open {
  readonly candidate: Candidate
  texts: Texts
  meta?: { readonly meta: MessageMeta; readonly prefixBytes: number }
  result: boolean | Need
}

/** Messages that are read side by side, and octets of one text that are searched. */
const AT_ONCE = 8
const TEXT_BYTES_MAX = 4 * 1024 * 1024

/** Which of the candidates match; reads of each only what is needed to tell. In their order. */
export async function matching(
  call: Call,
  filter: Filter,
  batch: { readonly candidates: readonly Candidate[]; readonly untilMs: number },
): Promise<Candidate[]> {
  const all = batch.candidates.map((candidate): Open => ({
    candidate,
    texts: {},
    result: filter.test(candidate, {}),
  }))
  for (;;) {
    const open = all.filter(({ result }) => typeof result === 'string')
    if (open.length === 0) break
    if (call.room.clock.monotonicMs() > batch.untilMs)
      throw new MethodError('serverUnavailable', 'The search takes too long: narrow it')
    await readNeeds(call, open)
    for (const each of open) {
      each.result = filter.test(each.candidate, each.texts)
      if (typeof each.result !== 'string') delete each.meta
    }
  }
  return all.filter(({ result }) => result === true).map(({ candidate }) => candidate)
}

async function readNeeds(call: Call, open: readonly Open[]): Promise<void> {
  await readMetas(
    call,
    open.filter(({ meta }) => meta === undefined),
  )
  // Those whose meta is not there have their turn later.
  const wanting = (need: Need): Open[] =>
    open.filter(({ result, meta }) => result === need && meta !== undefined)
  const threads = wanting('thread')
  if (threads.length > 0) await readThreads(call, threads)
  await sideBySide(wanting('header'), async (each) => {
    each.texts = { ...each.texts, header: await headerOf(call, each) }
  })
  await sideBySide(wanting('body'), async (each) => {
    each.texts = { ...each.texts, body: await bodyOf(call, each) }
  })
}

async function sideBySide(
  list: readonly Open[],
  work: (each: Open) => Promise<void>,
): Promise<void> {
  let next = 0
  const run = async (): Promise<void> => {
    while (next < list.length) await work(list[next++]!)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

const GONE: Texts = {
  fields: { from: '', to: '', cc: '', bcc: '', subject: '' },
  hasAttachment: false,
  body: '',
  header: [],
  thread: () => ({ all: false, some: false }),
}

/** Reads metas, of one mail at least: those of many parts come a few at a time. */
async function readMetas(call: Call, open: readonly Open[]): Promise<void> {
  let parts = 0
  const byMailbox = Map.groupBy(open, ({ candidate }): MailboxId => candidate.view.mailbox.id)
  for (const [mailboxId, list] of byMailbox) {
    if (parts >= PARTS_HELD_MAX) return
    const uids = list.map(({ candidate: { view, row } }) => view.uids[row]! as Uid)
    const ask = { ...asked(call), mailboxId, uids }
    let read = 0
    for await (const found of storedMetas(call.room.store, ask)) {
      const each = list[read++]!
      if (found === undefined) each.texts = GONE // expunged meanwhile
      else {
        each.meta = found
        const { envelope, root } = found.meta
        each.texts = {
          ...each.texts,
          hasAttachment: hasAttachment(bodiesOf(root)),
          fields: {
            from: addressText(envelope.from),
            to: addressText(envelope.to),
            cc: addressText(envelope.cc),
            bcc: addressText(envelope.bcc),
            subject: foldText(decodeWords(envelope.subject ?? '')),
          },
        }
        parts += partsIn(root, PARTS_HELD_MAX)
        if (parts >= PARTS_HELD_MAX) return
      }
    }
  }
}

const METAS_AT_ONCE = 1_000
/** What replies and forwards put in front (RFC 5256 §2.1, roughly). */
const LEADER = /^(?:\s|\[[^[\]]{0,80}\]|(?:re|fwd?|fw|返信|転送)\s*[:：])+/i

/** What each candidate is sorted by. */
export async function sortTexts(
  call: Call,
  candidates: readonly Candidate[],
): Promise<Map<Candidate, SortTexts>> {
  const texts = new Map<Candidate, SortTexts>()
  const byMailbox = Map.groupBy(candidates, ({ view }): MailboxId => view.mailbox.id)
  const first = (list: readonly HeaderAddress[] | undefined): string => {
    const [address] = list ?? []
    return foldText(decodeWords(address?.name ?? '') || text8(address?.mailbox ?? ''))
  }
  for (const [mailboxId, list] of byMailbox)
    for (let at = 0; at < list.length; at += METAS_AT_ONCE) {
      const some = list.slice(at, at + METAS_AT_ONCE)
      const uids = some.map(({ view, row }) => view.uids[row]! as Uid)
      const ask = { ...asked(call), mailboxId, uids }
      let read = 0
      for await (const stored of storedMetas(call.room.store, ask)) {
        const candidate = some[read++]!
        if (stored === undefined) continue
        const { meta } = stored
        texts.set(candidate, {
          subject: foldText(decodeWords(meta.envelope.subject ?? '')).replace(LEADER, ''),
          from: first(meta.envelope.from),
          to: first(meta.envelope.to),
          sentAtMs: meta.sentAtMs ?? 0,
        })
      }
    }
  return texts
}

async function readThreads(call: Call, open: readonly Open[]): Promise<void> {
  const threadId = ({ candidate: { view, row } }: Open): ThreadId =>
    `T${view.tag}${view.threads[row]!.toString(36)}` as ThreadId
  const threadIds = [...new Set(open.map(threadId))]
  const { threads } = await call.room.store.threads({ ...asked(call), threadIds })
  const keywords = new Map<string, ReadonlySet<string>>()
  const ids = [...new Set(threads.flatMap((emailIds) => emailIds ?? []))]
  for (let at = 0; at < ids.length; at += 1_000) {
    const { emails } = await loadEmails(call, ids.slice(at, at + 1_000))
    for (const email of emails) if (email !== undefined) keywords.set(email.emailId, email.keywords)
  }
  const byThread = new Map(threadIds.map((id, index) => [id, threads[index] ?? []]))
  for (const each of open) {
    const sets = byThread.get(threadId(each))!.map((id) => keywords.get(id) ?? new Set<string>())
    each.texts = {
      ...each.texts,
      thread: (keyword) => ({
        all: sets.every((set) => set.has(keyword)),
        some: sets.some((set) => set.has(keyword)),
      }),
    }
  }
}

async function headerOf(call: Call, each: Open): Promise<NonNullable<Texts['header']>> {
  if (each.meta === undefined) return []
  const { prefixBytes, meta } = each.meta
  const { offset, length } = meta.root.header
  const octets = await read(
    call,
    each.candidate,
    0,
    Math.min(prefixBytes + offset + length, HEADER_BYTES_MAX),
  )
  return foldedFields(octets)
}

async function bodyOf(call: Call, each: Open): Promise<string> {
  if (each.meta === undefined) return ''
  const { prefixBytes, meta } = each.meta
  const texts: string[] = []
  const visit = async (part: MimePart): Promise<void> => {
    for (const child of part.parts) await visit(child)
    for (const name of partNames(part)) texts.push(foldText(name))
    if (part.message !== undefined) {
      const { offset, length } = part.message.root.header
      const bytes = Math.min(length, HEADER_BYTES_MAX)
      const header = await read(call, each.candidate, prefixBytes + offset, bytes)
      for (const [name, value] of foldedFields(header)) texts.push(`${name}: ${value}`)
      return visit(part.message.root)
    }
    if (!isReadable(part)) return
    const { offset, length } = part.body
    const octets = await read(
      call,
      each.candidate,
      prefixBytes + offset,
      Math.min(length, TEXT_BYTES_MAX),
    )
    const text = decodeText(part, octets)
    for (const reading of bodyReadings(part, text)) texts.push(foldText(reading))
  }
  await visit(meta.root)
  return texts.join('\n')
}

async function read(
  call: Call,
  { view, row }: Candidate,
  offset: number,
  length: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for (let at = 0; at < length;) {
    const { octets } = await call.room.store
      .read({
        ...asked(call),
        mailboxId: view.mailbox.id,
        uid: view.uids[row]! as Uid,
        offset: offset + at,
        length: Math.min(READ_BYTES_MAX, length - at),
      })
      .catch(nothingIfDamaged)
    if (octets === undefined || octets.length === 0) break
    parts.push(octets)
    at += octets.length
  }
  return Buffer.concat(parts)
}

/** A message that is damaged has no text; it costs no other its place among the results. */
function nothingIfDamaged(thrown: unknown): { readonly octets: undefined } {
  if (!isFault(thrown, 'corrupt')) throw thrown
  return { octets: undefined }
}
