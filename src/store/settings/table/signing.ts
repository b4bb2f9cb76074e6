import { DAY_MS } from '#base/time.ts'
import type { Option } from '#store/settings/option.ts'

/** DKIM signatures of what leaves. */
export const SIGNING = {
  'dkim.relay': {
    type: 'boolean',
    default: false,
    doc: {
      en: 'Sign also what comes in through the relay, by the domain in its From, where that has a key. Whoever may use the relay can then send signed mail under any address of your domains: on only where all hosts of `relay.access` are your own and forward no mail of others.',
      ja: 'リレーで受け取ったメールも、From のドメインに鍵があれば署名します。リレーを使える機器はどれも、あなたのドメインの任意のアドレスで署名付きのメールを送れるようになります。`relay.access` の機器がすべて自組織のもので、他人のメールを転送しない場合だけ有効にしてください。',
    },
  },
  'dkim.onFailure': {
    type: 'choice',
    default: 'defer',
    oneOf: ['defer', 'unsigned'],
    doc: {
      en: 'What becomes of mail that has a key and cannot be signed (a damaged key, for example). defer: a program that sends hears 451 and tries again, what our own store sends waits there. unsigned: it leaves without a signature, and servers of others may refuse it. Either way the event `dkim.failed` tells it; delivery reports always leave.',
      ja: '鍵があるのに署名できないメール（鍵の破損など）の扱い。defer は送信プログラムに 451 を返して再送を待ち、ストアが送るものはそこで待ちます。unsigned は署名なしで送り、相手のサーバーに拒まれることがあります。どちらもイベント `dkim.failed` で知らせます。配送状況通知は常に送ります。',
    },
  },
  'dkim.expiryMs': {
    type: 'duration',
    default: 0,
    min: 0,
    max: 400 * DAY_MS,
    doc: {
      en: 'How long a signature is valid (x= of RFC 6376); 0: without end. Longer than `queue.lifetimeMs` where it is set, or mail that has waited arrives with an expired signature.',
      ja: '署名の有効期間（RFC 6376 の x=）。0 なら期限なし。設定するときは `queue.lifetimeMs` より長くしてください。短いと、キューで待ったメールが期限切れの署名で届きます。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
