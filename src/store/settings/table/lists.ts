import type { Option } from '#store/settings/option.ts'

/** Mailing lists, and where their pages are found. */
export const LISTS = {
  'web.publicUrl': {
    type: 'origin',
    default: '',
    doc: {
      en: 'Where people elsewhere reach the web pages, such as https://mail.campus.example. Posts of mailing lists then have members elsewhere leave by one click (RFC 8058). IMAP tells programs where JMAP is (RFC 9698). Empty: posts name an address to leave by mail alone.',
      ja: '外部からウェブページに届く URL（例: https://mail.campus.example）。設定すると、メーリングリストの投稿に、外部の参加者がワンクリックで退会できる URL（RFC 8058）が付く。IMAP では JMAP の URL も知らせる（RFC 9698）。空なら、退会用のメールアドレスだけを付ける。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
