import { LineClient } from '#test/fake/line-client.ts'
import { smtpSource } from '#test/peers/postfix.ts'
import { benchInstallation, median, type Part } from './setup.ts'

const ROUNDS = 21

/** From the MX's 250 (smtp-source's end) to EXISTS in an idling IMAP session. */
export const latency: Part = {
  name: 'latency',
  what: 'accept at the MX to EXISTS in IDLE, ms; one message at a time',
  async run(say) {
    const ours = await benchInstallation()
    try {
      const imap = LineClient.tls(ours.port(993))
      await imap.line()
      await imap.command(`LOGIN hanako "${ours.password('hanako')}"`)
      await imap.command('SELECT INBOX')
      imap.send('idle IDLE\r\n')
      await imap.response((line) => line.startsWith('+'))
      const times: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const exists = imap.response((line) => line.endsWith(' EXISTS'))
        const began = performance.now()
        await smtpSource(ours.port(25), ['-l', '4096', '-t', 'hanako@campus.example'])
        const accepted = performance.now()
        await exists
        times.push(performance.now() - accepted)
        if (round === 0)
          say(`the first, accept included: ${(performance.now() - began).toFixed(0)} ms`)
      }
      imap.end()
      say(
        `median ${median(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms of ${ROUNDS}` +
          ' (negative or near 0: it was there before smtp-source had ended)',
      )
    } finally {
      await ours.remove()
    }
  },
}
