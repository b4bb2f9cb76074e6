import type { Socket } from 'node:net'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Admission, AdmissionLimits, Admitted } from './admission.ts'
import { closeSocket } from './close.ts'
import { listen } from './listen.ts'
import { peerAddress } from './peer.ts'
import { startTls } from './tls.ts'
import type { TlsIdentity } from './tls.ts'

/** A client that was let in; with `secure` inside TLS already. */
export interface DoorClient {
  readonly socket: Socket
  readonly ip: string
  readonly secure: boolean
  readonly admitted: Admitted
}

/** One connection as its door sees it. */
interface DoorSession {
  /** Serves until the connection ends. */
  run(): Promise<void>
  /** Ends as soon as its client waits: for shutdown. */
  bye(): void
}

export interface DoorOptions<S extends DoorSession> {
  /** Of the protocol: its log events are `NAME.failed` and `NAME.refused`. */
  readonly name: string
  readonly listen: { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  readonly tls?: 'starttls' | 'implicit'
  readonly identity?: () => TlsIdentity
  readonly admission: Admission
  readonly limits: () => AdmissionLimits
  /** What one that is too many hears in plain text; absent: nothing. */
  readonly tooMany?: string
  readonly open: (client: DoorClient) => S
  readonly clock: Clock
  readonly log: Log
}

export interface Door<S> {
  readonly port: number
  readonly sessions: ReadonlySet<S>
  connections(): number
  /** Accepts no more, ends sessions that wait, and gives the others `graceMs`. */
  close(graceMs: number): Promise<void>
}

const REFUSAL_TIMEOUT_MS = 2 * SECOND_MS

/**
 * Listens, lets connections in as they are admitted, makes them TLS where that comes first, and has each
 * served by a session. Throws Fault `config` where the place cannot be had.
 */
export async function openDoor<S extends DoorSession>(options: DoorOptions<S>): Promise<Door<S>> {
  const { name, clock, log } = options
  const sockets = new Set<Socket>()
  const sessions = new Set<S>()

  const run = async (socket: Socket, ip: string, admitted: Admitted): Promise<void> => {
    const secure = options.tls === 'implicit'
    const ready = secure ? await secured(socket, options) : socket
    if (ready === undefined) return
    const session = options.open({ socket: ready, ip, secure, admitted })
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
      const admitted = options.admission.admit(ip, options.limits(), () => socket.destroy())
      if (admitted === undefined) return refuse(socket, ip, options)
      socket.once('close', admitted.leave)
      run(socket, ip, admitted).catch((thrown: unknown) => {
        log.error(`${name}.failed`, { ip, error: messageOf(thrown) })
        socket.destroy()
      })
    },
  })

  return {
    port: listening.port,
    sessions,
    connections: () => sockets.size,
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

type Rules = Pick<
  DoorOptions<DoorSession>,
  'name' | 'tls' | 'identity' | 'tooMany' | 'clock' | 'log'
>

async function secured(socket: Socket, { identity, clock }: Rules): Promise<Socket | undefined> {
  const current = identity?.()
  if (current === undefined) socket.destroy()
  return current === undefined ? undefined : startTls(socket, current, { clock })
}

function refuse(socket: Socket, ip: string, { name, tls, tooMany, clock, log }: Rules): void {
  log.warn(`${name}.refused`, { ip })
  if (tls === 'implicit' || tooMany === undefined) socket.destroy()
  else {
    socket.write(tooMany)
    // Who hears it and stays away from ending would hold a descriptor for ever.
    void closeSocket(socket, { clock, timeoutMs: REFUSAL_TIMEOUT_MS })
  }
}
