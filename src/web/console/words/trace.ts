import type { Sentences } from '#web/parts/words.ts'

/** What became of a message. */
export const TRACE: Sentences = {
  en: {
    'trace.title': 'Trace',
    'trace.what': 'Address, Message-ID or delivery id',
    'trace.search': 'Search',
    'trace.begin':
      'What became of a message? Enter an address of its sender or recipient, its Message-ID, or the delivery id from a log.',
    'trace.nothing':
      'Nothing is known of that. Events are kept for the latest millions of steps; an address is found whole, as user@domain.',
    'trace.all': 'Messages found',
    'trace.recipients': 'Recipients',
    'trace.verdict': 'Verdict and evidence',
    'trace.score': 'score {{score}}',
    'trace.degraded': 'incomplete: {{what}}',
    'trace.noRules': 'No rule spoke for or against it.',
    'trace.rule': 'Rule',
    'trace.points': 'Points',
    'trace.more': 'There are {{count}} more: search for the address of one recipient.',
    'trace.events': 'All {{count}} events as the nodes wrote them',
    'answer.filed':
      'Delivered to {{place}} of {{recipient}} at {{clock}}, {{after}} after it arrived ({{at}}).',
    'answer.sent':
      'Handed to {{place}} for {{recipient}} at {{clock}}, {{after}} after it arrived ({{at}}).',
    'answer.waiting':
      'Waits to be delivered to {{recipient}}: the last attempt, at {{clock}}, was put off ({{status}}).',
    'answer.held':
      'Held for {{recipient}} since {{at}}. It goes on when somebody releases it in the queue.',
    'answer.failed': 'Could not be delivered to {{recipient}} ({{at}}): {{status}}',
    'answer.dropped': 'Removed from the queue by an administrator; {{recipient}} did not get it.',
    'answer.onItsWay': 'Taken at {{clock}} and on its way to {{recipient}}.',
    'answer.refused': 'Refused at {{at}}; the sender’s server was told: {{status}}',
    'answer.unknown': 'Only parts of its way are known.',
    'answer.allDone': 'Delivered to all {{count}} recipients; the last at {{clock}} ({{at}}).',
    'answer.someDone': 'Delivered to {{done}} of {{count}} recipients; {{waiting}} still wait.',
    'answer.mixed':
      'Delivered to {{done}} of {{count}} recipients; {{failed}} failed, {{waiting}} wait.',
    'fate.filed': 'in the mailbox',
    'fate.sent': 'handed on',
    'fate.waiting': 'waits',
    'fate.held': 'held',
    'fate.failed': 'failed',
    'fate.dropped': 'removed',
    'fate.onItsWay': 'on its way',
  },
  ja: {
    'trace.title': '追跡',
    'trace.what': 'アドレス、Message-ID、配送 ID',
    'trace.search': '調べる',
    'trace.begin':
      'メールがどうなったかを調べます。差出人か宛先のアドレス、Message-ID、または記録にある配送 ID を入力します。',
    'trace.nothing':
      '該当する記録はありません。アドレスは user@domain の形で全体を入力します。古い記録は順に消えます。',
    'trace.all': '見つかったメール',
    'trace.recipients': '宛先',
    'trace.verdict': '判定と根拠',
    'trace.score': 'スコア {{score}}',
    'trace.degraded': '一部未確認: {{what}}',
    'trace.noRules': '該当した規則はありません。',
    'trace.rule': '規則',
    'trace.points': '点数',
    'trace.more':
      'ほかに {{count}} 件あります。受信者のアドレスで検索すると、その人の分を表示します。',
    'trace.events': '各ノードの記録 {{count}} 件',
    'answer.filed':
      '{{clock}} に {{recipient}} の {{place}} に届きました。受信の {{after}} 後です ({{at}})。',
    'answer.sent':
      '{{clock}} に {{recipient}} 宛てとして {{place}} に渡しました。受信の {{after}} 後です ({{at}})。',
    'answer.waiting':
      '{{recipient}} への配送を待っています。{{clock}} の試行は延期されました ({{status}})。',
    'answer.held':
      '{{at}} から {{recipient}} 宛てを保留しています。配送待ちの画面で解放すると配送します。',
    'answer.failed': '{{recipient}} には配送できませんでした ({{at}})。相手の応答: {{status}}',
    'answer.dropped': '管理者が配送待ちから削除しました。{{recipient}} には届いていません。',
    'answer.onItsWay': '{{clock}} に受け付け、{{recipient}} への配送を進めています。',
    'answer.refused': '{{at}} に受信を拒否しました。送信元サーバーへの応答: {{status}}',
    'answer.unknown': '経路の一部しか記録がありません。',
    'answer.allDone': '{{count}} 件の宛先すべてに届きました。最後は {{clock}} です ({{at}})。',
    'answer.someDone': '{{count}} 件の宛先のうち {{done}} 件に届き、{{waiting}} 件が配送待ちです。',
    'answer.mixed':
      '{{count}} 件の宛先のうち {{done}} 件に届き、{{failed}} 件は失敗、{{waiting}} 件は配送待ちです。',
    'fate.filed': '格納済み',
    'fate.sent': '引き渡し済み',
    'fate.waiting': '配送待ち',
    'fate.held': '保留',
    'fate.failed': '失敗',
    'fate.dropped': '削除',
    'fate.onItsWay': '配送中',
  },
}
