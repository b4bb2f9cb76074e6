import { DAY_MS } from '#base/time.ts'
import type { EmailId } from '#model/mailbox.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { CONTENT_PROPERTIES, EMAIL_ASK_ARGS, emailAsk, shapeEmail } from './email-shape.ts'
import type { EmailAsk } from './email-shape.ts'
import { loadEmails, loadMetas } from './emails.ts'
import type { Email } from './emails.ts'
import { utcDate } from './header-forms.ts'
import { idsToGet } from '#server/jmap/method/ids.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import { MAIL, RETENTION, asked } from '#server/jmap/room.ts'
import type { Answer, Call, Method } from '#server/jmap/room.ts'
import { emailBlobId, findBlob, isMessage, memorySource, readBlob, storedSource } from './source.ts'
import { emailState } from '#server/jmap/method/states.ts'

/** What the store knows of an email without its content. */
const ROW_PROPERTIES: Readonly<Record<string, (email: Email) => unknown>> = {
  id: ({ emailId }) => emailId,
  blobId: ({ emailId }) => emailBlobId(emailId),
  threadId: ({ threadId }) => threadId,
  mailboxIds: ({ mailboxIds }) => trueFor(mailboxIds),
  keywords: ({ keywords }) => trueFor(keywords),
  size: ({ places }) => places[0]!.sizeBytes,
  receivedAt: ({ places }) =>
    utcDate(Math.min(...places.map(({ internalDateMs }) => internalDateMs))),
}

const trueFor = (names: ReadonlySet<string>): Record<string, true> =>
  Object.fromEntries([...names].map((name) => [name, true]))

/** RFC 8621 §4.2. */
const CONTENT_DEFAULT = CONTENT_PROPERTIES.filter(
  (name) => name !== 'headers' && name !== 'bodyStructure',
)
const KNOWN = Object.keys(ROW_PROPERTIES)

export const emailGet: Method = {
  name: 'Email/get',
  capability: MAIL,
  args: ['ids', ...EMAIL_ASK_ARGS],
  async run(call, args): Promise<Answer> {
    const known = call.using.includes(RETENTION) ? [...KNOWN, 'expiresAt'] : KNOWN
    const ask = emailAsk(args, known, [...KNOWN, ...CONTENT_DEFAULT], budgetOf(call))
    const ids = idsToGet(call, args)
    if (ids === undefined)
      throw new MethodError('requestTooLarge', 'An account has many emails: name ids')
    const { state, emails } = await loadEmails(call, ids)
    const found = emails.filter((email) => email !== undefined)
    const list = await describeAll(call, found, ask)
    if (ask.properties.has('expiresAt')) await addExpiry(call, found, list)
    const there = new Set(list.map(({ id }) => id))
    return { state: emailState(state), list, notFound: ids.filter((id) => !there.has(id)) }
  },
}

/** When the last copy goes by its mailbox's days; null where one stays. */
async function addExpiry(
  call: Call,
  emails: readonly Email[],
  list: readonly Record<string, unknown>[],
): Promise<void> {
  const { mailboxes } = await call.room.store.mailboxes(asked(call))
  const byId = new Map(mailboxes.map((row) => [row.id, row]))
  const expiry = new Map(
    emails.map(({ emailId, places }) => {
      const ends = places.map(({ mailboxId, savedAtMs }) => {
        const { retainDays, retainFromMs = 0 } = byId.get(mailboxId) ?? {}
        return retainDays === undefined
          ? undefined
          : Math.max(savedAtMs, retainFromMs) + retainDays * DAY_MS
      })
      return [emailId, ends.every((end) => end !== undefined) ? Math.max(...ends) : undefined]
    }),
  )
  for (const each of list) {
    const endMs = expiry.get(each['id'] as EmailId)
    each['expiresAt'] = endMs === undefined ? null : utcDate(endMs)
  }
}

const budgetOf = (call: Call): number => call.room.limits.bodyValueBytesMax

/** Messages whose contents are read side by side. */
const AT_ONCE = 8

async function describeAll(
  call: Call,
  emails: readonly Email[],
  ask: EmailAsk,
): Promise<Record<string, unknown>[]> {
  const needsContent = [...ask.properties].some(
    (name) => !Object.hasOwn(ROW_PROPERTIES, name) && name !== 'expiresAt',
  )
  if (!needsContent) return emails.map((email) => describeRow(email, ask.properties))
  const shown = new Map<EmailId, Record<string, unknown>>()
  for (let open = emails; open.length > 0;) {
    const { metas, later } = await loadMetas(call, open)
    const loaded = open.values()
    const work = async (): Promise<void> => {
      for (const email of loaded) {
        const stored = metas.get(email.emailId)
        if (stored === undefined) continue // its turn comes later, or it is gone
        const content = await shapeEmail(storedSource(call, email, stored), ask)
        shown.set(email.emailId, { ...describeRow(email, ask.properties), ...content })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    open = later
  }
  return emails.map(({ emailId }) => shown.get(emailId)).filter((each) => each !== undefined)
}

function describeRow(email: Email, properties: ReadonlySet<string>): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(ROW_PROPERTIES))
    if (name === 'id' || properties.has(name)) shown[name] = value(email)
  return shown
}

/** Messages that one Email/parse takes apart. */
const PARSED_MAX = 20
const PARSED_BYTES_MAX = 32 * 1024 * 1024

/** RFC 8621 §4.9. */
export const emailParse: Method = {
  name: 'Email/parse',
  capability: MAIL,
  args: ['blobIds', ...EMAIL_ASK_ARGS],
  async run(call, args: Args): Promise<Answer> {
    const ask = emailAsk(args, KNOWN, CONTENT_DEFAULT, budgetOf(call))
    const ids = idsToGet(call, args, 'blobIds')
    if (ids === undefined) throw invalidArguments('blobIds is missing')
    const parsed: [string, Record<string, unknown>][] = []
    const notParsable: string[] = []
    const notFound: string[] = []
    let bytesLeft = PARSED_BYTES_MAX
    for (const id of new Set(ids)) {
      const blob = await findBlob(call, id)
      if (blob === undefined) notFound.push(id)
      else if (parsed.length >= PARSED_MAX || (bytesLeft -= blob.length) < 0) notParsable.push(id)
      else {
        const octets = await readBlob(blob)
        // What a message calls a message is shown as one, however it begins.
        if (!blob.type.startsWith('message/') && !isMessage(octets)) {
          notParsable.push(id)
          continue
        }
        const source = memorySource(id, octets)
        const shown: Record<string, unknown> = await shapeEmail(source, ask)
        if (ask.properties.has('blobId')) shown['blobId'] = id
        if (ask.properties.has('size')) shown['size'] = source.sizeBytes
        for (const name of ['id', 'threadId', 'mailboxIds', 'keywords', 'receivedAt'])
          if (ask.properties.has(name)) shown[name] = null
        parsed.push([id, shown])
      }
    }
    return {
      parsed: parsed.length === 0 ? null : Object.fromEntries(parsed),
      notParsable: notParsable.length === 0 ? null : notParsable,
      notFound: notFound.length === 0 ? null : notFound,
    }
  },
}
