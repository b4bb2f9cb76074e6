import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { DemoList } from './lists.ts'
import { DEMO_PEOPLE } from './people.ts'

/** One mail of the demonstration. */
export interface DemoMail {
  /** outside: by the MX, judged; inside: by LMTP, as colleagues' mail that was judged when it was sent. */
  readonly door: 'outside' | 'inside'
  readonly from: string
  /** User names, or addresses. */
  readonly to: readonly string[]
  readonly octets: Octets
}

/** Those who read most of it: the first accounts and some of the staff. */
const READERS = ['hanako', 'taro', 'sato.yuki', 'tanaka.hiroshi', 'emma.clarke'] as const

/** Mails of every class in Japanese and English, oldest first, dated up to three weeks back. */
export function demoMails(domain: string, nowMs: number): DemoMail[] {
  const write = (mail: Letter): DemoMail => letter(mail, domain)
  const at = (days: number, hours = 0): number => nowMs - days * DAY_MS - hours * HOUR_MS
  return [
    ...thread(domain, at(20)),
    ...READERS.flatMap((to, n) => [
      write({ ...NEWS[n % NEWS.length]!, to: [to], sentAtMs: at(18 - n, n) }),
      write({ ...NEWS[(n + 2) % NEWS.length]!, to: [to], sentAtMs: at(9 - n, 3) }),
      write({ ...SUSPECTED[n % SUSPECTED.length]!, to: [to], sentAtMs: at(6, n) }),
      write({ ...SPAM[n % SPAM.length]!, to: [to], sentAtMs: at(4, n) }),
      write({ ...NEWS[(n + 3) % NEWS.length]!, to: [to], sentAtMs: at(1, n) }),
    ]),
    write({ ...OLD_CHARSET, to: ['hanako', 'taro'], sentAtMs: at(0, 5) }),
    write({ ...WITH_ATTACHMENT, to: ['hanako', 'sato.yuki'], sentAtMs: at(0, 2) }),
  ]
}

/** What was posted to a list, by members from inside. */
export const demoPosts = ({ list, posts }: DemoList, domain: string, nowMs: number): DemoMail[] =>
  posts.map(({ by, subject, text, answers }, n) => {
    const idOf = (place: number): string => `post${place}.${nowMs.toString(36)}.${list.address}`
    return letter(
      {
        from: `${nameOf(by)} <${by}@${domain}>`,
        subject,
        text: `${text}\n`,
        to: [list.address],
        id: idOf(n),
        ...(answers !== undefined && { fields: [`In-Reply-To: <${idOf(answers)}>`] }),
        sentAtMs: nowMs - (posts.length - n) * HOUR_MS,
      },
      domain,
    )
  })

const nameOf = (username: string): string =>
  DEMO_PEOPLE.find((each) => each.username === username)?.name ?? username

/** What virus scanners know each other by (EICAR): refused, with a trace of it. */
export const demoVirus = (domain: string, nowMs: number): DemoMail =>
  letter(
    {
      from: 'Accounts <invoice@billing.example>',
      subject: '請求書 / Invoice 4711',
      // In two parts, so that this file is none.
      text: `${String.raw`X5O!P%@AP[4\PZX54(P^)7CC)7}`}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n`,
      to: ['hanako'],
      sentAtMs: nowMs,
    },
    domain,
  )

/** More layers of mail in mail than a scanner looks into: held, for somebody who looks. */
export const demoHeld = (domain: string, nowMs: number): DemoMail =>
  letter(
    {
      from: 'Archive <archive@partner.example>',
      subject: '転送: 転送: 転送… / Fwd: Fwd: Fwd…',
      fields: ['Content-Type: message/rfc822'],
      text: `${'Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n'.repeat(LAYERS)}Subject: 底\r\n\r\n最初のメールです。\r\n`,
      to: ['hanako'],
      sentAtMs: nowMs,
    },
    domain,
  )

const LAYERS = 150

interface Letter {
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly to: readonly string[]
  readonly sentAtMs: number
  /** Lines of further fields. */
  readonly fields?: readonly string[]
  readonly id?: string
}

type Template = Omit<Letter, 'to' | 'sentAtMs'>

