import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendBy } from '#test/e2e/wire.ts'
import type { Installation } from '#test/e2e/installation.ts'
import { smtpSource } from '#test/peers/postfix.ts'
import { addAccounts } from './fill.ts'
import { LmtpConnection, messageOf, personalTimes } from './lmtp-load.ts'
import { copyCosts } from './post-copies.ts'
import { benchInstallation, median, quantile, table, watari, type Part } from './setup.ts'

const MEMBERS = Number(process.env['WATARI_BENCH_ACCOUNTS'] ?? 10_000)
const SINGLES = 2_000
const ROUNDS = 3
const OCTETS = 4_096
const LIST = 'everybody@campus.example'
const LOOK_MS = 250
const QUIET_MS = 5_000

/** A post by submission to a list of persons, beside single messages that the same gateway accepts. */
export const posts: Part = {
  name: 'posts',
  what: `a post to a list of ${MEMBERS.toLocaleString('en')} persons, beside as many single messages, and a personal mail meanwhile`,
  async run(say) {
    await copyCosts(say)
    const ours = await benchInstallation()
    try {
      await ours.stop()
      await addAccounts(join(ours.dir, 'control', 'directory.db'), MEMBERS)
      await ours.start()
      await makeList(ours)
      await watari(ours, ['dkim', 'create', 'campus.example'])
      await watari(ours, ['dkim', 'activate', 'campus.example', '--force'])
      const personal = ours.firstRun.accounts[0]!.address
      const beside = await LmtpConnection.open(ours.port(24))
      // The first post makes the mailboxes of all.
      await post(ours, 0)
      const singles: number[] = []
      const rounds: Steps[] = []
      const meanwhile: number[] = []
      for (let round = 1; round <= ROUNDS; round++) {
        singles.push(await singleRate(ours))
        await drained(ours)
        const posting = post(ours, round)
        meanwhile.push(...(await personalTimes(beside, personal, posting, OCTETS)))
        rounds.push(await posting)
      }
      const alone = await personalTimes(beside, personal, sleep(QUIET_MS), OCTETS)
      const single = (MEMBERS / median(singles)) * 1_000
      const of = (step: keyof Steps): number => median(rounds.map((each) => each[step]))
      const row = (what: string, ms: number): readonly string[] => [
        what,
        ms.toFixed(0),
        (ms / single).toFixed(3),
      ]
      say(
        table([
          ['what', 'ms', 'of single ones'],
          row(`${MEMBERS} single messages accepted, 20 connections`, single),
          row('from the accept of the post to its number (expanded, committed)', of('postedMs')),
          row('… until the last member has it (signed, queued, filed)', of('deliveredMs')),
        ]),
      )
      for (const [name, times] of [
        ['alone', alone],
        ['beside posts', meanwhile],
      ] as const)
        say(
          `a personal mail ${name}: median ${median(times).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms of ${times.length}`,
        )
      beside.close()
    } finally {
      await ours.remove()
    }
  },
}

/** Milliseconds from the accept of a post on. */
interface Steps {
  /** Its number is given: members are known, and what goes out is committed. */
  readonly postedMs: number
  readonly deliveredMs: number
}

async function makeList(ours: Installation): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'watari-bench-posts-'))
  try {
    const file = join(dir, 'aliases')
    const members = Array.from({ length: MEMBERS }, (_, i) => `user${i}`)
    writeFileSync(file, `everybody: ${members.join(', ')}\n`)
    const from = ['--from', 'aliases', '--domain', 'campus.example', '--owner', 'admin']
    await watari(ours, ['list', 'import', file, ...from])
    await watari(ours, ['list', 'settings', LIST, 'posting=domain', 'warnAbove=100000'])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Posts as a person with a login, and waits for the last member's copy. */
async function post(ours: Installation, round: number): Promise<Steps> {
  const user = 'hanako'
  const login = { user, password: ours.password(user) }
  const way = { port: ours.port(465), tls: 'implicit', ca: ours.ca, login } as const
  const id = `<post-${process.pid}-${round}@campus.example>`
  const content = messageOf(round, OCTETS)
    .replace(/^From: .*/, `From: ${user}@campus.example`)
    .replace(/Message-ID: .*/, `Message-ID: ${id}`)
  const answer = await sendBy(way, { from: `${user}@campus.example`, to: LIST, content })
  if (!answer.startsWith('250')) throw new Error(answer)
  for (;;) {
    await sleep(LOOK_MS)
    // Thousands of events are asked for once nothing is left to do.
    if ((await queued(ours)) > 0) continue
    const events = await eventsOf(ours, id)
    const at = (name: string): number[] =>
      events.filter((each) => each.name === name).map((each) => Date.parse(each.at))
    const copies = events
      .filter(({ name, fields }) => name === 'store.filed' && fields['mailboxes'] === 'INBOX')
      .map((each) => Date.parse(each.at))
    const [posted] = at('list.posted')
    const [accepted] = at('receive.accepted')
    if (posted === undefined || accepted === undefined || copies.length < MEMBERS) continue
    return {
      postedMs: posted - accepted,
      deliveredMs: copies.reduce((a, b) => Math.max(a, b)) - accepted,
    }
  }
}

/** Single messages a second that the gateway takes for its queue, by 20 connections. */
async function singleRate(ours: Installation): Promise<number> {
  const began = performance.now()
  const to = ours.firstRun.accounts[0]!.address
  const args = `-d -s 20 -m ${SINGLES} -l ${OCTETS} -f sender@else.example -t ${to}`
  await smtpSource(ours.port(25), args.split(' '))
  return SINGLES / ((performance.now() - began) / 1_000)
}

const queued = async (ours: Installation): Promise<number> =>
  (JSON.parse(await watari(ours, ['status', '--json'])) as { queue: { messages: number } }).queue
    .messages

async function drained(ours: Installation): Promise<void> {
  while ((await queued(ours)) > 0) await sleep(LOOK_MS)
}

interface Told {
  readonly at: string
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
}

async function eventsOf(ours: Installation, id: string): Promise<readonly Told[]> {
  const told = await watari(ours, ['trace', id, '--json'])
  const { items } = JSON.parse(told) as { items: readonly { events: readonly Told[] }[] }
  return items.flatMap(({ events }) => events)
}
