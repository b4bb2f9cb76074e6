import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import type { MailListenerOptions } from '#server/smtp/options.ts'
import { serveMail } from '#server/smtp/serve.ts'
import type { MailListener } from '#server/smtp/serve.ts'
import { FakeReception } from './reception.ts'
import { SmtpPeer } from './smtp-peer.ts'

export interface ServedForTest {
  readonly listener: MailListener
  readonly reception: FakeReception
  peer(): Promise<SmtpPeer>
  /** A peer whose MAIL has been accepted. */
  begun(mail?: string): Promise<SmtpPeer>
  end(): Promise<void>
}

/** A mail listener on a port of its own with a reception that keeps what it gets. */
export async function serveForTest(
  options: Partial<Omit<MailListenerOptions, 'reception'>> & {
    readonly door: MailListenerOptions['door']
    readonly reception?: FakeReception
  },
): Promise<ServedForTest> {
  const reception = options.reception ?? new FakeReception()
  const listener = await serveMail({
    listen: { address: '127.0.0.1', port: 0 },
    hostname: 'mx.campus.example',
    texts: () => ({
      authHost: 'mail.campus.example',
      authPorts: [
        { port: 587, tls: 'starttls' },
        { port: 465, tls: 'implicit' },
      ],
    }),
    clock: systemClock,
    log: silentLog,
    ...options,
    reception,
  })
  const peer = (): Promise<SmtpPeer> => SmtpPeer.open({ host: '127.0.0.1', port: listener.port })
  return {
    listener,
    reception,
    peer,
    async begun(mail = 'MAIL FROM:<sender@client.example>') {
      const opened = await peer()
      await opened.reply()
      await opened.say(options.door === 'lmtp' ? 'LHLO client.example' : 'EHLO client.example')
      await opened.say(mail)
      return opened
    },
    end: () => listener.close(0),
  }
}
