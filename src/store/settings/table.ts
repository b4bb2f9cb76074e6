import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { NetworkSet } from './network-set.ts'

/** What every option says to the reader of the manual. */
interface Doc {
  readonly en: string
  readonly ja: string
}

interface Bounded {
  readonly default: number
  readonly min: number
  readonly max: number
  readonly doc: Doc
}

interface OptionTypes {
  readonly integer: Bounded
  readonly number: Bounded
  /** Milliseconds; written `5d`, `4h`, `90s`, `250ms` as well. */
  readonly duration: Bounded
  /** Octets; written `50MiB` as well. */
  readonly size: Bounded
  readonly boolean: { readonly default: boolean; readonly doc: Doc }
  /** Durations in order. */
  readonly durations: {
    readonly default: readonly number[]
    readonly min: number
    readonly max: number
    readonly countMax: number
    readonly doc: Doc
  }
  /** `HOST:PORT`, `[IPV6]:PORT`; the port may be left out. */
  readonly servers: {
    readonly default: readonly string[]
    readonly port: number
    readonly countMax: number
    readonly doc: Doc
  }
  /** Networks of IPv4 and IPv6, as many as it takes: kept apart from the generation, by hash. */
  readonly networks: { readonly default: readonly string[]; readonly doc: Doc }
  readonly action: { readonly default: PolicyAction; readonly doc: Doc }
}

interface Values {
  readonly integer: number
  readonly number: number
  readonly duration: number
  readonly size: number
  readonly boolean: boolean
  readonly durations: readonly number[]
  readonly servers: readonly string[]
  readonly networks: NetworkSet
  readonly action: PolicyAction
}

/** What policy may do with a message of a class. */
export type PolicyAction = 'accept' | 'reject' | 'defer' | 'hold' | 'discard'
export const POLICY_ACTIONS: readonly PolicyAction[] = [
  'accept',
  'reject',
  'defer',
  'hold',
  'discard',
]

export type OptionType = keyof OptionTypes
export type Option<T extends OptionType = OptionType> = {
  readonly [K in T]: { readonly type: K } & OptionTypes[K]
}[T]

const MIB = 1024 * 1024

/** The one table of settings: validator, manual and command line are made from it. */
export const SETTINGS = {
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
  'judge.enabled': {
    type: 'boolean',
    default: true,
    doc: {
      en: 'Judge mail for spam and viruses. Off only for benchmarks and tests.',
      ja: '迷惑メールとウイルスの判定を行います。切るのは測定と試験のときだけにしてください。',
    },
  },
  'judge.timeoutMs': {
    type: 'duration',
    default: 20 * SECOND_MS,
    min: 100,
    max: 5 * MINUTE_MS,
    doc: {
      en: 'How long one message may be judged; a message that takes longer is unscannable.',
      ja: '1 通の判定にかけてよい時間。過ぎたメールは検査不能として扱います。',
    },
  },
  'spam.suspectedScore': {
    type: 'number',
    default: 5,
    min: -100,
    max: 1_000,
    doc: {
      en: 'From this score on a message is suspected spam.',
      ja: 'この点数以上を「迷惑メールの疑い」とします。',
    },
  },
  'spam.spamScore': {
    type: 'number',
    default: 10,
    min: -100,
    max: 1_000,
    doc: {
      en: 'From this score on a message is spam; not below spam.suspectedScore.',
      ja: 'この点数以上を「迷惑メール」とします。spam.suspectedScore を下回れません。',
    },
  },
  'policy.spam': {
    type: 'action',
    default: 'accept',
    doc: {
      en: 'What becomes of spam. accept: delivered, tagged and filed.',
      ja: '迷惑メールの扱い。accept は印を付けて迷惑メールフォルダーへ配送します。',
    },
  },
  'policy.suspected': {
    type: 'action',
    default: 'accept',
    doc: {
      en: 'What becomes of suspected spam.',
      ja: '迷惑メールの疑いがあるメールの扱い。',
    },
  },
  'policy.infected': {
    type: 'action',
    default: 'reject',
    doc: {
      en: 'What becomes of infected mail. reject: refused in the session, never bounced.',
      ja: 'ウイルスを含むメールの扱い。reject は受信中に拒否し、不達通知は出しません。',
    },
  },
  'policy.unscannable': {
    type: 'action',
    default: 'hold',
    doc: {
      en: 'What becomes of mail that cannot be scanned: damaged, too deep, or too slow to judge.',
      ja: '検査できないメール（壊れている、入れ子が深い、時間がかかり過ぎる）の扱い。',
    },
  },
  'policy.unavailable': {
    type: 'action',
    default: 'defer',
    doc: {
      en: 'What becomes of mail while no judge can answer. defer: the peer tries again later.',
      ja: '判定器が応答できない間のメールの扱い。defer は相手に再送してもらいます。',
    },
  },
  'auth.allowPlaintext': {
    type: 'boolean',
    default: false,
    doc: {
      en: 'Take passwords without TLS, from loopback only.',
      ja: 'TLS なしのパスワードを受け付けます（ループバックからのみ）。',
    },
  },
  'relay.access': {
    type: 'networks',
    default: [],
    doc: {
      en: 'Networks whose hosts may send through the relay without a password.',
      ja: 'パスワードなしでリレーを使えるネットワーク。',
    },
  },
  'lmtp.foreign': {
    type: 'networks',
    default: [],
    doc: {
      en: 'Networks of gateways that are not ours and may deliver by LMTP; loopback may always.',
      ja: 'LMTP で配送してよい外部ゲートウェイのネットワーク。ループバックは常に許可します。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>

export type SettingKey = keyof typeof SETTINGS

/** Every setting with its value in force, typed by key. */
export type Settings = {
  readonly [K in SettingKey]: Values[(typeof SETTINGS)[K]['type']]
}

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key)

/** The option of a key, with the type that all options share. */
export const optionOf = (key: SettingKey): Option => SETTINGS[key]

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[]
