import type { Sentences } from '#web/parts/words.ts'

/** Who may use the relay. */
export const ACCESS: Sentences = {
  en: {
    'access.title': 'Relay access',
    'access.hint':
      'Programs and devices in these networks may send by the relay port without a password.',
    'access.networks': 'Networks to add, such as 192.0.2.0/24 or 2001:db8::/32; any number at once',
    'access.network': 'Network',
    'access.add': 'Add',
    'access.remove_one': 'Remove one',
    'access.remove_other': 'Remove {{count}}',
    'access.did': '{{added}} added, {{removed}} removed; the list has {{rows}} networks.',
    'access.empty':
      'The list is empty: nobody may use the relay without a password. Add networks above.',
    'access.search': 'Part of a network, or an address',
    'access.import': 'Import',
    'access.importText':
      'A file with one network a line (CSV or text; # begins a comment). They are added to the list; it is taken whole or not at all.',
    'access.file': 'File',
    'access.found_one': 'One network: {{first}}',
    'access.found_other': '{{number}} networks: {{first}} …',
  },
  ja: {
    'access.title': '中継の許可',
    'access.hint':
      'これらのネットワークにある機器やプログラムは、パスワードなしで中継ポートから送信できます。',
    'access.networks':
      '追加するネットワーク (例: 192.0.2.0/24、2001:db8::/32)。一度にいくつでも入力できます',
    'access.network': 'ネットワーク',
    'access.add': '追加',
    'access.remove': '{{count}} 件を削除',
    'access.did': '{{added}} 件を追加、{{removed}} 件を削除しました。一覧は {{rows}} 件です。',
    'access.empty':
      '一覧は空です。パスワードなしで中継を使える機器はありません。上の欄から追加できます。',
    'access.search': 'ネットワークの一部、またはアドレス',
    'access.import': '取り込み',
    'access.importText':
      '1 行に 1 つのネットワークを書いたファイル (CSV またはテキスト、# 以降は注釈) を一覧に追加します。誤りがあれば、何も追加しません。',
    'access.file': 'ファイル',
    'access.found': '{{number}} 件のネットワーク: {{first}} など',
  },
}
