import type { ChoicesBody } from '#contract/admin/choices.ts'

export type Filter = ChoicesBody['filters'][number]
type Condition = Filter['conditions'][number]

/** What of a mail filters look at. */
export interface TriedMail {
  readonly subject: string
  readonly from: readonly Mailbox[]
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly list: string
}
interface Mailbox {
  readonly name: string | null
  readonly email: string
}

/** Whether a filter holds for a mail, as the script that is made of it says: a look ahead, with no delivery. */
export function holds({ match, conditions }: Filter, mail: TriedMail): boolean {
  const each = (condition: Condition): boolean => met(condition, mail) !== (condition.not === true)
  return match === 'all' ? conditions.every(each) : conditions.some(each)
}

function met({ field, is, value }: Condition, mail: TriedMail): boolean {
  const wanted = folded(value.trim())
  if (field === 'subject') return compared(folded(mail.subject), is, wanted)
  if (field === 'list') return folded(mail.list).includes(is === 'equals' ? `<${wanted}>` : wanted)
  const boxes = field === 'recipient' ? [...mail.to, ...mail.cc] : mail[field]
  return boxes.some(({ name, email }) =>
    is === 'equals'
      ? folded(email) === wanted
      : folded(`${name ?? ''} <${email}>`).includes(wanted),
  )
}

const compared = (text: string, is: Condition['is'], wanted: string): boolean =>
  is === 'equals' ? text === wanted : text.includes(wanted)

/** ASCII case does not count (RFC 4790 §9.2). */
const folded = (text: string): string =>
  text.normalize('NFC').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
