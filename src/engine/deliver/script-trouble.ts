import { createHash } from 'node:crypto'
import type { Octets } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import { postmasterMail } from '#codec/mime/postmaster-mail.ts'
import type { Address } from '#model/address.ts'
import type { Memory } from '#store/mailbox/commit.ts'

import type { MailOwner } from './mail-owner.ts'

/**
 * Whose script: the administrator's that run before and after all others, that of the choices, the person's
 * own; or one that a mailbox has for what happens in it (RFC 6785).
 */
export type ScriptPlace = 'before' | 'choices' | 'own' | 'after' | 'mailbox'

/** What went wrong with a script: then the mail is kept (RFC 5228 §2.10.6), and its owner told. */
export interface ScriptTrouble {
  readonly place: ScriptPlace
  readonly line?: number | undefined
  readonly message: string
}

/** A script's owner hears of it once in so long. */
const TOLD_EVERY_MS = DAY_MS

export const troubleMemory = ({ place }: ScriptTrouble, nowMs: number): Memory => ({
  key: `trouble:${place}`,
  untilMs: nowMs + TOLD_EVERY_MS,
})

export const isTrouble = (key: string): boolean => key.startsWith('trouble:')

const WHICH: Readonly<Record<ScriptPlace, { readonly ja: string; readonly en: string }>> = {
  before: {
    ja: '管理者のスクリプト（利用者のスクリプトの前に動くもの）',
    en: 'the administrator’s script that runs before yours',
  },
  choices: { ja: '設定画面での振り分けの設定', en: 'what was chosen at the settings page' },
  own: { ja: 'あなたの振り分けスクリプト', en: 'your filter script' },
  after: {
    ja: '管理者のスクリプト（利用者のスクリプトの後に動くもの）',
    en: 'the administrator’s script that runs after yours',
  },
  mailbox: { ja: 'メールボックスに付けたスクリプト', en: 'the script of a mailbox' },
}

const SUBJECT = {
  ja: '振り分けスクリプトが途中で止まりました',
  en: 'A filter script has stopped short',
} as const

/** Characters of what went wrong: it may quote the script, and that the mail. */
const MESSAGE_LENGTH_MAX = 500

/** The mail that tells it: in the owner's language where it is known, else in both. */
export function troubleMail(mail: {
  readonly trouble: ScriptTrouble
  readonly to: Address
  readonly owner: MailOwner
  readonly id: string
  readonly nowMs: number
}): Octets {
  const { trouble, to, owner, id, nowMs } = mail
  const languages = languagesOf(owner.language)
  const subjects = languages.map((language) => SUBJECT[language])
  return postmasterMail({
    to,
    subject: subjects.length === 1 ? subjects[0]! : `${subjects[0]} (${subjects[1]})`,
    text: languages.map((language) => textIn(language, trouble)).join('\n'),
    id: createHash('sha256').update(`trouble ${trouble.place} ${id}`).digest('hex').slice(0, 32),
    nowMs,
  })
}

type Language = keyof typeof SUBJECT

const languagesOf = (language: string | undefined): readonly Language[] => {
  if (language === undefined) return ['ja', 'en']
  return /^ja\b/i.test(language) ? ['ja'] : ['en']
}

const KEPT: Readonly<Record<'delivered' | 'stands', { readonly ja: string; readonly en: string }>> =
  {
    delivered: {
      ja: 'メールは失われていません。受信トレイに入っています。',
      en: 'No mail is lost: it lies in your inbox.',
    },
    stands: {
      ja: 'メールは失われていません。元の場所にあります。',
      en: 'No mail is lost: it lies where it was.',
    },
  }

function textIn(language: Language, { place, line, message }: ScriptTrouble): string {
  const which = WHICH[place][language]
  const kept = KEPT[place === 'mailbox' ? 'stands' : 'delivered']
  const isOwn = place === 'own' || place === 'mailbox'
  const what = message.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, MESSAGE_LENGTH_MAX)
  return language === 'ja'
    ? [
        `${which}が${line === undefined ? '' : `${line}行目で`}止まりました。`,
        kept.ja,
        '',
        what,
        '',
        isOwn ? 'スクリプトを直してください。' : '管理者に知らせてください。',
        '同じスクリプトについては、一日に一度だけお知らせします。',
        '',
      ].join('\n')
    : [
        `${which[0]!.toUpperCase()}${which.slice(1)} has stopped${line === undefined ? '' : ` at line ${line}`}.`,
        kept.en,
        '',
        what,
        '',
        isOwn ? 'Please correct the script.' : 'Please tell your administrator.',
        'You are told once a day at most about the same script.',
        '',
      ].join('\n')
}
