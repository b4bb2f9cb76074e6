import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Option } from '#store/settings/option.ts'

/** What is judged, and what becomes of mail of a class. */
export const JUDGING = {
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
} as const satisfies Readonly<Record<string, Option>>
