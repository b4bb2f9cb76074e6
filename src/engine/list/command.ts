import { baseSubject } from '#codec/mime/base-subject.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import type { MimePart } from '#model/message.ts'

import type { ListMail } from './list-mail.ts'
import { subjectOf } from './list-mail.ts'
import type { ListStore } from './list-store.ts'

/** What a mail to a list can ask for, beside posting. */
export type Command = 'join' | 'leave' | 'help'

/**
 * Each command by the words for it, in any width and case: those of other list managers, and what people
 * would write.
 */
const WORDS: Readonly<Record<Command, readonly string[]>> = {
  join: ['join', 'subscribe', 'sub', '参加', '登録', '入会', '購読'],
  leave: [
    'leave',
    'unsubscribe',
    'unsub',
    'signoff',
    '退会',
    '脱退',
    '解除',
    '登録解除',
    '購読解除',
  ],
  help: ['help', 'info', 'ヘルプ', '使い方', '案内'],
}

let folded: ReadonlyMap<string, Command> | undefined

/** Made with the first mail to a list: to fold the first word costs 15 ms, at each start of each role. */
const commands = (): ReadonlyMap<string, Command> =>
  (folded ??= new Map(
    (Object.keys(WORDS) as Command[]).flatMap((command) =>
      WORDS[command].map((word) => [foldText(word), command] as const),
    ),
  ))

/** Characters of a line that can be a command: whoever writes more writes to people. */
const LINE_LENGTH_MAX = 60
/** Octets of a text in which its first line is looked for. */
const TEXT_BYTES_MAX = 8_192

/** What the mail asks for: its address says it, else its subject, else the first line of its text. */
export async function commandOf(store: ListStore, mail: ListMail): Promise<Command | undefined> {
  const { purpose } = mail.envelope
  if (purpose === 'join' || purpose === 'leave') return purpose
  return readCommand(subjectOf(mail.meta)) ?? readCommand(await firstLine(store, mail))
}

/** A line that is a command and nothing else but what programs and people put around one. */
function readCommand(line: string): Command | undefined {
  if (line.length > LINE_LENGTH_MAX) return undefined
  const words = baseSubject(line)
    .text.replace(/^[\s"'「『【<(]+|[\s"'」』】>).。!！]+$/gu, '')
    .split(/\s+/u)
  // `subscribe seminar`, as older list managers had it: the address has said which list.
  const [first = '', ...more] = words
  return more.length > 1 ? undefined : commands().get(first)
}

/** The first line with something in it; empty where there is none. */
async function firstLine(
  store: ListStore,
  { meta, place, prefixBytes }: ListMail,
): Promise<string> {
  const part = textPart(meta.root)
  if (part === undefined) return ''
  const { offset, length } = part.body
  const octets = await store.read(place, prefixBytes + offset, Math.min(length, TEXT_BYTES_MAX))
  const text = decodeText(part, octets)
  const plain = part.subtype === 'html' ? htmlToText(text) : text
  return plain.split(/\r?\n/).find((line) => line.trim() !== '') ?? ''
}

function textPart(part: MimePart): MimePart | undefined {
  if (part.type === 'text' && part.disposition?.kind !== 'attachment') return part
  for (const each of part.parts) {
    const found = textPart(each)
    if (found !== undefined) return found
  }
  return undefined
}
