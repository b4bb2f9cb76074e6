import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** One name over several servers, as a load balancer makes it. */
export interface Balancer {
  readonly port: number
  /** Connections that it has taken up to now. */
  readonly taken: number
  /** Whom new connections are led to from now on, in turn. */
  lead(ports: readonly number[]): void
  /** Connections that `cutBehind` has ended. */
  readonly cuts: number
  /** The next connection over which a server says so many octets ends with them. */
  cutBehind(bytes: number): void
  /** Ends all connections that stand. */
  cut(): void
  stop(): Promise<void>
}

/** Leads connections to the ports in turn, octet by octet; to one that takes none they end at once. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>()
  let to = ports
  let taken = 0
  let cuts = 0
  let cutNext: number | undefined
  const server = createServer((client) => {
    const behind = connect(to[taken++ % to.length]!, '127.0.0.1')
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.pipe(behind).pipe(client)
    let passed = 0
    behind.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (cutNext === undefined || passed < cutNext || client.destroyed) return
      cutNext = undefined
      cuts++
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get taken() {
      return taken
    },
    get cuts() {
      return cuts
    },
    cutBehind: (bytes) => void (cutNext = bytes),
    lead: (next) => void (to = next),
    cut,
    stop: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
