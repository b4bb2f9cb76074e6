import { DAY_MS } from '#base/time.ts'
import { MAILBOXES_PER_ACCOUNT_MAX } from '#model/mailbox.ts'
import type { Option } from '#store/settings/option.ts'

const MIB = 1024 * 1024

/** Mailboxes: what is kept, and how much. */
export const MAILBOX = {
  'mailbox.undeleteMs': {
    type: 'duration',
    default: 14 * DAY_MS,
    min: DAY_MS,
    max: 400 * DAY_MS,
    doc: {
      en: 'How long what was expunged or has expired can be brought back; it takes room until then.',
      ja: '削除されたメールや保存期間が過ぎたメールを元に戻せる期間。その間はディスクを使います。',
    },
  },
  'mailbox.expiryPerRunMax': {
    type: 'integer',
    default: 100_000,
    min: 1_000,
    max: 10_000_000,
    doc: {
      en: 'Messages whose days are over that one run deletes at most; runs come every three hours.',
      ja: '保存期間が過ぎたメールを 1 回の処理で削除する上限。処理は 3 時間ごとに行います。',
    },
  },
  'mailbox.quotaBytes': {
    type: 'size',
    default: 0,
    min: 0,
    max: 1024 * 1024 * 1024 * MIB,
    doc: {
      en: 'What an account may hold where neither it nor its domain has a limit of its own; 0: no limit. What was expunged does not count.',
      ja: 'アカウントにもドメインにも指定がないときの、1 アカウントの容量の上限。0 なら無制限。削除済みのメールは数えません。',
    },
  },
  'mailbox.quotaMessages': {
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    doc: {
      en: 'Messages that an account may hold, likewise; 0: no limit.',
      ja: '同じく、1 アカウントに保存できるメールの通数の上限。0 なら無制限。',
    },
  },
  'mailbox.mailboxesMax': {
    type: 'integer',
    default: 0,
    min: 0,
    max: MAILBOXES_PER_ACCOUNT_MAX,
    doc: {
      en: 'Mailboxes that an account may have; 0: no limit but the 10,000 that it can have. Those that it has stay, and mail that a script files into a new one is filed.',
      ja: '1 アカウントに作れるメールボックスの数の上限。0 なら上限の 10,000 まで。すでにあるものは残り、振り分けで新しく作られるものは制限しません。',
    },
  },
  'mailbox.quotaWarnPercent': {
    type: 'integer',
    default: 90,
    min: 20,
    max: 99,
    doc: {
      en: 'From this share of its limit on an account is warned by a mail, once until it has fallen ten percent points below.',
      ja: '上限のこの割合に達したアカウントにメールで知らせます。10 ポイント下がるまでは一度だけです。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
