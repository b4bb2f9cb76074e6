import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDovecot } from '#test/peers/dovecot.ts'
import { logIn, mail, timed, type Side } from './reading.ts'
import { benchInstallation, diskMiB, table, watari, type Part } from './setup.ts'
import type { TagClient } from './tag-client.ts'

/** What one mailbox grows to, and what is looked at of its beginning and its end. */
const ROWS = Number(process.env['WATARI_BENCH_ROWS'] ?? 1_000_000)
const SHARE = Math.max(1_000, ROWS / 100)
/** Different mails for the octets on the disk, and the rows that one COPY copies. */
const MAILS = Math.min(ROWS, 100_000)
const COPIES = 5
/** A look each minute, and one more until the old segments go. */
const COMPACTED_MS = 180_000

/** One mailbox from its first message to its last: APPEND, COPY, and what it takes of the disk. */
export const growth: Part = {
  name: 'growth',
  what: `APPEND up to ${ROWS.toLocaleString('en')} messages, COPY of ${MAILS.toLocaleString('en')}, and their disk, beside Dovecot`,
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
      const mine: Side = { name: 'Watari', port: () => ours.port(143), login, secret }
      const theirs: Side = { name: 'Dovecot', port: () => dovecot.imapPort, login, secret }
      const rows = [['what', 'Watari', 'Dovecot', 'ratio']]
      const compare = (what: string, a: number, b: number) =>
        rows.push([what, a.toFixed(2), b.toFixed(2), (a / b).toFixed(2)])

      const disks = [join(ours.dir, 'store'), dovecot.mailFolder]
      const before = disks.map(diskMiB)
      const sides = [mine, theirs]
      const append = await inTurn(sides, appended)
      compare(`APPEND of ${MAILS} in the pipe, ms each`, append[0]! / MAILS, append[1]! / MAILS)
      const compareDisks = (when: string): void => {
        const took = disks.map((disk, i) => diskMiB(disk) - before[i]!)
        compare(`disk of ${MAILS} of 3.4 kB ${when}, MiB`, took[0]!, took[1]!)
      }
      compareDisks('as they came')
      await sleep(COMPACTED_MS)
      compareDisks('three minutes later')
      const copy = await inTurn(sides, copied)
      compare(`COPY of ${MAILS}, the ${COPIES}th into one mailbox, ms`, copy[0]!, copy[1]!)

      const { first, last } = await flat(mine)
      rows.push([`first ${SHARE} APPENDs, ms each`, first.toFixed(2), '', ''])
      rows.push([`last ${SHARE} of ${ROWS}, ms each`, last.toFixed(2), '', ''])
      rows.push(['last beside first', (last / first).toFixed(2), '', ''])
      say(table(rows))
    } finally {
      await dovecot.stop()
      await ours.remove()
    }
  },
}

async function inTurn(
  sides: readonly Side[],
  measure: (side: Side) => Promise<number>,
): Promise<number[]> {
  const times: number[] = []
  for (const side of sides) times.push(await measure(side))
  return times
}

async function appended(side: Side): Promise<number> {
  const client = await logIn(side)
  await client.ask('CREATE source')
  const time = await timed(() => appendInPipe(client, 'source', MAILS))
  client.end()
  return time
}

async function appendInPipe(client: TagClient, mailbox: string, count: number): Promise<void> {
  const sent: Promise<number>[] = []
  for (let n = 0; n < count; n++) {
    const octets = mail(n)
    sent.push(client.insist(`APPEND ${mailbox} {${octets.length}+}\r\n${octets}`))
    if (sent.length >= 100) await Promise.all(sent.splice(0))
  }
  await Promise.all(sent)
}

async function copied(side: Side): Promise<number> {
  const client = await logIn(side)
  await client.ask('CREATE copies')
  await client.ask('SELECT source')
  let time = 0
  for (let i = 0; i < COPIES; i++) time = await timed(() => client.ask('COPY 1:* copies'))
  client.end()
  return time
}

/** One APPEND after the other: the first ones of a mailbox, and those that come last, behind copies of the first. */
async function flat(side: Side): Promise<{ readonly first: number; readonly last: number }> {
  const client = await logIn(side)
  await client.ask('CREATE grown')
  const few = async (): Promise<number> => {
    const time = await timed(async () => {
      for (let n = 0; n < SHARE; n++) {
        const octets = mail(n)
        await client.insist(`APPEND grown {${octets.length}+}\r\n${octets}`)
      }
    })
    return time / SHARE
  }
  const first = await few()
  await client.ask('SELECT source')
  for (let rows = SHARE; rows < ROWS - SHARE;) {
    const some = Math.min(MAILS, ROWS - SHARE - rows)
    await client.ask(`COPY 1:${some} grown`)
    rows += some
  }
  const last = await few()
  client.end()
  return { first, last }
}
