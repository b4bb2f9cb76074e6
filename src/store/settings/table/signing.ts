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
  'dkim.rotateMs': {
    type: 'duration',
    default: 0,
    min: 0,
    max: 1_000 * DAY_MS,
    doc: {
      en: 'After so long a key that signs is followed by a new one, without anybody’s doing but in the name service: the next key is made `dkim.announceMs` earlier, its record is mailed to the postmaster of the domain, and it signs when its time has come and two looks (one an hour) have found the record there; the postmaster hears that, and until when the record of the former key is needed. A record that never appears stops nothing: the present key goes on, and the postmaster is reminded once a week (`dkim.unpublished` in the log). 0: by hand (`watari dkim rotate`).',
      ja: '署名に使う鍵をこの期間ごとに新しくします。人手が要るのは DNS への登録だけです。切り替えの `dkim.announceMs` 前に次の鍵を作り、そのレコードをドメインの postmaster にメールで知らせます。時期が来て、1 時間ごとの確認で 2 回続けてレコードが見つかると切り替え、旧レコードをいつまで残すかを postmaster に知らせます。レコードが登録されなくても止まるものはなく、今の鍵で署名を続け、週に一度 postmaster に催促します（ログは `dkim.unpublished`）。0 なら手動です（`watari dkim rotate`）。',
    },
  },
  'dkim.announceMs': {
    type: 'duration',
    default: 14 * DAY_MS,
    min: 0,
    max: 400 * DAY_MS,
    doc: {
      en: 'So long before it signs, the next key is made and its record told (`dkim.rotateMs`).',
      ja: '次の鍵を、切り替えのどれだけ前に作ってレコードを知らせるか（`dkim.rotateMs` を使うとき）。',
    },
  },
} as const satisfies Readonly<Record<string, Option>>
