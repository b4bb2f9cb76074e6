import type { Socket } from 'node:net'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { Admission } from '#net/admission.ts'
import type { AdmissionLimits, Admitted } from '#net/admission.ts'
import { listen } from '#net/listen.ts'
import { peerAddress } from '#net/peer.ts'
import { startTls } from '#net/tls.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { Directory } from '#store/directory/directory.ts'
import { AddressBook } from './address-book.ts'
import type { RowsListener } from './address-book.ts'
import { LdapSession } from './session.ts'

export interface LdapLimits extends AdmissionLimits {
  readonly loginTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly transferTimeoutMs: number
  readonly loginFailuresMax: number
}

const LDAP_LIMITS: LdapLimits = {
  connectionsMax: 5_000,
  connectionsPerIpMax: 1_000,
  loginTimeoutMs: MINUTE_MS,
  idleTimeoutMs: 15 * MINUTE_MS,
  transferTimeoutMs: 60 * SECOND_MS,
  loginFailuresMax: 6,
}

/** What all listeners of a process share. */
export interface LdapShared {
  readonly directory: Directory
  readonly book: AddressBook
  readonly limits: LdapLimits
  readonly admission: Admission
  /** Entries of one answer. */
  readonly resultsMax: () => number
}

export const ldapShared = (options: {
  readonly directory: Directory
  readonly clock: Clock
  readonly onRows: (listener: RowsListener) => void
  readonly withGroups: () => boolean
  readonly resultsMax: () => number
  readonly limits?: Partial<LdapLimits>
}): LdapShared => ({
  directory: options.directory,
  book: new AddressBook(options),
  limits: { ...LDAP_LIMITS, ...options.limits },
  admission: new Admission(),
  resultsMax: options.resultsMax,
})

export interface LdapListenerOptions {
  readonly listen: { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  readonly tls: 'starttls' | 'implicit'
  readonly identity: () => TlsIdentity
  readonly authenticator: Authenticator
  /** Whether passwords are taken without TLS, by the client's address: for loopback and tests. */
  readonly allowPlaintext?: (ip: string) => boolean
  readonly shared: LdapShared
  readonly clock: Clock
  readonly log: Log
}

export interface LdapListener {
  readonly port: number
  /** Accepts no more, and gives those that are there `graceMs` to end. */
  close(graceMs: number): Promise<void>
}

/** Listens for LDAP (RFC 4511), as an address book that is read only. Throws Fault `config` where the place cannot be had. */
export async function serveLdap(options: LdapListenerOptions): Promise<LdapListener> {
  const { shared, clock, log } = options
  const sockets = new Set<Socket>()
  const sessions = new Set<LdapSession>()

  const run = async (socket: Socket, ip: string, admitted: Admitted): Promise<void> => {
    const secure = options.tls === 'implicit'
    const ready = secure ? await startTls(socket, options.identity(), { clock }) : socket
    if (ready === undefined) return
    const session = new LdapSession(options, { socket: ready, ip, secure, admitted })
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
      const admitted = shared.admission.admit(ip, shared.limits, () => socket.destroy())
      if (admitted === undefined) {
        log.warn('ldap.refused', { ip })
        socket.destroy() // a server speaks first to nobody here (RFC 4511 §4.4)
        return
      }
      socket.once('close', admitted.leave)
      run(socket, ip, admitted).catch((thrown: unknown) => {
        log.error('ldap.failed', { ip, error: messageOf(thrown) })
        socket.destroy()
      })
    },
  })

  return {
    port: listening.port,
    async close(graceMs) {
      await listening.close()
      for (const session of sessions) session.bye()
      const ended = new AbortController()
      const look = (): void => {
        if (sockets.size === 0) ended.abort()
      }
      for (const socket of sockets) socket.once('close', look)
      look()
      await sleep(clock, graceMs, ended.signal)
      for (const socket of sockets) socket.destroy()
    },
  }
}
