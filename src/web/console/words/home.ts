import type { Sentences } from '#web/parts/words.ts'

/** Where the directory's own rows lie. */
export const HOME: Sentences = {
  en: {
    'people.home': 'Where it lives',
    'home.hint':
      'Where the rows of the directory lie: accounts, addresses, aliases, forwards, lists, routes, and people’s Sieve scripts. Either in this installation, or on OpenLDAP servers that other programs read and change as well.',
    'home.embedded': 'in this installation',
    'home.embeddedMeans': 'Everything lies with control. Nobody else can read it or change it.',
    'home.notMoved': 'The last move to LDAP servers has failed:',
    'home.how': 'To OpenLDAP',
    'home.howFirst':
      'Make Debian’s slapd ready, provider and replicas; run again it does what is left. The password of the service account comes from standard input.',
    'home.howMove':
      'Then copy all rows there. They are compared with each other before anything else changes, and mail and logins go on meanwhile.',
    'home.howBack': 'There is a way back at any time; the rows are here as well.',
    'home.copying': 'being copied',
    'home.copyingMeans':
      'Rows are on their way there; the directory lives here still. So far: {{number}}.',
    'home.starting': 'starting',
    'home.startingMeans': 'It is being asked for what has changed.',
    'home.well': 'well',
    'home.wellMeans': 'Edits go to the provider first. What others change there is here at once.',
    'home.replica': 'read only',
    'home.replicaMeans':
      'The provider is away: nothing can be changed, news come from a replica. Mail and logins go on.',
    'home.away': 'away',
    'home.awayMeans':
      'No server answers: nothing can be changed. Mail and logins go on from our own copy.',
    'home.held': 'held',
    'home.heldMeans':
      'It has lost so much that nothing of it is done before you say that this is meant.',
    'home.accept': 'It is meant: take what is there',
    'home.accepted': 'What is there counts from now on.',
    'home.leave': 'Live here again',
    'home.leaveText':
      'Everything stays as it is here. The LDAP servers keep what they have, nobody writes to them or listens to them any more, and {{count}} changes there that were not taken are left behind.',
    'home.leaveAsk': 'Enter the base ({{base}})',
    'home.left': 'The directory lives in this installation.',
    'home.base': 'Base',
    'home.since': 'Since',
    'home.sinceBy': '{{date}}, set by {{who}}',
    'home.wrote': 'Last edit from here',
    'home.news': 'Last change from there',
    'home.waiting': 'Waits to be taken',
    'home.scripts': 'Sieve scripts',
    'home.scriptsWait_one': '{{count}} account waits',
    'home.scriptsWait_other': '{{count}} accounts wait',
    'home.none': 'none since control has started',
    'home.servers': 'Servers',
    'home.provider': 'provider',
    'home.replicaServer': 'replica',
    'home.follows': 'news come from it',
    'home.upToDate': 'up to date',
    'home.lag': '{{time}} behind',
    'home.csn': 'contextCSN',
    'home.notTaken_one': 'One change there is not taken',
    'home.notTaken_other': '{{count}} changes there are not taken',
  },
  ja: {
    'people.home': '置き場所',
    'home.hint':
      'アカウント、アドレス、エイリアス、転送、メーリングリスト、経路、利用者の Sieve スクリプトなど、ディレクトリのデータを置く場所です。このシステムの中か、ほかのプログラムも読み書きできる OpenLDAP サーバーのどちらかです。',
    'home.embedded': 'このシステムの中',
    'home.embeddedMeans':
      'すべて control にあります。ほかのプログラムが直接読み書きすることはありません。',
    'home.notMoved': 'LDAP サーバーへの前回の移行は失敗しました。',
    'home.how': 'OpenLDAP に移すには',
    'home.howFirst':
      'まず Debian の slapd を、プロバイダーとレプリカの順に準備します。もう一度実行すると、残りの設定だけを行います。サービス用アカウントのパスワードは標準入力から渡します。',
    'home.howMove':
      '次に、すべてのデータを写します。一件ずつ照合してから切り替えるので、その間もメールとログインは止まりません。',
    'home.howBack': 'いつでも元に戻せます。データはこのシステムにも残っています。',
    'home.copying': 'コピー中',
    'home.copyingMeans': 'データを写しています。まだこのシステムの中が正です。現在 {{number}} 件。',
    'home.starting': '開始中',
    'home.startingMeans': '変更された分を問い合わせています。',
    'home.well': '正常',
    'home.wellMeans':
      '変更はまずプロバイダーに書き込みます。向こうで変更されたものは、すぐここに反映されます。',
    'home.replica': '読み取りのみ',
    'home.replicaMeans':
      'プロバイダーが応答しないため、変更できません。更新はレプリカから受け取っています。メールとログインは続いています。',
    'home.away': '応答なし',
    'home.awayMeans':
      'どのサーバーも応答しないため、変更できません。メールとログインは手元の写しで続いています。',
    'home.held': '保留',
    'home.heldMeans':
      '失われたデータが多すぎるため、意図したものであると確認されるまで何も反映しません。',
    'home.accept': '意図したもの：向こうの内容を反映',
    'home.accepted': '今後は向こうの内容を正とします。',
    'home.leave': 'このシステムに戻す',
    'home.leaveText':
      'ここにあるデータはそのままです。LDAP サーバーの内容は残りますが、今後は書き込みも問い合わせもしません。まだ反映していない向こうの変更 {{count}} 件は取り込まれません。',
    'home.leaveAsk': 'ベース（{{base}}）を入力してください',
    'home.left': 'ディレクトリはこのシステムの中に戻りました。',
    'home.base': 'ベース',
    'home.since': '開始',
    'home.sinceBy': '{{date}}（設定：{{who}}）',
    'home.wrote': 'ここからの最後の変更',
    'home.news': '向こうからの最後の変更',
    'home.waiting': '反映待ち',
    'home.scripts': 'Sieve スクリプト',
    'home.scriptsWait': '{{count}} 件のアカウントが反映待ち',
    'home.none': 'control の起動後はなし',
    'home.servers': 'サーバー',
    'home.provider': 'プロバイダー',
    'home.replicaServer': 'レプリカ',
    'home.follows': 'ここから更新を受信',
    'home.upToDate': '最新',
    'home.lag': '{{time}}遅れ',
    'home.csn': 'contextCSN',
    'home.notTaken': '反映していない変更 {{count}} 件',
  },
}
