import type { DkimKey } from '#model/dkim-key.ts'

import { keyRecordOf, recordName } from './key-record-of.ts'

/** What a postmaster hears of a rotation. */
export type RotationNews =
  | { readonly kind: 'publish' | 'missing'; readonly key: DkimKey }
  | {
      readonly kind: 'rotated'
      readonly key: DkimKey
      readonly retired: DkimKey
      readonly until: string
    }

/** In Japanese and English. */
export function rotationMail(
  domain: string,
  news: RotationNews,
): { readonly subject: string; readonly text: string } {
  const { name, zone } = keyRecordOf(domain, news.key)
  switch (news.kind) {
    case 'publish':
      return {
        subject: `${domain} の次の DKIM 鍵を DNS に登録してください (Publish the next DKIM key)`,
        text: [
          `${domain} の次の DKIM 鍵を作りました。次のレコードを DNS に登録してください。`,
          '登録が確認でき、切り替えの時期が来ると、自動でこの鍵に切り替わります。それまでは今の鍵で署名を続けます。',
          '',
          `The next DKIM key of ${domain} has been made. Please publish this record in the DNS.`,
          'Once it is seen there and its time has come, mail is signed by it; until then the present key goes on.',
          '',
          zone,
          '',
        ].join('\n'),
      }
    case 'missing':
      return {
        subject: `${domain} の次の DKIM 鍵がまだ DNS にありません (The next DKIM key is not published)`,
        text: [
          `${domain} の DKIM 鍵を切り替える時期を過ぎましたが、次のレコードが DNS に正しく登録されていません（${name}）。`,
          `署名は今の鍵で続いています。登録後の確認: watari dkim check ${domain}`,
          '',
          `The DKIM key of ${domain} is due to change, but the record of the next one is not in the DNS as it should be (${name}).`,
          `Mail is still signed by the present key. Once it is published: watari dkim check ${domain}`,
          '',
          zone,
          '',
        ].join('\n'),
      }
    case 'rotated': {
      const old = recordName(domain, news.retired.selector)
      const day = news.until.slice(0, 10)
      return {
        subject: `${domain} の DKIM 鍵を切り替えました (The DKIM key has changed)`,
        text: [
          `${domain} のメールは ${news.key.selector} の鍵で署名されるようになりました。`,
          `以前のレコード ${old} は、配送中のメールのため ${day} まで DNS に残してください。その後は削除できます。`,
          '',
          `Mail of ${domain} is signed by the key ${news.key.selector} now.`,
          `Please leave the former record ${old} in the DNS until ${day}, for mail on its way. It can be removed after that.`,
          '',
        ].join('\n'),
      }
    }
  }
}
