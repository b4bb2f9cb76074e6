import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Option } from '#store/settings/option.ts'

const MIB = 1024 * 1024

/** Reception, sending and the queue. */
export const RECEPTION = {
  'dns.servers': {
    type: 'servers',
    default: [],
    port: 53,
    countMax: 8,
    doc: {
      en: 'Resolvers to ask, HOST:PORT each. Empty: those of the operating system.',
      ja: '問い合わせ先のリゾルバー（HOST:PORT）。空なら OS の設定に従います。',
    },
  },
  'dns.timeoutMs': {
    type: 'duration',
    default: 2 * SECOND_MS,
    min: 100,
    max: 30 * SECOND_MS,
    doc: {
      en: 'How long one DNS look-up may take in all; a later answer counts as a temporary error.',
      ja: 'DNS 問い合わせ 1 件にかけてよい時間。過ぎたら一時的なエラーとみなします。',
    },
  },
  'mail.sizeBytesMax': {
    type: 'size',
    default: 50 * MIB,
    min: 64 * 1024,
    max: 2_000 * MIB,
    doc: {
      en: 'The largest message that is taken; announced as SIZE (RFC 1870).',
      ja: '受け取るメールの最大サイズ。SIZE (RFC 1870) として広告します。',
    },
  },
  'smtp.recipientsMax': {
    type: 'integer',
    default: 1_000,
    min: 100,
    max: 100_000,
    doc: {
      en: 'Recipients that one transaction may name (RFC 5321 §4.5.3.1.8 asks for 100 at least).',
      ja: '1 通に指定できる宛先の数（RFC 5321 §4.5.3.1.8 により 100 以上）。',
    },
  },
  'smtp.connectionsMax': {
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 100_000,
    doc: {
      en: 'Connections that each SMTP listener serves at once; one more is answered 421.',
      ja: 'SMTP リスナーごとの同時接続数。超えた接続には 421 を返します。',
    },
  },
  'smtp.commandTimeoutMs': {
    type: 'duration',
    default: 5 * MINUTE_MS,
    min: SECOND_MS,
    max: HOUR_MS,
    doc: {
      en: 'How long a session waits for the next command or line (RFC 5321 §4.5.3.2: 5 minutes).',
      ja: '次のコマンドや行を待つ時間（RFC 5321 §4.5.3.2 は 5 分）。',
    },
  },
  'received.max': {
    type: 'integer',
    default: 100,
    min: 10,
    max: 1_000,
    doc: {
      en: 'Received fields above which a message is taken for a loop and refused (RFC 5321 §6.3).',
      ja: 'Received ヘッダーがこの数を超えるとループとみなして拒否します（RFC 5321 §6.3）。',
    },
  },
  'queue.lifetimeMs': {
    type: 'duration',
    default: 5 * DAY_MS,
    min: MINUTE_MS,
    max: 30 * DAY_MS,
    doc: {
      en: 'How long delivery is tried before the sender gets a failure notice.',
      ja: '配送を試み続ける期間。過ぎると差出人に不達を通知します。',
    },
  },
  'queue.delayNoticeMs': {
    type: 'duration',
    default: 4 * HOUR_MS,
    min: MINUTE_MS,
    max: 30 * DAY_MS,
    doc: {
      en: 'After this time in the queue the sender is told of the delay, once.',
      ja: 'キューに入ってからこの時間が過ぎると、遅延を差出人に一度だけ通知します。',
    },
  },
  'queue.retryMs': {
    type: 'durations',
    default: [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS],
    min: SECOND_MS,
    max: DAY_MS,
    countMax: 50,
    doc: {
      en: 'Waits between attempts, in order; the last one holds for all further attempts.',
      ja: '再送までの待ち時間を順に並べたもの。最後の値はそれ以降も使います。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
