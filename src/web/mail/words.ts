import type { Words } from '#web/parts/language.ts'

export const EN: Words = {
  coming:
    'The webmail is still being made. Until then, please read your mail with any mail program by IMAP.',
  console: 'To the administrators’ console',
}

export const JA: Words = {
  coming:
    'ウェブメールは準備中です。それまでは、お使いのメールソフト (IMAP) でお読みいただけます。',
  console: '管理画面を開く',
}