let count = 0

function letter(mail: Letter, domain: string): DemoMail {
  const { from, subject, text, to, sentAtMs, fields = [] } = mail
  const sender = /<([^<>]+)>$/u.exec(from)![1]!
  const name = from.slice(0, from.lastIndexOf('<')).trim()
  const addresses = to.map((each) => (each.includes('@') ? each : `${each}@${domain}`))
  const id = mail.id ?? `${sentAtMs.toString(36)}.${++count}@${sender.split('@')[1]}`
  const isWhole = fields.some((field) => /^content-/iu.test(field))
  const header = [
    `Date: ${new Date(sentAtMs).toUTCString().replace('GMT', '+0000')}`,
    `From: ${word(name)} <${sender}>`,
    `To: ${addresses.join(', ')}`,
    `Subject: ${word(subject)}`,
    `Message-ID: <${id}>`,
    'MIME-Version: 1.0',
    ...(isWhole
      ? []
      : ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit']),
    ...fields,
  ]
  const body = isWhole ? text : text.replaceAll(/\r?\n/gu, '\r\n')
  return {
    door: sender.endsWith(`@${domain}`) ? 'inside' : 'outside',
    from: sender,
    to: addresses,
    octets: fromUtf8(`${header.join('\r\n')}\r\n\r\n${body}`),
  }
}

/** RFC 2047 §2, where it is not ASCII; in pieces of 12 characters, that each is 75 at most. */
function word(text: string): string {
  if (/^[\u0020-\u007e]*$/u.test(text)) return text
  const chars = Array.from(text)
  const pieces: string[] = []
  for (let i = 0; i < chars.length; i += 12)
    pieces.push(`=?UTF-8?B?${Buffer.from(chars.slice(i, i + 12).join('')).toString('base64')}?=`)
  return pieces.join('\r\n ')
}

/** A conversation of colleagues, each mail an answer to the one before. */
function thread(domain: string, startMs: number): DemoMail[] {
  const people = [
    ['佐藤 由紀', 'sato.yuki'],
    ['田中 博', 'tanaka.hiroshi'],
    ['Emma Clarke', 'emma.clarke'],
    ['山田 花子', 'hanako'],
  ] as const
  const texts = [
    '11月の運営会議を12日(木)15時から開きます。\n議題: 新しいメールシステムへの移行、予算、その他。\n出欠を返信でお知らせください。\n\n佐藤',
    '出席します。移行の日程案を持っていきます。\n\n田中',
    'I will attend. Could we also talk about the mailing lists of the exchange students?\n\nEmma',
    '出席します。議題に「留学生のメーリングリスト」を加えました。\n\n花子',
  ]
  const ids = texts.map((_, n) => `meeting-${startMs.toString(36)}-${n}@${domain}`)
  return texts.map((text, n) => {
    const [name, username] = people[n]!
    return letter(
      {
        from: `${name} <${username}@${domain}>`,
        subject: `${n === 0 ? '' : 'Re: '}11月の運営会議 / November meeting`,
        text: `${text}\n`,
        to: ['hanako', 'taro', 'sato.yuki', 'tanaka.hiroshi', 'emma.clarke'],
        sentAtMs: startMs + n * 47 * MINUTE_MS,
        id: ids[n]!,
        fields:
          n === 0
            ? []
            : [
                `In-Reply-To: <${ids[n - 1]!}>`,
                `References: ${ids
                  .slice(0, n)
                  .map((id) => `<${id}>`)
                  .join(' ')}`,
              ],
      },
      domain,
    )
  })
}

const NEWS: readonly Template[] = [
  {
    from: '図書館 <news@library.example>',
    subject: '図書館だより 11月号: 論文検索の講習会',
    text: '図書館だより 11月号をお届けします。\n\n- 論文検索の講習会: 11月20日(金) 16:20\n- 年末年始の開館時間\n- 新着図書のお知らせ\n',
    fields: ['List-Id: <dayori.library.example>'],
  },
  {
    from: 'Conference Office <office@conference.example>',
    subject: 'Your paper has been accepted',
    text: 'Dear author,\n\nwe are pleased to tell you that your paper has been accepted.\nPlease send the final version by 15 December.\n\nThe committee\n',
  },
  {
    from: '生協 <coop@coop.example>',
    subject: '教科書の予約について',
    text: '後期の教科書の予約を受け付けています。\n店頭または生協のページからお申し込みください。\n',
  },
  {
    from: 'Emiko Ōta <emiko@partner.example>',
    subject: '共同研究の打ち合わせ',
    text: 'お世話になっております。太田です。\n\n共同研究の打ち合わせですが、来週の火曜日はいかがでしょうか。\nオンラインでも構いません。\n\nどうぞよろしくお願いいたします。\n',
  },
  {
    from: 'Facilities <facilities@partner.example>',
    subject: 'Power cut in building 3 on Saturday',
    text: 'Hello,\n\non Saturday from 9:00 to 12:00 there will be no power in building 3.\nPlease shut down your machines on Friday evening.\n',
  },
]

/** Some rules fire, not enough for spam: a name that is an address, a bare IP address, a program as a bill. */
const SUSPECTED: readonly Template[] = [
  lure({
    from: '"support@bank.example" <x8231@mailer.example>',
    subject: '【至急】アカウントの停止について',
    text: 'お客様のアカウントが停止されました。\r\n以下より24時間以内にご確認ください。\r\nhttp://192.0.2.10/login',
  }),
  lure({
    from: '"admin@mail.example" <notice@bulk.example>',
    subject: 'YOUR ACCOUNT HAS BEEN SUSPENDED',
    text: 'Your account has been suspended. Act now:\r\nhttp://203.0.113.7/verify',
  }),
]

function lure({ text, ...mail }: Template): Template {
  const lines = [
    '--=_watari_lure',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    text,
    '--=_watari_lure',
    'Content-Type: application/octet-stream; name="invoice.pdf.scr"',
    'Content-Disposition: attachment; filename="invoice.pdf.scr"',
    '',
    'nothing',
    '--=_watari_lure--',
    '',
  ]
  const fields = ['Content-Type: multipart/mixed; boundary="=_watari_lure"']
  return { ...mail, fields, text: lines.join('\r\n') }
}

/** GTUBE: what every judge of spam takes for spam, for tests. */
const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'

const SPAM: readonly Template[] = [
  {
    from: '高額当選事務局 <win@lottery.example>',
    subject: '【当選】おめでとうございます。500万円が当選しました',
    text: `必ず儲かる副業のご案内もあります。\n${GTUBE}\n`,
  },
  {
    from: 'Prize Office <prize@lottery.example>',
    subject: "You've won a million US dollars",
    text: `You have won the lottery. Act now to claim your inheritance.\n${GTUBE}\n`,
  },
]

/** ISO-2022-JP (RFC 1468), as programs of twenty years ago wrote. */
const OLD_CHARSET: Template = {
  from: 'Shimin Kouza <kouza@city.example>',
  subject: 'Shimin kouza',
  fields: ['Content-Type: text/plain; charset=iso-2022-jp', 'Content-Transfer-Encoding: 7bit'],
  // 市民講座のお知らせです。
  text: '\u001b$B;TL1\u001b(B \u001b$B9V:B$N$*CN$i$;$G$9!#\u001b(B\r\n',
}

const WITH_ATTACHMENT: Template = {
  from: 'Emiko Ōta <emiko@partner.example>',
  subject: '見積書をお送りします',
  fields: ['Content-Type: multipart/mixed; boundary="=_watari_demo"'],
  text: [
    '--=_watari_demo',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '見積書を添付いたします。ご確認ください。',
    '--=_watari_demo',
    "Content-Type: text/csv; charset=utf-8; name*=utf-8''%E8%A6%8B%E7%A9%8D%E6%9B%B8.csv",
    "Content-Disposition: attachment; filename*=utf-8''%E8%A6%8B%E7%A9%8D%E6%9B%B8.csv",
    'Content-Transfer-Encoding: 8bit',
    '',
    '品名,数量,金額',
    '椅子,4,48000',
    '机,2,60000',
    '--=_watari_demo--',
    '',
  ].join('\r\n'),
}
