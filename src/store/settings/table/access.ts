import type { Option } from '#store/settings/option.ts'

/** Who may ask what by which protocol. */
export const ACCESS = {
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
} as const satisfies Readonly<Record<string, Option>>
