/** What a session says to people; what programs read (codes, numbers, verbs) is the same in each language. */
export interface Pop3Words {
  readonly capabilities: string
  readonly sendPassword: string
  readonly expectedUser: string
  readonly userFirst: string
  readonly tlsOnly: string
  readonly wrongLogin: string
  readonly loginsUnavailable: string
  readonly inUse: string
  readonly unknownMechanism: string
  readonly mechanismNotOffered: string
  /** What SASL found wrong is told in English alone: it is for who writes the program. */
  malformed(found: string): string
  readonly noResponse: string
  readonly otherUser: string
  readonly beginTls: string
  readonly tlsActive: string
  readonly tlsUnavailable: string
  readonly utf8: string
  readonly language: string
  readonly languages: string
  readonly unknownLanguage: string
  messages(count: number): string
  octets(count: number): string
  readonly noSuchMessage: string
  readonly expectedLines: string
  readonly deleted: string
  readonly nothingDeleted: string
  readonly done: string
  readonly bye: string
  readonly notRemoved: string
  readonly messageGone: string
  readonly messageDamaged: string
  readonly storageAway: string
  readonly internalError: string
  readonly lineTooLong: string
  readonly unknownCommand: string
  notAllowedNow(verb: string): string
}

export const ENGLISH: Pop3Words = {
  capabilities: 'Capabilities',
  sendPassword: 'Send the password',
  expectedUser: 'Expected a user name',
  userFirst: 'USER comes first',
  tlsOnly: 'Passwords are taken inside TLS only; use STLS or port 995',
  wrongLogin: 'Wrong user name or password',
  loginsUnavailable: 'Logins cannot be checked for now; try again later',
  inUse: 'Another session has this mailbox open',
  unknownMechanism: 'Unknown mechanism',
  mechanismNotOffered: 'This mechanism is not offered',
  malformed: (found) => found,
  noResponse: 'No response',
  otherUser: 'Log in as yourself',
  beginTls: 'Begin TLS negotiation',
  tlsActive: 'TLS is active already',
  tlsUnavailable: 'TLS is not available',
  utf8: 'UTF-8 is on',
  language: 'From here on in English',
  languages: 'Languages',
  unknownLanguage: 'Unknown language; LANG lists those that there are',
  messages: (count) => `${count} messages`,
  octets: (count) => `${count} octets`,
  noSuchMessage: 'No such message',
  expectedLines: 'Expected a number of lines',
  deleted: 'Deleted',
  nothingDeleted: 'Nothing is deleted',
  done: 'Done',
  bye: 'Bye',
  notRemoved: 'Some deleted messages were not removed',
  messageGone: 'The message is gone',
  messageDamaged: 'The message is damaged',
  storageAway: 'Storage does not answer for now',
  internalError: 'Internal error',
  lineTooLong: 'Line too long',
  unknownCommand: 'Unknown command',
  notAllowedNow: (verb) => `${verb} is not allowed now`,
}

const JAPANESE: Pop3Words = {
  capabilities: '使える機能',
  sendPassword: 'パスワードを送ってください',
  expectedUser: 'ユーザー名がありません',
  userFirst: '先に USER を送ってください',
  tlsOnly: 'パスワードは TLS でのみ受け付けます。STLS または 995 番ポートを使ってください',
  wrongLogin: 'ユーザー名またはパスワードが違います',
  loginsUnavailable: '現在ログインを確認できません。しばらくしてからやり直してください',
  inUse: 'ほかの接続がこのメールボックスを使っています',
  unknownMechanism: '知らない認証方式です',
  mechanismNotOffered: 'この認証方式は使えません',
  malformed: (found) => `認証方式に合わない応答です (${found})`,
  noResponse: '応答がありません',
  otherUser: '自分のユーザー名でログインしてください',
  beginTls: 'TLS を始めてください',
  tlsActive: 'すでに TLS を使っています',
  tlsUnavailable: 'TLS は使えません',
  utf8: 'UTF-8 を使います',
  language: 'これからは日本語で応答します',
  languages: '使える言語',
  unknownLanguage: '知らない言語です。LANG で一覧を表示します',
  messages: (count) => `${count} 通`,
  octets: (count) => `${count} オクテット`,
  noSuchMessage: 'その番号のメールはありません',
  expectedLines: '行数がありません',
  deleted: '削除します',
  nothingDeleted: '削除を取り消しました',
  done: '完了しました',
  bye: '終了します',
  notRemoved: '一部のメールを削除できませんでした',
  messageGone: 'そのメールはもうありません',
  messageDamaged: 'そのメールは壊れています',
  storageAway: '現在メールの保存場所が応答しません',
  internalError: '内部エラーです',
  lineTooLong: '行が長すぎます',
  unknownCommand: '知らないコマンドです',
  notAllowedNow: (verb) => `${verb} は今は使えません`,
}

export interface Pop3Language {
  readonly tag: string
  /** In the language itself (RFC 6856 §3.2). */
  readonly name: string
  readonly words: Pop3Words
}

/** The first is what `*` asks for; i-default must be there (RFC 6856 §3.2). */
export const LANGUAGES: readonly Pop3Language[] = [
  { tag: 'en', name: 'English', words: ENGLISH },
  { tag: 'ja', name: '日本語', words: JAPANESE },
  { tag: 'i-default', name: 'Default language (English)', words: ENGLISH },
]

/** The language of a range, made shorter until one fits (RFC 4647 §3.4): `ja-JP` finds `ja`. */
export function languageOf(range: string): Pop3Language | undefined {
  if (range === '*') return LANGUAGES[0]
  for (let left = range.toLowerCase(); left !== ''; left = left.replace(/-?[^-]*$/, '')) {
    const found = LANGUAGES.find(({ tag }) => tag === left)
    if (found !== undefined) return found
  }
  return undefined
}
