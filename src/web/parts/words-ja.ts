import type { Words } from './words.ts'

export const JA: Words = {
  loading: '読み込んでいます…',
  close: '閉じる',
  undo: '元に戻す',
  'look.scheme': '画面の明るさ',
  'look.auto': '自動',
  'look.light': '明るい',
  'look.dark': '暗い',
  'meter.title': '容量',
  'meter.octets': '{{limit}} のうち {{used}} を使用',
  'meter.mails': '{{limit}} 通のうち {{used}} 通',
  'meter.near': '残りわずか',
  'meter.full': '満杯',
  'login.title': 'ログイン',
  'login.username': 'ユーザー名またはメールアドレス',
  'login.password': 'パスワード',
  'login.show': 'パスワードを表示',
  'login.enter': 'ログイン',
  'login.wrong': 'ユーザー名またはパスワードが違います。',
  'login.slowed': 'パスワードの間違いが続きました。数分後にもう一度お試しください。',
}
