import { setImmediate } from 'node:timers/promises'
import type { ToChild, ToParent } from './messages.ts'
import type { PipeEnd } from './pipe.ts'

type CallMessage = ToChild & readonly ['call', ...unknown[]]
type AnswerMessage = ToParent & readonly ['answer', ...unknown[]]

/** Entries of one message: the other end reads it in one piece, and nobody else is served meanwhile. */
const ENTRIES_A_PART = 100

/** Where a message may be long: a commit for thousands of accounts, and its results. */
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
  const entries = longList(value, 'results')
  if (entries.length === 0) return pipe.send(answer)
  await sendParts(pipe, { id, entries, last: [kind, id, { ...(value as object), results: [] }] })
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
    return { ...(value as object), [name]: entries }
  }

  /** The other end is gone. */
  clear(): void {
    this.#parts.clear()
  }
}
