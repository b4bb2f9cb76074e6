import { setImmediate } from 'node:timers/promises'
import type { ToChild, ToParent } from './messages.ts'
import type { PipeEnd } from './pipe.ts'

type CallMessage = ToChild & readonly ['call', ...unknown[]]
type AnswerMessage = ToParent & readonly ['answer', ...unknown[]]

/** Entries of one message: the other end reads it in one piece, and nobody else is served meanwhile. */
const ENTRIES_A_PART = 100
/** Single mails come together in one message, as many as a claim takes. */
const RECIPIENTS_A_MESSAGE = 1_000

/** Where a message may be long: a commit for thousands of accounts, its results, a mail to thousands. */
const longList = (value: unknown, name: 'commits' | 'results'): readonly unknown[] => {
  const list = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  return Array.isArray(list) && list.length > ENTRIES_A_PART ? list : []
}

/** True where the call goes in parts: `sendParts` sends it, with turns for others in between. */
export const isLongCall = ([, , , method, argument]: CallMessage): boolean =>
  method === 'commit' && longList(argument, 'commits').length > 0

export function sendLongCall(pipe: PipeEnd, call: CallMessage): Promise<void> {
  const [kind, id, service, method, argument] = call
  const last: CallMessage = [kind, id, service, method, { ...(argument as object), commits: [] }]
  return sendParts(pipe, { id, entries: longList(argument, 'commits'), last })
}

/** Sends an answer, in parts where it is long. */
export async function sendAnswer(pipe: PipeEnd, answer: AnswerMessage): Promise<void> {
  const [kind, id, value] = answer
  const results = longList(value, 'results')
  const mails = results.length > 0 ? undefined : longMails(value)
  if (mails !== undefined)
    await sendParts(pipe, { id, entries: mails.recipients, last: [kind, id, mails.rest] })
  else if (results.length === 0) pipe.send(answer)
  else
    await sendParts(pipe, {
      id,
      entries: results,
      last: [kind, id, { ...(value as object), results: [] }],
    })
}

interface Mail {
  readonly recipients: readonly unknown[]
}
/** Of each mail, how many of the recipients that came before are its own. */
interface ApartMails {
  readonly messages: readonly object[]
  readonly recipientCounts: readonly number[]
}

/** The recipients of queued mails apart from them, where they are many. */
function longMails(
  value: unknown,
): { readonly recipients: readonly unknown[]; readonly rest: ApartMails } | undefined {
  const { messages } = (value ?? {}) as { readonly messages?: readonly Partial<Mail>[] }
  if (!Array.isArray(messages) || !messages.every(isMail)) return undefined
  const counts = messages.map(({ recipients }) => recipients.length)
  if (counts.reduce((sum, count) => sum + count, 0) <= RECIPIENTS_A_MESSAGE) return undefined
  return {
    recipients: messages.flatMap(({ recipients }) => recipients),
    rest: {
      ...(value as object),
      messages: messages.map((mail) => ({ ...mail, recipients: [] })),
      recipientCounts: counts,
    },
  }
}

const isApart = (value: unknown): value is ApartMails =>
  typeof value === 'object' && value !== null && 'recipientCounts' in value

const isMail = (mail: Partial<Mail>): mail is Mail => Array.isArray(mail.recipients)

/** With the recipients where they belong. */
function withRecipients(value: ApartMails, recipients: readonly unknown[]): unknown {
  const { recipientCounts, ...rest } = value
  let at = 0
  const messages = value.messages.map((mail, index) => ({
    ...mail,
    recipients: recipients.slice(at, (at += recipientCounts[index]!)),
  }))
  return { ...rest, messages }
}

async function sendParts(
  pipe: PipeEnd,
  parts: {
    readonly id: number
    readonly entries: readonly unknown[]
    readonly last: ToChild | ToParent
  },
): Promise<void> {
  for (let at = 0; at < parts.entries.length; at += ENTRIES_A_PART) {
    pipe.send(['part', parts.id, parts.entries.slice(at, at + ENTRIES_A_PART)])
    await setImmediate()
  }
  pipe.send(parts.last)
}

/** Puts together what came in parts, at either end. */
export class LongMessages {
  readonly #parts = new Map<number, unknown[]>()

  add(id: number, entries: readonly unknown[]): void {
    const parts = this.#parts.get(id)
    if (parts === undefined) this.#parts.set(id, [...entries])
    else for (const entry of entries) parts.push(entry)
  }

  /** The argument or value of this id as it was. */
  whole(id: number, value: unknown, name: 'commits' | 'results'): unknown {
    const entries = this.#parts.get(id)
    if (entries === undefined) return value
    this.#parts.delete(id)
    if (name === 'results' && isApart(value)) return withRecipients(value, entries)
    return { ...(value as object), [name]: entries }
  }

  /** The other end is gone. */
  clear(): void {
    this.#parts.clear()
  }
}
