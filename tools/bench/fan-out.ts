import { connect } from 'node:net'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { install } from '#test/e2e/installation.ts'
import { addAccounts } from './fill.ts'
import { LmtpConnection, lmtpRate, messageOf, personalTimes } from './lmtp-load.ts'
import { median, quantile, table, watari, type Part } from './setup.ts'

const MEMBERS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 10_000)
const SINGLES = 2_000
const ROUNDS = 3
const OCTETS = 4_096
const QUIET_MS = 3_000
const LOOK_MS = 200

/** A post for 10,000 mailboxes in one transaction, as the queue hands it over, beside single deliveries. */
export const fanOut: Part = {
  name: 'fan-out',
  what: `one mail for ${MEMBERS.toLocaleString('en')} mailboxes, beside as many single ones, and a personal mail meanwhile`,
  needsPeers: false,
  async run(say) {
    const ours = await install({
      dir: mkdtempSync(join(tmpdir(), 'watari-bench-fan-')),
      bind: ['127.0.0.1'],
    })
    try {
      await watari(ours, ['settings', 'set', 'judge.enabled', 'false'])
      await ours.stop()
      await addAccounts(join(ours.dir, 'control', 'directory.db'), MEMBERS)
      await ours.start()
      const members = Array.from({ length: MEMBERS }, (_, i) => `user${i}@campus.example`)
      const personal = ours.firstRun.accounts[0]!.address
      const runtime = JSON.parse(readFileSync(join(ours.dir, 'runtime.json'), 'utf8')) as {
        readonly runDir: string
      }
      const post = await LmtpConnection.over(connect(join(runtime.runDir, 'lmtp.sock')))
      const beside = await LmtpConnection.open(ours.port(24))
      await known(() => LmtpConnection.open(ours.port(24)), members.at(-1)!)
      // First mails make their mailboxes: all have theirs before anything is measured.
      await post.deliver(members, messageOf(0, OCTETS))
      const load = { connections: 10, count: SINGLES, recipients: members, octets: OCTETS }
      const rates: number[] = []
      const posts: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        rates.push(await lmtpRate(ours.port(24), load))
        const began = performance.now()
        await post.deliver(members, messageOf(round, OCTETS))
        posts.push(performance.now() - began)
      }
      const alone = await personalTimes(beside, personal, sleep(QUIET_MS), OCTETS)
      const posting = Array.from({ length: ROUNDS }).reduce<Promise<unknown>>(
        (before) => before.then(() => post.deliver(members, messageOf(9, OCTETS))),
        Promise.resolve(),
      )
      const meanwhile = await personalTimes(beside, personal, posting, OCTETS)
      const single = MEMBERS / median(rates)
      const fan = median(posts) / 1_000
      say(
        table([
          ['what', 's'],
          [`${MEMBERS} single deliveries, 10 connections`, single.toFixed(2)],
          ['one for all of them', fan.toFixed(2)],
          ['ratio', (fan / single).toFixed(3)],
        ]),
      )
      for (const [name, times] of [
        ['alone', alone],
        ['beside posts', meanwhile],
      ] as const)
        say(
          `a personal mail ${name}: median ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms of ${times.length}`,
        )
      post.close()
      beside.close()
    } finally {
      await ours.remove()
    }
  },
}

/** Waits until the store knows the recipient: a start does not wait for its directory. */
async function known(open: () => Promise<LmtpConnection>, recipient: string): Promise<void> {
  for (;;) {
    const connection = await open()
    try {
      await connection.deliver([recipient], messageOf(0, OCTETS))
      return
    } catch {
      await sleep(LOOK_MS)
    } finally {
      connection.close()
    }
  }
}
