import type { Sentences } from '#web/parts/words.ts'

/** The overview: the way of mail with its numbers. */
export const OVERVIEW: Sentences = {
  en: {
    'overview.sources': 'Directories that want somebody',
    'overview.source.away': 'Its people stay as they were read last.',
    'overview.source.held':
      'It has lost many people at once: somebody has to say that it is meant.',
    'overview.title': 'Overview',
    'clock.title': 'Is the clock right?',
    'clock.ahead_one':
      'The clock of control says {{now}}, one day further than what was known last.',
    'clock.ahead_other':
      'The clock of control says {{now}}, {{days}} days further than what was known last.',
    'clock.behind_one': 'The clock of control says {{now}}, one day before what was known last.',
    'clock.behind_other':
      'The clock of control says {{now}}, {{days}} days before what was known last.',
    'clock.held':
      'Until somebody says that it is right, {{today}} counts: no account begins, ends or is deleted by the clock. Mail goes on.',
    'clock.remedy':
      'Where it is wrong, set it right: all goes on by itself then. Where control was off for so long, it is right.',
    'clock.accept': 'The clock is right',
    'clock.accepted': 'Accounts go by the clock again.',
    'overview.well':
      'Mail flows: {{received}} messages came in during the last hour, and nothing waits.',
    'overview.quiet': 'All is well. No mail came in during the last hour.',
    'overview.waiting':
      'Mail flows, and {{waiting}} recipients wait to be delivered; the oldest message came {{oldest}}.',
    'overview.held':
      'Mail flows, and {{waiting}} recipients are held until somebody decides; the oldest message came {{oldest}}.',
    'overview.down': '{{names}}: not well. The other nodes go on.',
    'overview.partial':
      'Too many kinds of events in one minute: some are counted together as “other”.',
    'overview.asOf': 'Last hour, as of {{time}}',
    'overview.gaps':
      '{{count}} stretches of events never arrived here; traces of that time may lack steps.',
    'overview.corridor': 'The way of mail',
    'station.reception': 'Reception',
    'station.verdict': 'Verdict',
    'station.policy': 'Policy',
    'station.route': 'Route',
    'station.queue': 'Queue',
    'station.delivery': 'Delivery',
    'station.mailbox': 'Mailbox',
    'count.accepted': 'taken',
    'count.refused': 'refused',
    'count.clean': 'clean',
    'count.suspected': 'suspected',
    'count.spam': 'spam',
    'count.infected': 'infected',
    'count.rejected': 'refused',
    'count.held': 'held',
    'count.attempts': 'attempts',
    'count.waiting': 'waiting',
    'count.underWay': 'under way',
    'count.delivered': 'delivered',
    'count.deferred': 'put off',
    'count.failed': 'failed',
    'count.filed': 'filed',
    'count.oldest': 'oldest {{time}}',
  },
  ja: {
    'overview.sources': '対応が必要な名簿',
    'overview.source.away': '利用者は最後に読み込んだ内容のままです。',
    'overview.source.held': '利用者が一度に大きく減りました。取り込むには確認が必要です。',
    'overview.title': '概要',
    'clock.title': '時計は合っていますか',
    'clock.ahead':
      '管理サーバーの時計は {{now}} を指しています。最後に確認できた時刻より {{days}} 日進んでいます。',
    'clock.behind':
      '管理サーバーの時計は {{now}} を指しています。最後に確認できた時刻より {{days}} 日遅れています。',
    'clock.held':
      '確認されるまでは {{today}} として扱い、アカウントの利用開始・終了・削除は行いません。メールは流れています。',
    'clock.remedy':
      '時計が違っている場合は合わせてください。合えば自動で元に戻ります。長く停止していただけなら、時計は合っています。',
    'clock.accept': '時計は合っている',
    'clock.accepted': '時計に従って動作を再開しました。',
    'overview.well':
      'メールは順調に流れています。この 1 時間に {{received}} 通を受信し、滞っているものはありません。',
    'overview.quiet': '異常はありません。この 1 時間に受信したメールはありません。',
    'overview.waiting':
      'メールは流れています。{{waiting}} 宛先が配送待ちで、最も古いものは {{oldest}}に受信しました。',
    'overview.held':
      'メールは流れています。{{waiting}} 宛先が保留中で、判断を待っています。最も古いものは {{oldest}}に受信しました。',
    'overview.down': '{{names}} に問題があります。ほかのノードは動いています。',
    'overview.partial':
      '1 分間のイベントの種類が多すぎるため、一部を「other」としてまとめて数えています。',
    'overview.asOf': 'この 1 時間 ({{time}} 現在)',
    'overview.gaps':
      '届かなかった記録が {{count}} 区間あります。その時間の追跡は一部が欠けることがあります。',
    'overview.corridor': 'メールの通り道',
    'station.reception': '受信',
    'station.verdict': '判定',
    'station.policy': '方針',
    'station.route': '経路',
    'station.queue': '配送待ち',
    'station.delivery': '配送',
    'station.mailbox': 'メールボックス',
    'count.accepted': '受け付け',
    'count.refused': '拒否',
    'count.clean': '正常',
    'count.suspected': '疑わしい',
    'count.spam': '迷惑メール',
    'count.infected': 'ウイルス',
    'count.rejected': '拒否',
    'count.held': '保留',
    'count.attempts': '試行',
    'count.waiting': '待機',
    'count.underWay': '配送中',
    'count.delivered': '配送済み',
    'count.deferred': '再試行待ち',
    'count.failed': '失敗',
    'count.filed': '格納',
    'count.oldest': '最古 {{time}}',
  },
}
