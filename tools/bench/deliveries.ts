import { startDovecot } from '#test/peers/dovecot.ts'
import { lmtpRate } from './lmtp-load.ts'
import { benchInstallation, median, table, type Part } from './setup.ts'

const CONNECTIONS = [1, 10, 50]
const OCTETS = 4_096
const ROUNDS = 3
const ROUND_SECONDS = 4
const TRIAL = 200

/** LMTP deliveries a second into three mailboxes, each answered 250 after it is durable; turn about. */
export const deliveries: Part = {
  name: 'deliveries',
  what: 'LMTP deliveries a second, 4 kB, three mailboxes in turn',
  async run(say) {
    const ours = await benchInstallation()
    const recipients = ours.firstRun.accounts.map(({ address }) => address)
    const dovecot = await startDovecot({
      accounts: Object.fromEntries(recipients.map((address) => [address, 'secret'])),
      settings: 'service lmtp {\n  process_min_avail = 4\n  client_limit = 1\n}',
    })
    try {
      say(`${dovecot.version}:\n${dovecot.settings.replaceAll(/^/gm, '    ')}`)
      const rows = [['connections', 'Watari', 'Dovecot', 'ratio']]
      for (const connections of CONNECTIONS) {
        const measure = (port: number, count: number): Promise<number> =>
          lmtpRate(port, { connections, count, recipients, octets: OCTETS })
        const sides = [ours.port(24), dovecot.lmtpPort].map((port) => ({
          port,
          count: TRIAL,
          rates: [] as number[],
        }))
        for (const side of sides) {
          await measure(side.port, TRIAL)
          side.count = Math.max(
            TRIAL,
            Math.round((await measure(side.port, TRIAL)) * ROUND_SECONDS),
          )
        }
        for (let round = 0; round < ROUNDS; round++)
          for (const side of sides) side.rates.push(await measure(side.port, side.count))
        const [mine = 0, theirs = 0] = sides.map(({ rates }) => median(rates))
        rows.push([
          String(connections),
          mine.toFixed(0),
          theirs.toFixed(0),
          (mine / theirs).toFixed(2),
        ])
      }
      say(table(rows))
    } finally {
      await dovecot.stop()
      await ours.remove()
    }
  },
}
