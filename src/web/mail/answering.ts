import type { Language } from '#web/parts/times.ts'
import { dateText } from '#web/parts/times.ts'

import { personText } from './nouns.ts'
import type { Message, Person } from './nouns.ts'

/** What a letter begins with, as it is typed. */
export interface Letter {
  readonly to: string
  readonly cc: string
  readonly subject: string
  readonly text: string
  /** The email that is answered. */
  readonly answers?: {
    readonly id: string
    readonly messageId: readonly string[]
    readonly references: readonly string[]
  }
}

export const EMPTY_LETTER: Letter = { to: '', cc: '', subject: '', text: '' }

/** The letter that answers a message; nobody of `own` is written to. */
export function answerTo(
  message: Message,
  text: string,
  ask: {
    readonly toAll: boolean
    readonly own: readonly string[]
    readonly language: Language
    readonly said: (values: { readonly name: string; readonly date: string }) => string
  },
): Letter {
  const own = new Set(ask.own.map((each) => each.toLowerCase()))
  const others = (list: readonly Person[] | null): readonly Person[] =>
    (list ?? []).filter(({ email }) => !own.has(email.toLowerCase()))
  const sender = message.replyTo?.length ? message.replyTo : (message.from ?? [])
  // Who answers mail of one's own goes on writing to those that it went to.
  const isOwn = sender.length > 0 && others(sender).length === 0
  const to = isOwn ? (message.to ?? []) : sender
  const known = new Set(to.map(({ email }) => email.toLowerCase()))
  const more = ask.toAll
    ? [...(isOwn ? [] : others(message.to)), ...others(message.cc)].filter(
        ({ email }) => !known.has(email.toLowerCase()),
      )
    : []
  const [author] = message.from ?? []
  const said = ask.said({
    name: author === undefined ? '' : personText(author),
    date: dateText(ask.language, message.sentAt ?? message.receivedAt),
  })
  const messageId = message.messageId ?? []
  return {
    to: peopleText(to),
    cc: peopleText(more),
    subject: answerSubject(message.subject ?? ''),
    text: `\n\n${said}\n${quoted(text)}`,
    answers: {
      id: message.id,
      messageId,
      references: [...(message.references ?? message.inReplyTo ?? []), ...messageId],
    },
  }
}

export const peopleText = (list: readonly Person[]): string => list.map(personText).join(', ')

/** `Re:` once, whatever stood there: `RE: Re: ` and `Re[2]:` too. */
export const answerSubject = (subject: string): string =>
  `Re: ${subject.replace(/^(?:\s*re(?:\[\d+\])?\s*[:：])+\s*/i, '')}`

const quoted = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('>') ? `>${line}` : line === '' ? '>' : `> ${line}`))
    .join('\n')

/** The people of a line `渡辺 <a@b.example>, c@d.example`, and what in it is none. */
export function readPeople(line: string): {
  readonly people: readonly Person[]
  readonly strange: readonly string[]
} {
  const people: Person[] = []
  const strange: string[] = []
  for (const [piece] of line.matchAll(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,;、，"<])+/g)) {
    const text = piece.trim()
    if (text === '') continue
    const match = /^(?:(.*?)\s*<([^<>]*)>|(\S+))$/su.exec(text)
    const email = (match?.[2] ?? match?.[3] ?? '').trim().normalize('NFKC')
    const name = (match?.[1] ?? '').replace(/^"(.*)"$/su, '$1').replace(/\\(.)/gsu, '$1')
    if (/^[^\s@<>,;"]+@[^\s@<>,;"]+$|^"[^"]+"@[^\s@]+$/.test(email))
      people.push({ name: name === '' ? null : name, email })
    else strange.push(text)
  }
  return { people, strange }
}
