import type { Option } from '#store/settings/option.ts'

/** Octets of a script of the administrator's: it goes to each node with every generation. */
const SCRIPT_BYTES_MAX = 64 * 1024

/** Scripts of the administrator, and limits of all. */
export const SIEVE = {
  'sieve.before': {
    type: 'script',
    default: '',
    bytesMax: SCRIPT_BYTES_MAX,
    doc: {
      en: 'A Sieve script that runs on each mail before all others: those that file junk by its class, of what people have chosen, and their own. They see what it keeps; what it files, redirects, rejects or discards is done with.',
      ja: 'すべてのメールについて、ほかのスクリプト（迷惑メールの振り分け、利用者の設定、利用者自身のスクリプト）より先に実行する Sieve スクリプト。keep したものだけが後のスクリプトに渡り、振り分け・転送・拒否・破棄したものはそこで終わります。',
    },
  },
  'sieve.after': {
    type: 'script',
    default: '',
    bytesMax: SCRIPT_BYTES_MAX,
    doc: {
      en: 'A Sieve script that runs on each mail that all others have kept in the inbox.',
      ja: 'ほかのスクリプトがすべて受信トレイに残したメールについて、最後に実行する Sieve スクリプト。',
    },
  },
  'sieve.redirectsMax': {
    type: 'integer',
    default: 5,
    min: 0,
    max: 100,
    doc: {
      en: 'Addresses that a script may redirect one mail to; a script that wants more stops short, and the mail is kept.',
      ja: 'スクリプトが 1 通のメールを転送できる宛先の数。超えるとスクリプトは止まり、メールは受信トレイに残ります。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
