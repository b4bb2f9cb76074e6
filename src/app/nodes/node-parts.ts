import type { RequestListener, Server } from 'node:http'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import type { Dial } from '#client/node/request.ts'
import { createServer, request } from '#net/http.ts'
import { TlsIdentity } from '#net/tls.ts'

import type { Listener } from '#app/start/host.ts'
import type { JoinedNode } from './joined-node.ts'
import type { Listened, RoleState } from '#app/role.ts'
import type { StorageState } from '#app/storage/child-process.ts'

/** Talks to a node API on a Unix socket of this machine. */
export const dialPath =
  (path: string): Dial =>
  (options) =>
    request({ ...options, socketPath: path })

/** Serves a node API, or the administration API, on a Unix socket that only our own user can open. */
export function servePath(path: string, listener: RequestListener): Promise<Server> {
  rmSync(path, { force: true }) // of a predecessor that was killed
  const server = createServer(listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

export function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}

/** The certificate of DIR/tls, as it is now. */
export const readIdentity = (dir: string): TlsIdentity =>
  new TlsIdentity({
    certificate: readFileSync(join(dir, 'tls', 'server.pem'), 'utf8'),
    key: readFileSync(join(dir, 'tls', 'server.key'), 'utf8'),
  })

/** The key that this machine shows to the other nodes. */
export const readNodeIdentity = (dir: string): NodeIdentity => ({
  certificate: readFileSync(join(dir, 'tls', 'node.pem'), 'utf8'),
  key: readFileSync(join(dir, 'tls', 'node.key'), 'utf8'),
})

interface Closable {
  readonly port: number
  close(graceMs: number): Promise<void>
}

/**
 * Opens each listener; an address that this machine does not have (::1 where IPv6 is off) is a
 * warning, a port that is taken ends the start.
 */
export async function openListeners<L extends Closable>(
  listeners: readonly Listener[],
  log: Log,
  open: (listener: Listener) => Promise<L>,
): Promise<{ readonly opened: readonly L[]; readonly listened: readonly Listened[] }> {
  const opened: L[] = []
  const listened: Listened[] = []
  for (const listener of listeners) {
    const { protocol, address } = listener
    try {
      const one = await open(listener)
      opened.push(one)
      listened.push({ protocol, address, port: one.port })
    } catch (thrown) {
      if (!isAbsentAddress(thrown)) throw thrown
      log.warn('listen.absent', { protocol, address, cause: messageOf(thrown) })
    }
  }
  return { opened, listened }
}

function isAbsentAddress(thrown: unknown): boolean {
  const cause = isFault(thrown) ? thrown.cause : thrown
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
}

/** Reads the node's copies; where its storage does not answer yet, goes on trying behind the open doors. */
export async function loadNode(
  node: JoinedNode,
  parts: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await node.load()
    void node.link.run()
    await firstRows(node, parts)
  } catch (thrown) {
    if (!isFault(thrown, 'stalled') && !isFault(thrown, 'closed')) throw thrown
    parts.log.warn('node.waiting', { cause: messageOf(thrown) })
    void loadLater(node, parts)
  }
}

const FIRST_ROWS_MS = 10 * SECOND_MS
const FIRST_ROWS_POLL_MS = 20

/** A node that never had a directory waits for its first one: else its first peers would be told 451. */
async function firstRows(node: JoinedNode, parts: Parameters<typeof loadNode>[1]): Promise<void> {
  const end = parts.clock.monotonicMs() + FIRST_ROWS_MS
  while (node.directory.seq === 0 && !parts.signal.aborted && parts.clock.monotonicMs() < end)
    await sleep(parts.clock, FIRST_ROWS_POLL_MS, parts.signal)
}

async function loadLater(node: JoinedNode, parts: Parameters<typeof loadNode>[1]): Promise<void> {
  while (!parts.signal.aborted) {
    await sleep(parts.clock, SECOND_MS, parts.signal)
    try {
      await node.load()
      return await node.link.run()
    } catch (thrown) {
      parts.log.warn('node.waiting', { cause: messageOf(thrown) })
    }
  }
}

/** A role's word about itself, from its storage's; `space` where that is below its reserve. */
export function roleState(storage: StorageState, space?: LittleSpace): RoleState {
  if (storage.kind !== 'ready')
    return { state: 'stalled', reason: storage.reason ?? `storage ${storage.kind}` }
  if (space === undefined) return { state: 'ready' }
  const freeMib = Math.floor(space.freeBytes / (1024 * 1024))
  return { state: 'full', reason: `${space.dir}: ${freeMib} MiB free, below the reserve` }
}

/** A volume without room for new mail. */
export interface LittleSpace {
  readonly dir: string
  readonly freeBytes: number
}

/** The same, where it takes work: what is wrong all the same. */
export const withAilments = (own: RoleState, ailments: readonly string[]): RoleState =>
  own.state === 'ready' && ailments.length > 0
    ? { state: 'degraded', reason: ailments.join('; ').slice(0, REASON_CHARACTERS_MAX) }
    : own

/** What a beat may say. */
const REASON_CHARACTERS_MAX = 1_000
