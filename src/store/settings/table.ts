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
  /** A name of the time zone database; empty: that of each machine. */
  readonly zone: { readonly default: string; readonly doc: Doc }
  /** Words of a line each, at most `countMax` of them. */
  readonly words: {
    readonly default: readonly string[]
    readonly countMax: number
    readonly doc: Doc
  }
  /** A Sieve script (RFC 5228); empty: none. */
  readonly script: { readonly default: string; readonly bytesMax: number; readonly doc: Doc }
  /** One of a few words. */
  readonly choice: {
    readonly default: string
    readonly oneOf: readonly string[]
    readonly doc: Doc
  }
  readonly action: {
    readonly default: PolicyAction
    /** What it may be; absent: every action. */
    readonly oneOf?: readonly PolicyAction[]
    readonly doc: Doc
  }
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
  readonly zone: string
  readonly words: readonly string[]
  readonly script: string
  readonly choice: string
  readonly action: PolicyAction
}

/** What policy may do with a message of a class. */
export type PolicyAction = 'accept' | 'reject' | 'defer' | 'hold' | 'discard'
const POLICY_ACTIONS: readonly PolicyAction[] = ['accept', 'reject', 'defer', 'hold', 'discard']

/** What a policy setting may be. */
export const actionsOf = (option: OptionTypes['action']): readonly PolicyAction[] =>
  option.oneOf ?? POLICY_ACTIONS

export type OptionType = keyof OptionTypes
export type Option<T extends OptionType = OptionType> = {
  readonly [K in T]: { readonly type: K } & OptionTypes[K]
}[T]

