import { connect } from 'node:net'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { startDovecot } from '#test/peers/dovecot.ts'
import { benchInstallation, median, table, watari, type Part } from './setup.ts'
import { TagClient } from './tag-client.ts'

const MAILS = Number(process.env['WATARI_BENCH_ROWS'] ?? 100_000)
const BODY_CHARS = 900
const ROUNDS = 5
/** Appends on their way at once. */
const WINDOW = 100
/** A full index is expected in minutes. */
const INDEX_MS_MAX = 30 * 60_000

/** Words by how many mails they are in: one in so many. */
const RARE = ['渡鳥', 5_000] as const
const SOME = ['雷鳥', 100] as const
const MISSING = '鯨鯱'

/** Full-text searches by IMAP, each answer's count compared. Debian's Dovecot has no index for Japanese. */
export const search: Part = {
  name: 'search',
  what: `UID SEARCH of texts in ${MAILS} mails, ms, beside Dovecot`,
  async run(say) {
    const ours = await benchInstallation()
    await watari(ours, ['settings', 'set', 'auth.allowPlaintext', 'true'])
    const login = 'hanako'
    const secret = ours.password(login)
    // It only shortens the filling: nothing is measured that writes.
    const settings = 'mail_location = sdbox:~/sdbox\nmail_fsync = never'
    const dovecot = await startDovecot({ accounts: { [login]: secret }, settings })
    try {
      const client = async (port: number): Promise<TagClient> => {
        const made = new TagClient(connect({ port, host: '127.0.0.1' }))
        await made.ask(`LOGIN ${login} "${secret}"`)
        return made
      }
      const mine = await client(ours.port(143))
      const theirs = await client(dovecot.imapPort)
      const bytes = await fill(mine, 'Watari', say)
      await indexed(mine, say)
      await fill(theirs, 'Dovecot', say)
      const index = bytesBelow(join(ours.dir, 'store/fts'))
      say(`index ${mb(index)} MB for ${mb(bytes)} MB of mail: ${(index / bytes).toFixed(2)}`)
      const rows = [['search', 'found', 'Watari', 'Dovecot', 'times faster']]
      for (const [what, keys] of Object.entries(SEARCHES)) {
        const [ms, found] = await timesOf(mine, keys, ROUNDS)
        const [other, count] = await timesOf(theirs, keys, 1)
        const same = count === found ? found : `${found} / ${count}`
        rows.push([what, same, ms.toFixed(1), other.toFixed(0), (other / ms).toFixed(0)])
      }
      say(table(rows))
    } finally {
      await dovecot.stop()
      await ours.remove()
    }
  },
}

const SEARCHES: Readonly<Record<string, string>> = {
  'two characters, 1 of 5,000': `TEXT "${RARE[0]}"`,
  'two characters, 1 of 100': `TEXT "${SOME[0]}"`,
  'two characters, none': `TEXT "${MISSING}"`,
  'one character, 1 of 100': `BODY "${SOME[0][0]!}"`,
  'eight characters, 1 of 5,000': `BODY "${RARE[0]}観察記録"`,
  'AND of three': `TEXT "${SOME[0]}" TEXT "会議" BODY "資料"`,
  'part of an address': 'FROM "nder77@oth"',
  'part of a word, ASCII': 'TEXT "otice-4217"',
  'a common word of four': 'BODY "お知らせ"',
  subject: `SUBJECT "${SOME[0]}"`,
}

/** The count of a search, and its median time. */
async function timesOf(client: TagClient, keys: string, rounds: number): Promise<[number, string]> {
  const times: number[] = []
  const octets = toLatin1(fromUtf8(keys))
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await client.ask(`UID SEARCH RETURN (COUNT) CHARSET UTF-8 ${octets}`)
    times.push(performance.now() - began)
  }
  const count = /COUNT (\d+)/.exec(client.tail.slice(client.tail.lastIndexOf('* ESEARCH')))
  return [median(times), count?.[1] ?? '?']
}

async function fill(client: TagClient, name: string, say: (line: string) => void): Promise<number> {
  const began = performance.now()
  seed = MAILS_SEED // the same mails on both sides
  let bytes = 0
  const sent: Promise<number>[] = []
  for (let n = 0; n < MAILS; n++) {
    const octets = mail(n)
    bytes += octets.length
    sent.push(client.ask(`APPEND INBOX {${octets.length}+}\r\n${octets}`))
    if (sent.length >= WINDOW) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
  await client.ask('SELECT INBOX')
  say(`${name} filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  return bytes
}

/** Waits until a search of what is not there is answered by the index. */
async function indexed(client: TagClient, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  for (let ms = Infinity; ms > 400;) {
    if (performance.now() - began > INDEX_MS_MAX) throw new Error('the index does not come')
    ms = (await timesOf(client, `TEXT "${MISSING}"`, 1))[0]
  }
  say(`Watari indexed ${((performance.now() - began) / 1_000).toFixed(0)} s after the last mail`)
}

function bytesBelow(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

const mb = (bytes: number): string => (bytes / 1e6).toFixed(0)

const MAILS_SEED = 2
let seed = 1
const random = (below: number): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const SYLLABLES = Array.from(
  '会議資料送付確認依頼件名部署連絡予定変更研究室学生大学経費申請出張報告書類提出期限本日明日午前午後時間場所参加者検討結果方針計画実施状況',
)
const PARTICLES = Array.from('のをにはがでとからまでよりますですしたいるこれそれあれため')
const WORDS = Array.from({ length: 4_000 }, () =>
  Array.from({ length: 2 + random(3) }, () => SYLLABLES[random(SYLLABLES.length)]!).join(''),
)
/** Few words are common, as in a language. */
const word = (): string => WORDS[Math.floor((random(1_000_000) / 1_000_000) ** 2.2 * WORDS.length)]!
const token = (length: number): string =>
  Array.from({ length }, () => 'ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/'[random(44)]!).join('')

/** Octets of one message, one character each: some 3.5 kB, with the fields that mail comes with. */
function mail(n: number): string {
  let body = n % 3 === 0 ? 'お知らせです。\r\n' : ''
  while (body.length < BODY_CHARS) {
    for (let i = 0; i < 8; i++) body += word() + PARTICLES[random(PARTICLES.length)]!
    body += random(2) === 0 ? '。\r\n' : '。'
  }
  if (n % RARE[1] === 7) body += `${RARE[0]}観察記録です。\r\n`
  if (n % SOME[1] === 7) body += `山の${SOME[0]}です。\r\n`
  const subject = n % 1_000 === 7 ? `${SOME[0]}の件` : `${word()}の件`
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const head =
    `Received: from mx${random(50)}.other.example ([192.0.2.${random(255)}])\r\n\tby mail.campus.example with ESMTPS id ${token(12)};\r\n\tFri, 27 Nov 2026 09:12:${10 + random(49)} +0900\r\n` +
    `DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=s1;\r\n\th=from:to:subject; bh=${token(44)};\r\n\tb=${token(340)}\r\n` +
    `From: =?UTF-8?B?${base64(word())}?= <sender${n % 1_000}@other.example>\r\nTo: hanako@campus.example\r\n` +
    `Subject: =?UTF-8?B?${base64(subject)}?=\r\nMessage-ID: <notice-${n}.${token(12)}@other.example>\r\n` +
    'Date: Fri, 27 Nov 2026 09:12:00 +0900\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
  return toLatin1(fromUtf8(head + body))
}
