import { connect } from 'node:net'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { startDovecot } from '#test/peers/dovecot.ts'
import { benchInstallation, median, table, watari, type Part } from './setup.ts'
import { TagClient } from './tag-client.ts'

/** Different mails; larger mailboxes hold copies of them. */
const MAILS = 10_000
const MAIL_OCTETS = 3_400
const SIZES = (process.env['WATARI_BENCH_ROWS'] ?? '1000,100000').split(',').map(Number)
const ROUNDS = 9
const ENVELOPES = 'ENVELOPE BODYSTRUCTURE'

/** Opening and reading mailboxes by IMAP, each answer counted to its last octet. */
export const reading: Part = {
  name: 'reading',
  what: `SELECT, STATUS and FETCH by IMAP, ms, beside Dovecot; mailboxes of ${SIZES.join(', ')}`,
  async run(say) {
    const ours = await benchInstallation()
    await watari(ours, ['settings', 'set', 'auth.allowPlaintext', 'true'])
    const login = 'hanako'
    const secret = ours.password(login)
    const dovecot = await startDovecot({
      accounts: { [login]: secret },
      settings: 'mail_location = sdbox:~/sdbox',
    })
    try {
      const sides: readonly Side[] = [
        { name: 'Watari', port: () => ours.port(143), login, secret },
        { name: 'Dovecot', port: () => dovecot.imapPort, login, secret },
      ]
      for (const side of sides) await fill(side, say)
      const rows = [['what', 'Watari', 'Dovecot', 'ratio']]
      const both = async (what: string, measure: (side: Side) => Promise<number>) => {
        const mine = await measure(sides[0]!)
        const theirs = await measure(sides[1]!)
        rows.push([what, mine.toFixed(1), theirs.toFixed(1), (mine / theirs).toFixed(2)])
      }
      await ours.stop()
      await ours.start()
      for (const size of SIZES) await both(`${size}: first FETCH 1:* (UID FLAGS)`, firstFlags(size))
      await ours.stop()
      await ours.start()
      await both(`first FETCH of ${MAILS} (${ENVELOPES})`, firstEnvelopes)
      for (const size of SIZES) {
        await both(`${size}: LOGIN, SELECT, STATUS`, opening(size))
        await both(`${size}: SELECT`, selecting(size))
        await both(`${size}: FETCH 1:* (UID FLAGS)`, fetching(size, 'FETCH 1:* (UID FLAGS)'))
      }
      const few = SIZES.find((size) => size >= MAILS) ?? SIZES[0]!
      await both(
        `FETCH of ${MAILS} (${ENVELOPES})`,
        fetching(few, `FETCH 1:${MAILS} (${ENVELOPES})`),
      )
      await both('FETCH of 1000 (BODY.PEEK[])', fetching(few, 'FETCH 1:1000 (BODY.PEEK[])'))
      say(table(rows))
    } finally {
      await dovecot.stop()
      await ours.remove()
    }
  },
}

export interface Side {
  readonly name: string
  readonly port: () => number
  readonly login: string
  readonly secret: string
}

const boxOf = (size: number): string => `size-${size}`

async function fill(side: Side, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  const client = await logIn(side)
  await client.ask('CREATE source')
  const sent: Promise<number>[] = []
  for (let n = 0; n < MAILS; n++) {
    const octets = mail(n)
    sent.push(client.insist(`APPEND source {${octets.length}+}\r\n${octets}`))
    if (sent.length >= 200) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
  await client.ask('SELECT source')
  for (const size of SIZES) {
    await client.ask(`CREATE ${boxOf(size)}`)
    for (let left = size; left > 0; left -= MAILS)
      await client.insist(`COPY 1:${Math.min(left, MAILS)} ${boxOf(size)}`)
  }
  client.end()
  say(`${side.name} filled in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
}

/** Octets of one message, one character each. */
export function mail(n: number): string {
  const head =
    `From: 送信者${n % 100} <s${n % 100}@other.example>\r\nTo: hanako@campus.example\r\n` +
    `Cc: 同報 <cc@campus.example>\r\nSubject: =?utf-8?B?${Buffer.from(`会議のお知らせ ${n}`).toString('base64')}?=\r\n` +
    `Message-ID: <${n}@other.example>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0900\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
  const part = (type: string, text: string) =>
    `--b\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}\r\n`
  const plain = part('text/plain', `本文 ${n}`)
  const html = part('text/html', '<p>会議</p>\r\n'.repeat(150)).slice(0, MAIL_OCTETS - 700)
  return toLatin1(fromUtf8(`${head}${plain}${html}\r\n--b--\r\n`))
}

export async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await run()
  return performance.now() - began
}

async function medianOf(run: () => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) times.push(await run())
  return median(times)
}

/** From the login on, as a program that looks for new mail each minute. */
const opening = (size: number) => (side: Side) =>
  medianOf(() =>
    timed(async () => {
      const client = await logIn(side)
      await client.ask(`SELECT ${boxOf(size)}`)
      await client.ask(`STATUS ${boxOf(size)} (MESSAGES UNSEEN UIDNEXT)`)
      client.end()
    }),
  )

const selecting = (size: number) => async (side: Side) => {
  const client = await logIn(side)
  const time = await medianOf(() => timed(() => client.ask(`SELECT ${boxOf(size)}`)))
  client.end()
  return time
}

const firstFlags = (size: number) => async (side: Side) => {
  const client = await logIn(side)
  const time = await timed(async () => {
    await client.ask(`SELECT ${boxOf(size)}`)
    await client.ask('FETCH 1:* (UID FLAGS)')
  })
  client.end()
  return time
}

const firstEnvelopes = async (side: Side) => {
  const client = await logIn(side)
  await client.ask('SELECT source')
  const time = await timed(() => client.ask(`FETCH 1:* (${ENVELOPES})`))
  client.end()
  return time
}

const fetching = (size: number, command: string) => async (side: Side) => {
  const client = await logIn(side)
  await client.ask(`SELECT ${boxOf(size)}`)
  const time = await medianOf(() => timed(() => client.ask(command)))
  client.end()
  return time
}

export async function logIn({ port, login, secret }: Side): Promise<TagClient> {
  const client = new TagClient(connect({ port: port(), host: '127.0.0.1' }))
  await client.ask(`LOGIN ${login} "${secret}"`)
  return client
}
