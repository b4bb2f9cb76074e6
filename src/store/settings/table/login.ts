import type { Option } from '#store/settings/option.ts'

/** Passwords and logins. */
export const LOGIN = {
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
} as const satisfies Readonly<Record<string, Option>>
