import { DAY_MS } from '#base/time.ts'
import type { Option } from '#store/settings/option.ts'

/** The life of accounts, and what people choose themselves. */
export const PEOPLE = {
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
      en: 'A deleted account is kept for so many days, mailboxes and all (watari user undelete), and so is a mailing list (watari list undelete); then it is deleted for good. 0: at once.',
      ja: '削除したアカウントとメーリングリストを、メールボックスごと保持する日数（watari user undelete、watari list undelete で復元できる）。過ぎると完全に削除する。0 なら直ちに削除する。',
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
