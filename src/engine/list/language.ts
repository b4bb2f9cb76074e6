import type { Account } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'

import { subjectOf } from './list-mail.ts'
import type { ListMail } from './list-mail.ts'

const KANA_OR_KANJI = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u

/** In which language somebody is answered first: by what is known of them, else by what they wrote, else as the list speaks. */
export function languageOf(
  list: MailingList,
  account: Account | undefined,
  mail: ListMail,
): MailingList['language'] {
  const known = account?.profile?.language?.toLowerCase() ?? ''
  if (/^ja\b/.test(known)) return 'ja'
  if (/^en\b/.test(known)) return 'en'
  const written = `${subjectOf(mail.meta)} ${mail.meta.preview}`
  if (KANA_OR_KANJI.test(written)) return 'ja'
  // An empty mail to `-join` says nothing; a word of a command is no sign of a language.
  return list.language
}