const MIB = 1024 * 1024
/** Octets of a script of the administrator's: it goes to each node with every generation. */
const SCRIPT_BYTES_MAX = 64 * 1024

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
      en: 'What becomes of spam. accept: delivered, tagged and filed in Junk/SPAM, where its receiver finds what was judged wrongly.',
      ja: '迷惑メールの扱い。accept は印を付けて迷惑メールフォルダー (Junk/SPAM) へ配送します。誤判定があっても受信者が見つけられます。',
    },
  },
  'policy.suspected': {
    type: 'action',
    default: 'accept',
    doc: {
      en: 'What becomes of suspected spam. accept: delivered, tagged and filed in Junk/Suspected SPAM.',
      ja: '迷惑メールの疑いがあるメールの扱い。accept は印を付けて Junk/Suspected SPAM へ配送します。',
    },
  },
  'policy.infected': {
    type: 'action',
    default: 'reject',
    doc: {
      en: 'What becomes of infected mail. reject: refused in the session with 554 and never bounced, so that a real sender learns of it and a forged one gets nothing.',
      ja: 'ウイルスを含むメールの扱い。reject は受信中に 554 で拒否し、不達通知は出しません。本当の差出人には伝わり、詐称された人には何も届きません。',
    },
  },
  'policy.unscannable': {
    type: 'action',
    default: 'hold',
    doc: {
      en: 'What becomes of mail that cannot be scanned: too deep, too slow to judge, or one that kills its judge. hold: taken, kept in the queue until somebody looks (`watari queue ls --state held`, then release or drop). It may be an attack, and it may be our machine that was too slow: delivered it would count as clean, refused our trouble would look final, deferred it would come again until its sender gives up. accept files it as suspected spam, never as clean.',
      ja: '検査できないメール（入れ子が深い、時間がかかり過ぎる、判定器を落とす）の扱い。hold は受け取ってキューに留め、管理者が release または drop します。攻撃かもしれず、こちらの機械が遅かっただけかもしれないので、配送も拒否もせず人が決めます。accept でも「迷惑メールの疑い」とし、正常扱いにはしません。',
    },
  },
  'policy.unavailable': {
    type: 'action',
    default: 'defer',
    // Our trouble is never a 5xx, and loses nothing.
    oneOf: ['accept', 'defer', 'hold'],
    doc: {
      en: 'What becomes of mail while no judge can answer. defer: 451, the peer tries again later and nothing passes unexamined. accept delivers it unexamined, and its verdict says so. The trouble is ours, so it is never refused for good and never thrown away.',
      ja: '判定器が応答できない間のメールの扱い。defer は 451 を返し、相手に再送してもらいます。accept は検査せずに配送し、その旨を判定結果に記します。こちら側の問題なので、恒久的な拒否や破棄はできません。',
    },
  },
  'policy.overQuota': {
    type: 'action',
    default: 'defer',
    oneOf: ['defer', 'reject'],
    doc: {
      en: 'What becomes of mail for an account that is over its quota. defer: 452, the sending server tries again, so that nothing is lost to whoever makes room within days. reject: 552, its sender learns of it at once.',
      ja: '容量の上限を超えるアカウント宛てメールの扱い。defer は 452 を返し、送信側が再送するので、数日のうちに空きを作れば届きます。reject は 552 を返し、差出人にすぐ伝わります。',
    },
  },
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
  'auth.rehash': {
    type: 'boolean',
    default: true,
    doc: {
      en: 'Store a password that came with a hash of another system as argon2id once its owner logs in.',
      ja: '他のシステムから持ち込んだハッシュのパスワードを、本人のログイン時に argon2id で保存し直します。',
    },
  },
  'auth.scram': {
    type: 'boolean',
    default: true,
    doc: {
      en: 'Make keys for SCRAM-SHA-256 whenever a password is set or, of older ones, at the next login by password, and offer SCRAM-SHA-256 and SCRAM-SHA-256-PLUS once every enabled account of the directory has keys: clients prefer SCRAM, and who has no keys would be locked out. Passwords that SASLprep refuses (emoji, control characters, octets that are no UTF-8) have none. Off: no keys are made and none are used.',
      ja: 'パスワードの設定時（以前からのものは次回のパスワードログイン時）に SCRAM-SHA-256 用の鍵を作り、有効な全アカウントに鍵がそろった時点で SCRAM-SHA-256 と SCRAM-SHA-256-PLUS を提示します。クライアントは SCRAM を優先するため、鍵のない人がいるうちに提示するとその人が入れなくなるからです。SASLprep が拒むパスワード（絵文字、制御文字、UTF-8 でないオクテット）には鍵を作れません。オフにすると鍵を作らず、使いません。',
    },
  },
  'auth.scramIterations': {
    type: 'integer',
    default: 65_536,
    min: 4_096,
    max: 1_000_000,
    doc: {
      en: 'Iterations of new SCRAM keys. More make guessing dearer for whoever has stolen the keys, and each login dearer for the client, which does this work (65,536: less than a tenth of a second on a telephone). Programs that log in by Cyrus SASL, mbsync and Mutt of Debian among them, refuse more than 65,536. Keys with another number are made anew at the next login by password.',
      ja: '新しい SCRAM 鍵の反復回数。多いほど、鍵を盗んだ者の推測に手間がかかり、計算を受け持つクライアントのログインも重くなります（65,536 回で携帯電話でも 0.1 秒未満）。Cyrus SASL を使うプログラム（Debian の mbsync や Mutt など）は 65,536 回を超える鍵を拒みます。回数の異なる鍵は、次回のパスワードログイン時に作り直します。',
    },
  },
  'auth.submissionScramPlus': {
    type: 'boolean',
    default: false,
    doc: {
      en: 'Offer SCRAM-SHA-256-PLUS at submission too, as IMAP and POP3 do. Mutt and NeoMutt, as Debian builds them, choose it wherever it is offered, cannot bind a channel, and then send nothing; in IMAP they go on to another mechanism.',
      ja: 'メールの送信でも IMAP や POP3 と同じく SCRAM-SHA-256-PLUS を使えるようにします。Debian の Mutt と NeoMutt は、これがあると必ず選びますがチャネルバインディングができず、送信に失敗します（IMAP ではほかの方式に切り替えます）。',
    },
  },
  'auth.rememberBindDays': {
    type: 'integer',
    default: 5,
    min: 0,
    max: 90,
    doc: {
      en: 'Of a password that another directory has called right (a source with --auth bind), each node keeps a salted hash on its disk for so many days, so that people get at their mail while no server of that directory answers, also after a restart. It counts only while none answers; a password that the source calls wrong is forgotten. 0: nothing is kept, and what was kept is deleted.',
      ja: '他のディレクトリ（--auth bind のソース）が正しいと答えたパスワードのソルト付きハッシュを、各ノードがこの日数だけディスクに保存します。そのディレクトリのどのサーバーも応答しない間は、再起動後もこれでログインできます。応答がある間は使わず、ソースが誤りと答えたパスワードは忘れます。0 にすると何も保存せず、保存済みのものは消します。',
    },
  },
  'auth.wrongBindsMax': {
    type: 'integer',
    default: 10,
    min: 1,
    max: 1_000,
    doc: {
      en: 'How many different wrong passwords of one account a node asks a directory with --auth bind about within ten minutes. Further ones are told to come again later, except for the password that is remembered as right. Set it below the number at which that directory locks somebody out, divided by the nodes that take logins.',
      ja: '1 つのアカウントについて、誤ったパスワードを 10 分間に何種類まで --auth bind のディレクトリに問い合わせるか（ノードごと）。超えた分は後で試すよう答えますが、正しいと記憶しているパスワードは別です。そのディレクトリがアカウントをロックする回数を、ログインを受けるノード数で割った値より小さくしてください。',
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
  'ldap.resultsMax': {
    type: 'integer',
    default: 1_000,
    min: 10,
    max: 200_000,
    doc: {
      en: 'Entries in one answer of the address book (LDAP), where a listener for it stands in host.yaml. Who asks page by page gets so many a page, and all of them in the end.',
      ja: 'アドレス帳（LDAP。host.yaml に待ち受けを書いた場合）が一度に返す件数。ページごとに求めるプログラムには、1 ページをこの件数までとして最後まで返します。',
    },
  },
  'ldap.groups': {
    type: 'boolean',
    default: true,
    doc: {
      en: 'Show aliases in the address book (LDAP) as groups, with those of their members who are shown themselves.',
      ja: 'エイリアスをグループとしてアドレス帳（LDAP）に載せます。メンバーは、アドレス帳に載っている人だけを示します。',
    },
  },
  'pop3.withJunk': {
    type: 'boolean',
    default: false,
    doc: {
      en: 'Let POP3 show Junk and the mailboxes below it as well, after INBOX: for people who read by POP3 alone and could not see otherwise what was taken for spam. A message that they fetched from Junk and that is moved to INBOX is new to their programs.',
      ja: 'POP3 でも受信箱に続けて迷惑メール（Junk）とその下のメールボックスを見せます。POP3 だけで読む人が、迷惑メールと判定されたものを確認できるようにするための設定です。迷惑メールで受信済みのメールを受信箱に移すと、メールソフトには新しいメールに見えます。',
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
  'account.timeZone': {
    type: 'zone',
    default: '',
    doc: {
      en: 'By whose calendar accounts begin and end. Empty: by that of each machine; name one where machines stand in several zones.',
      ja: 'アカウントの開始日・終了日を数える時間帯。空なら各マシンの時間帯。複数の時間帯にマシンがある場合は指定する。',
    },
  },
  'account.graceDays': {
    type: 'integer',
    default: 14,
    min: 0,
    max: 3_650,
    doc: {
      en: 'For so many days after its last one an account is used as before, until it has left.',
      ja: '有効期限の翌日からこの日数の間は、従来どおり利用できる（猶予期間）。',
    },
  },
  'account.mailBeforeStart': {
    type: 'boolean',
    default: true,
    doc: {
      en: 'Mail to an account is taken before its first day; if not, it is refused as to somebody unknown. Nobody logs in before.',
      ja: '利用開始日前のアカウント宛のメールを受け取る。受け取らない場合は宛先不明として拒否する。開始日前のログインはできない。',
    },
  },
  'account.formerAddressDays': {
    type: 'integer',
    default: 180,
    min: 0,
    max: 3_650,
    doc: {
      en: 'After a rename, mail to the former main address still arrives for so many days, and it still logs in.',
      ja: '改名後、この日数の間は旧アドレス宛のメールも届き、旧アドレスでもログインできる。',
    },
  },
  'account.addressReservedMonths': {
    type: 'integer',
    default: 24,
    min: 0,
    max: 600,
    doc: {
      en: 'A former main address is given to nobody else for so many months; watari user release sets one free.',
      ja: '旧アドレスをほかの人に割り当てない月数。watari user release で個別に解放できる。',
    },
  },
  'account.noticeBefore': {
    type: 'durations',
    default: [30 * DAY_MS, 7 * DAY_MS, DAY_MS],
    min: DAY_MS,
    max: 365 * DAY_MS,
    countMax: 10,
    doc: {
      en: 'So long before the last day of an account its owner is told by mail, each time once.',
      ja: '有効期限のどれだけ前に本人へメールで知らせるか（それぞれ1回）。',
    },
  },
  'account.undeleteDays': {
    type: 'integer',
    default: 30,
    min: 0,
    max: 3_650,
    doc: {
      en: 'A deleted account is kept for so many days, mailboxes and all (watari user undelete); then it is deleted for good. 0: at once.',
      ja: '削除したアカウントをメールボックスごと保持する日数（watari user undelete で復元できる）。過ぎると完全に削除する。0 なら直ちに削除する。',
    },
  },
  'forwarding.policy': {
    type: 'choice',
    default: 'anyone',
    oneOf: ['anyone', 'domain', 'none'],
    doc: {
      en: 'Where people may forward their own mail to. anyone: to addresses elsewhere too, once a code that was mailed there has come back. domain: to addresses of our own domains alone. none: nowhere; administrators still can (watari forward set), and what was set before stays.',
      ja: '利用者が自分のメールを転送できる宛先。anyone は外部のアドレスにも転送できる（そのアドレスに送った確認コードを本人が入力したあとで有効になる）。domain は自ドメインのアドレスだけ。none は転送できない。管理者による設定（watari forward set）と、以前の設定はそのまま残る。',
    },
  },
  'ownAddress.who': {
    type: 'words',
    default: [],
    countMax: 100,
    doc: {
      en: 'Who may choose an address of their own: those with one of these tags, of one of these domains (@campus.example) or roles (role:auditor); * is everybody. Empty: nobody.',
      ja: '自分でアドレスを選べる人。タグ、ドメイン（@campus.example）、役割（role:auditor）のどれかに当てはまる人。* は全員。空なら誰も選べない。',
    },
  },
  'ownAddress.max': {
    type: 'integer',
    default: 1,
    min: 1,
    max: 20,
    doc: {
      en: 'How many addresses of their own choice people may have at a time.',
      ja: '自分で選んだアドレスを同時に持てる数。',
    },
  },
  'ownAddress.changeDays': {
    type: 'integer',
    default: 30,
    min: 0,
    max: 3_650,
    doc: {
      en: 'An address is chosen or changed at most once in so many days. The one of before takes mail and stays reserved as after a rename (account.formerAddressDays, account.addressReservedMonths).',
      ja: 'アドレスの登録・変更はこの日数に 1 回まで。変更前のアドレスは改名のときと同じく、しばらく受信でき、ほかの人に割り当てられない（account.formerAddressDays、account.addressReservedMonths）。',
    },
  },
  'ownAddress.lengthMin': {
    type: 'integer',
    default: 3,
    min: 1,
    max: 64,
    doc: {
      en: 'The least length of the part before the @ of an address of one’s own choice.',
      ja: '自分で選ぶアドレスの @ より前の最短の長さ。',
    },
  },
  'ownAddress.patterns': {
    type: 'words',
    default: [],
    countMax: 50,
    doc: {
      en: 'What stands before the @ of such an address has to be like one of these: * is anything, ? one character, # one digit, all others themselves (s#######, *.*). Empty: letters, digits and single dots, hyphens and underscores between them, a letter first.',
      ja: '自分で選ぶアドレスの @ より前の形。* は任意の文字列、? は任意の 1 文字、# は数字 1 文字、ほかはその文字（例 s#######、*.*）。空なら英字で始まり、英数字と、その間の「.」「-」「_」1 文字ずつからなるもの。',
    },
  },
  'ownAddress.reserved': {
    type: 'words',
    default: [
      ...'abuse admin administrator administration all alert alerts billing ceo contact daemon dean director'.split(
        ' ',
      ),
      ...'everyone ftp help helpdesk hostmaster imap info it-support jimu kyoumu ldap list listmaster lists'.split(
        ' ',
      ),
      ...'mail mailer-daemon majordomo master news noc no-reply noreply nobody notice office operator owner'.split(
        ' ',
      ),
      ...'pop pop3 postmaster president privacy register registrar root sales security service smtp soumu spam'.split(
        ' ',
      ),
      ...'staff sysadmin system support test uucp webmail webmaster www'.split(' '),
      ...'owner-* *-owner *-request *-admin *-bounces *-join *-leave *-subscribe *-unsubscribe'.split(
        ' ',
      ),
    ],
    countMax: 5_000,
    doc: {
      en: 'Nobody chooses one of these as an own address, with or without dots, hyphens and underscores in it; * is anything. What accounts, aliases and former addresses have is refused anyway.',
      ja: '自分で選ぶアドレスとして使えない語。間に「.」「-」「_」を入れても使えない。* は任意の文字列。アカウント、エイリアス、以前のアドレスとして使われているものは、ここになくても使えない。',
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
