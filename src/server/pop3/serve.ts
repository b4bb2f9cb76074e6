import type { Socket } from 'node:net'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { Admission } from '#net/admission.ts'
import type { AdmissionLimits, Admitted } from '#net/admission.ts'
import { closeSocket } from '#net/close.ts'
import { listen } from '#net/listen.ts'
import { peerAddress } from '#net/peer.ts'
import { startTls } from '#net/tls.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import { endFallen } from '#store/directory/standing.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { Pop3Session } from './session.ts'

export interface Pop3Limits extends AdmissionLimits {
  readonly loginTimeoutMs: number
  /** RFC 1939 §3 asks for 10 minutes at least. */
  readonly idleTimeoutMs: number
  readonly transferTimeoutMs: number
  readonly errorsMax: number
  readonly loginFailuresMax: number
}

const POP3_LIMITS: Pop3Limits = {
  connectionsMax: 5_000,
  connectionsPerIpMax: 1_000,
  loginTimeoutMs: 3 * MINUTE_MS,
  idleTimeoutMs: 10 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  errorsMax: 20,
  loginFailuresMax: 6,
}

const REFUSAL_TIMEOUT_MS = 2 * SECOND_MS

/** Accounts that a session of this process has open: one at a time (RFC 1939 §4). */
export interface Pop3Shared {
  readonly store: MailboxStore
  readonly limits: Pop3Limits
  readonly open: Set<AccountId>
  readonly admission: Admission
  /** Whether a maildrop shows the mailbox Junk and those below it too, asked at each login. */
  readonly withJunk: () => boolean
}

export const pop3Shared = (options: {
  readonly store: MailboxStore
  readonly limits?: Partial<Pop3Limits>
  readonly withJunk?: () => boolean
}): Pop3Shared => ({
  store: options.store,
  limits: { ...POP3_LIMITS, ...options.limits },
  open: new Set(),
  admission: new Admission(),
  withJunk: options.withJunk ?? (() => false),
})

export interface Pop3ListenerOptions {
  readonly listen: { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  readonly tls?: 'starttls' | 'implicit'
  readonly identity?: () => TlsIdentity
  readonly hostname: string
  readonly authenticator: Authenticator
  /** Whether passwords are taken without TLS, by the client's address: for loopback and tests. */
  readonly allowPlaintext?: boolean | ((ip: string) => boolean)
  /** Shared by all listeners of a process. */
  readonly shared: Pop3Shared
  readonly clock: Clock
  readonly log: Log
}

export interface Pop3Listener {
  readonly port: number
  connections(): number
  /** Accepts no more, ends sessions that wait, and gives the others `graceMs`. */
  close(graceMs: number): Promise<void>
}

/** Listens for POP3 (RFC 1939). Throws Fault `config` where the place cannot be had. */
export async function servePop3(options: Pop3ListenerOptions): Promise<Pop3Listener> {
  const sockets = new Set<Socket>()
  const sessions = new Set<Pop3Session>()
  const stopLooking = endFallen(sessions, {
    ...options,
    accountOf: (session) => session.account,
    end: (session) => session.bye(),
  })

  const run = async (socket: Socket, ip: string, admitted: Admitted): Promise<void> => {
    const implicit = options.tls === 'implicit'
    const ready = implicit ? await secured(socket, options) : socket
    if (ready === undefined) return
    const session = new Pop3Session(options, { socket: ready, ip, secure: implicit, admitted })
    sessions.add(session)
    await session.run()
    sessions.delete(session)
  }

  const listening = await listen({
    ...options.listen,
    onSocket: (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      const { ip } = peerAddress(socket)
      const admitted = options.shared.admission.admit(ip, options.shared.limits, () =>
        socket.destroy(),
      )
      if (admitted === undefined) return refuse(socket, ip, options)
      socket.once('close', admitted.leave)
      run(socket, ip, admitted).catch((thrown: unknown) => {
        options.log.error('pop3.failed', { ip, error: messageOf(thrown) })
        socket.destroy()
      })
    },
  })

  return {
    port: listening.port,
    connections: () => sockets.size,
    async close(graceMs) {
      stopLooking()
      await listening.close()
      for (const session of sessions) session.bye()
      const ended = new AbortController()
      const look = (): void => {
        if (sockets.size === 0) ended.abort()
      }
      for (const socket of sockets) socket.once('close', look)
      look()
      await sleep(options.clock, graceMs, ended.signal)
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function secured(
  socket: Socket,
  { identity, clock }: Pop3ListenerOptions,
): Promise<Socket | undefined> {
  const current = identity?.()
  if (current === undefined) socket.destroy()
  return current === undefined ? undefined : startTls(socket, current, { clock })
}

function refuse(socket: Socket, ip: string, { tls, clock, log }: Pop3ListenerOptions): void {
  log.warn('pop3.refused', { ip })
  if (tls === 'implicit') socket.destroy()
  else {
    socket.write('-ERR [SYS/TEMP] Too many connections\r\n')
    // Who hears it and stays away from ending would hold a descriptor for ever.
    void closeSocket(socket, { clock, timeoutMs: REFUSAL_TIMEOUT_MS })
  }
}
