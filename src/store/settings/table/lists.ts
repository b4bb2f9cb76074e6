import type { Option } from '#store/settings/option.ts'

/** Mailing lists, and where their pages are found. */
export const LISTS = {
  'list.historyDays': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 36_500,
    doc: {
      en: 'Who was in a mailing list, or kept out of it, is known for so many days after the end of that; then it is forgotten, and who asks for an earlier day is told from when on it is known. 0: it is known for good.',
      ja: 'メーリングリストの過去の参加者（および除外）を、終了後に記録しておく日数。過ぎると記録を消し、それより前の日の参加者を尋ねると、いつからの記録が残っているかを示す。0 なら消さない。',
    },
  },
  'web.publicUrl': {
    type: 'origin',
    default: '',
    doc: {
      en: 'Where people elsewhere reach the web pages, such as https://mail.campus.example. Posts of mailing lists then have members elsewhere leave by one click (RFC 8058). IMAP tells programs where JMAP is (RFC 9698). Empty: posts name an address to leave by mail alone.',
      ja: '外部からウェブページに届く URL（例: https://mail.campus.example）。設定すると、メーリングリストの投稿に、外部の参加者がワンクリックで退会できる URL（RFC 8058）が付く。IMAP では JMAP の URL も知らせる（RFC 9698）。空なら、退会用のメールアドレスだけを付ける。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
