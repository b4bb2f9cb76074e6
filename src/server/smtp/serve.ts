import type { Socket } from 'node:net'
import { clientNetwork } from '#base/client-network.ts'
import { renderReply } from '#codec/smtp/reply.ts'
import { closeSocket } from '#net/close.ts'
import { listen } from '#net/listen.ts'
import { peerAddress } from '#net/peer.ts'
import { SECOND_MS } from '#base/time.ts'
import { endFallen } from '#store/directory/standing.ts'
import { SMTP_LIMITS } from './options.ts'
import type { MailListenerOptions, SmtpLimits } from './options.ts'
import { reply } from './replies.ts'
import { SmtpSession } from './session.ts'

export interface MailListener {
  /** The port really listened on; 0 for a Unix socket. */
  readonly port: number
  /** Accepts no more; idle sessions hear 421, running transactions have `graceMs` to finish. */
  close(graceMs: number): Promise<void>
  connections(): number
  /** Serves a connection that came by another way, with its errors caught. */
  take(socket: Socket): void
}

const REFUSAL_TIMEOUT_MS = 2 * SECOND_MS
/** Peers that are being turned away; more are cut off without a word. */
const REFUSALS_MAX = 100

/** Serves MX, relay, submission or LMTP at one place. Throws Fault `config` where it is taken. */
export async function serveMail(options: MailListenerOptions): Promise<MailListener> {
  const sessions = new Map<SmtpSession, Promise<void>>()
  const perIp = new Map<string, number>()
  let refusing = 0

  const limitsNow = (): SmtpLimits => ({
    ...SMTP_LIMITS,
    ...(typeof options.limits === 'function' ? options.limits() : options.limits),
  })

  const refuse = (socket: Socket, text: string): void => {
    if (options.tls === 'implicit' || refusing >= REFUSALS_MAX) {
      socket.destroy()
      return
    }
    refusing++
    socket.write(renderReply(reply(421, '4.7.0', text)))
    void closeSocket(socket, { clock: options.clock, timeoutMs: REFUSAL_TIMEOUT_MS }).then(
      () => refusing--,
    )
  }

  const onSocket = (socket: Socket): void => {
    const limits = limitsNow()
    const { ip } = peerAddress(socket)
    const client = clientNetwork(ip)
    const ofIp = perIp.get(client) ?? 0
    if (sessions.size >= limits.connectionsMax)
      return refuse(socket, 'too many connections; try again later')
    if (ofIp >= limits.connectionsPerIpMax)
      return refuse(socket, `too many connections from ${ip}; try again later`)
    perIp.set(client, ofIp + 1)
    const session = new SmtpSession(socket, options, limits)
    const running = session.run().finally(() => {
      sessions.delete(session)
      const left = (perIp.get(client) ?? 1) - 1
      if (left > 0) perIp.set(client, left)
      else perIp.delete(client)
    })
    sessions.set(session, running)
  }

  const { authenticator } = options
  const stopLooking =
    authenticator &&
    endFallen(
      { [Symbol.iterator]: () => sessions.keys() },
      {
        clock: options.clock,
        authenticator,
        accountOf: (session) => session.account,
        end: (session) => session.cutOff(),
      },
    )

  const listening = await listen({ ...options.listen, onSocket })
  return {
    port: listening.port,
    connections: () => sessions.size,
    take: onSocket,
    async close(graceMs) {
      stopLooking?.()
      await listening.close()
      for (const session of sessions.keys()) session.drain()
      const cancel = options.clock.after(graceMs, () => {
        for (const session of sessions.keys()) session.destroy()
      })
      await Promise.all(sessions.values())
      cancel()
    },
  }
}
