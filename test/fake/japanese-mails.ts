import iconv from 'iconv-lite'
import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

const jis = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
/** 会議 in ISO-2022-JP. */
const KAIGI_JIS = jis('1b2442327135441b2842')
const latin1 = (octets: Buffer): string => octets.toString('latin1')
const LONG = `お知らせです。明日の会議の件、資料を${'お送りします。'.repeat(3)}`

const mail = (subject: string, type: string, body: string): Octets =>
  fromLatin1(
    `From: =?UTF-8?B?${Buffer.from('山田 太郎').toString('base64')}?= <Taro.Yamada@Campus.example>\r\nTo: hanako@campus.example\r\nCc: "Lab, Kaigi" <lab@kaigi.example>\r\nSubject: ${subject}\r\nX-Tag: Alpha ${subject.length}\r\nMIME-Version: 1.0\r\n${type}\r\n\r\n${body}\r\n`,
  )
const plain = (charset: string, more = ''): string =>
  `Content-Type: text/plain; charset=${charset}${more}`

/** 会議 in every way that Japanese mail has of writing it, and mails without it in between. */
export const JAPANESE_MAILS: readonly Octets[] = [
  mail('jis', plain('ISO-2022-JP'), KAIGI_JIS),
  mail('jis ms', plain('iso-2022-jp-ms'), `${KAIGI_JIS} \x1b$B-j\x1b(B`),
  mail('no label', 'X-None: 1', KAIGI_JIS),
  mail('wrong label', plain('utf-8'), KAIGI_JIS),
  mail('sjis', plain('Shift_JIS'), latin1(iconv.encode(LONG, 'shift_jis'))),
  mail('cp932', plain('cp932'), latin1(iconv.encode(LONG, 'shift_jis'))),
  mail('latin1 label', plain('iso-8859-1'), latin1(iconv.encode(LONG, 'shift_jis'))),
  mail('euc', plain('EUC-JP'), latin1(iconv.encode(LONG, 'euc-jp'))),
  mail('euc as sjis', plain('shift_jis'), latin1(iconv.encode(LONG, 'euc-jp'))),
  mail('none of it', plain('utf-8'), latin1(Buffer.from('会と議、kai gi'))),
  mail(
    'base64',
    `${plain('utf-8')}\r\nContent-Transfer-Encoding: base64`,
    Buffer.from('次の会\r\n議は明日').toString('base64'),
  ),
  mail(
    'html',
    'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable',
    '<p>=E4=BC=9A=\r\n<b>=E8=AD=B0</b> &amp; <a href=3D"https://x.example/=E6=B8=A1=E3=82=8A">ABC</a></p>',
  ),
  mail('flowed', plain('utf-8', '; format=flowed'), latin1(Buffer.from('次の会 \r\n議は明日'))),
  mail('quoted', plain('utf-8'), latin1(Buffer.from('> 次の会\r\n> 議は明日'))),
  mail(
    `=?UTF-8?B?${Buffer.from('会').toString('base64')}?= =?UTF-8?B?${Buffer.from('議').toString('base64')}?=`,
    plain('us-ascii'),
    'in the subject',
  ),
  mail('wide', plain('utf-8'), latin1(Buffer.from('ｶｲｷﾞ かいぎ ＡＢＣ㈱'))),
  mail(
    'attached',
    'Content-Type: multipart/mixed; boundary=b',
    `--b\r\n\r\nsee\r\n--b\r\nContent-Type: text/csv; charset=shift_jis\r\nContent-Disposition: attachment; filename*=UTF-8''%E8%B3%87%E6%96%99.csv\r\n\r\n${latin1(iconv.encode('会議,12', 'shift_jis'))}\r\n--b--`,
  ),
  mail(
    'forwarded',
    'Content-Type: multipart/digest; boundary=b',
    `--b\r\n\r\nSubject: ${KAIGI_JIS}\r\n\r\ninner words\r\n--b--`,
  ),
  fromUtf8('\r\n'),
]
