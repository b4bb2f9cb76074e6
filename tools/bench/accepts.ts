import type { Installation } from '#test/e2e/installation.ts'
import { smtpSource, startPostfix, startSmtpSink } from '#test/peers/postfix.ts'
import type { Postfix } from '#test/peers/postfix.ts'
import { benchInstallation, median, table, watari, type Part } from './setup.ts'

const CONNECTIONS = [1, 20, 100]
const SIZES = [
  { name: '4 kB', octets: 4_096 },
  { name: '64 kB', octets: 65_536 },
]
const ROUNDS = 3
/** Long enough to pass over one slow sync, short enough to take turns. */
const ROUND_SECONDS = 4

/**
 * Messages a second that are answered 250 after they are durable. Both sides take mail for campus.example by
 * SMTP from smtp-source, connections used again, and hand it on to a sink meanwhile; turn about, each
 * once the other's queue is empty.
 */
export const accepts: Part = {
  name: 'accepts',
  what: 'durable accepts a second, judging off, both relaying to one smtp-sink',
  async run(say) {
    const sink = await startSmtpSink()
    const ours = await benchInstallation()
    const postfix = await startPostfix({
      transports: { 'campus.example': `smtp:[127.0.0.1]:${sink.port}` },
      settings: { default_process_limit: '200' },
    })
    try {
      await watari(ours, ['route', 'set', 'campus.example', `smtp:127.0.0.1:${sink.port}`])
      say(`${postfix.version}:\n${postfix.settings.replaceAll(/^/gm, '    ')}`)
      const rows = [['size', 'connections', 'Watari', 'Postfix', 'ratio']]
      for (const { name, octets } of SIZES)
        for (const connections of CONNECTIONS) {
          const sides: Side[] = [
            { port: ours.port(25), waiting: () => queuedHere(ours), count: 0, rates: [] },
            { port: postfix.port, waiting: () => queuedThere(postfix), count: 0, rates: [] },
          ]
          for (const side of sides) {
            side.count = await calibrate(side.port, connections, octets)
            await drained(side)
          }
          for (let round = 0; round < ROUNDS; round++)
            for (const side of sides) {
              side.rates.push(await rate(side.port, connections, octets, side.count))
              await drained(side)
            }
          const [mine = 0, theirs = 0] = sides.map(({ rates }) => median(rates))
          rows.push([
            name,
            String(connections),
            mine.toFixed(0),
            theirs.toFixed(0),
            (mine / theirs).toFixed(2),
          ])
          say(
            `${name} ${connections}: Watari ${listed(sides[0]?.rates)}, Postfix ${listed(sides[1]?.rates)} a second`,
          )
        }
      say(table(rows))
    } finally {
      await postfix.stop()
      await ours.remove()
      await sink.stop()
    }
  },
}

interface Side {
  readonly port: number
  /** Messages that it has accepted and not handed on yet. */
  readonly waiting: () => Promise<number>
  count: number
  readonly rates: number[]
}

const queuedHere = async (ours: Installation): Promise<number> =>
  (JSON.parse(await watari(ours, ['status', '--json'])) as { queue: { messages: number } }).queue
    .messages

const queuedThere = async (postfix: Postfix): Promise<number> =>
  (await postfix.run('/usr/sbin/postqueue', ['-j'])).split('\n').filter(Boolean).length

const DRAIN_MS_MAX = 60_000

/** What one side has still to hand on must not run into the other's turn. */
async function drained({ waiting }: Side): Promise<void> {
  const end = performance.now() + DRAIN_MS_MAX
  while ((await waiting()) > 0)
    if (performance.now() > end) throw new Error('a queue is not handed on within a minute')
}

const listed = (rates: readonly number[] = []): string =>
  rates.map((each) => each.toFixed(0)).join(' ')

/** How many messages fill a round; also warms up. */
async function calibrate(port: number, connections: number, octets: number): Promise<number> {
  const trial = Math.max(200, connections * 4)
  await rate(port, connections, octets, trial)
  const perSecond = await rate(port, connections, octets, trial)
  return Math.max(trial, Math.round(perSecond * ROUND_SECONDS))
}

async function rate(
  port: number,
  connections: number,
  octets: number,
  count: number,
): Promise<number> {
  const began = performance.now()
  const args = `-d -s ${connections} -m ${count} -l ${octets} -f sender@else.example -t hanako@campus.example`
  await smtpSource(port, args.split(' '))
  return count / ((performance.now() - began) / 1_000)
}
