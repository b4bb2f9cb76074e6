import { join } from 'node:path'

import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { TlsIdentity } from '#net/tls.ts'
import { isLoopback } from '#store/directory/guessing.ts'
import type { SourceLogins } from '#engine/people/source-logins.ts'
import type { BindShelf } from '#store/directory/bind-shelf.ts'
import { appProtocolOf } from '#store/directory/app-passwords.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import type { DirectoryImages } from '#store/directory/image-file.ts'
import { accountIdOf } from '#store/directory/row-key.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { EventBuffer } from '#store/events/event-buffer.ts'
import type { EventLog } from '#store/events/event-log.ts'
import type { Space } from '#store/blob/blobs.ts'
import type { SettingsCopy } from '#store/settings/settings-copy.ts'

import { listenersOf, portOf, readHost } from '#app/start/host.ts'
import type { Host } from '#app/start/host.ts'
import { JoinedNode } from './joined-node.ts'
import { naming } from '#app/start/naming.ts'
import { loadNode, readIdentity, readNodeIdentity, roleState, withAilments } from './node-parts.ts'
import type { LittleSpace } from './node-parts.ts'
import { FOLDERS } from '#app/role-names.ts'
import type { NodeRoleName } from '#app/role-names.ts'
import type { RolePlace, RoleState } from '#app/role.ts'
import { joinedSiblings, ownSiblings } from './siblings.ts'
import type { Siblings } from './siblings.ts'
import type { StorageState } from '#app/storage/child-process.ts'
import { VERSION } from '#base/version.ts'
import { keptBinds } from './kept-binds.ts'
import { renewed } from './new-credential.ts'
import { ToldUses } from './told-uses.ts'

const LOOK_AT_SPACE_MS = SECOND_MS

/** The part of each node's storage that is the same. */
interface NodeStorage {
  start(): Promise<void>
  stop(): Promise<void>
  state(): StorageState
  service(name: 'replica'): DirectoryReplica & DirectoryImages
  service(name: 'copy'): SettingsCopy
  service(name: 'events'): EventLog
  service(name: 'binds'): BindShelf
}

/** What all roles but control have in common, started. */
export interface NodeRole {
  readonly host: Host
  readonly identity: TlsIdentity
  readonly node: JoinedNode
  readonly siblings: Siblings
  readonly events: EventBuffer
  readonly authenticator: ReturnType<typeof createAuthenticator>
  readonly state: () => RoleState
  /** What doors go by: `state` without what is wrong though all is served. */
  readonly standing: () => RoleState
  /** Of a peer's address: passwords may go without TLS. */
  readonly allowPlaintext: (ip: string) => boolean
  /** Where users shall send, for refusals that name it. */
  readonly texts: () => {
    readonly authHost: string
    readonly authPorts: readonly { readonly port: number; readonly tls: 'implicit' | 'starttls' }[]
  }
  /** `doors` closes what takes work; then what was told is written, and the storage ends. */
  stop(doors: () => Promise<void>): Promise<void>
}

/**
 * Starts a node's storage, reads its copies of what control hands down, and joins control. A storage
 * that does not answer is waited for behind the open doors. Throws the Fault that no restart will mend.
 */
export async function startNode(options: {
  readonly name: NodeRoleName
  readonly place: RolePlace
  readonly storage: NodeStorage
  /** Of its volume; absent: nothing is kept here. */
  readonly space?: () => Promise<Space>
  /** What is wrong beside its storage though all is served: a line each. */
  readonly ailments?: () => readonly string[]
  /** How what it leans on is; the worse of both is the role's state. */
  readonly beyond?: () => RoleState
  readonly clock: Clock
  readonly log: Log
}): Promise<NodeRole> {
  const { name, place, storage, clock, log } = options
  const host = readHost(place.dir)
  const identity = readIdentity(place.dir)
  await storage.start()
  const dir = join(place.dir, FOLDERS[name])
  let littleSpace: LittleSpace | undefined
  const standing = (): RoleState => {
    const own = roleState(storage.state(), littleSpace)
    return own.state === 'ready' && options.beyond !== undefined ? options.beyond() : own
  }
  const state = (): RoleState => {
    const ailments = storage.state().ailments ?? []
    return withAilments(standing(), [...ailments, ...(options.ailments?.() ?? [])])
  }
  const eventLog = storage.service('events')
  const node = new JoinedNode({
    dial: (options) => siblings.control(options),
    clock,
    log,
    node: host.control === undefined ? name : host.node,
    role: name,
    replica: storage.service('replica'),
    images: storage.service('replica'),
    copy: storage.service('copy'),
    events: eventLog,
    beat: () => ({ ...state(), version: VERSION, pid: process.pid, ...listens(host) }),
  })
  const events = new EventBuffer({
    log: eventLog,
    clock,
    trouble: log,
    onFlushed: () => node.link.poke(),
  })
  const siblings =
    host.control === undefined
      ? ownSiblings({
          runDir: place.runDir,
          name,
          identity: readNodeIdentity(place.dir),
          places: () => node.places,
          clock,
        })
      : joinedSiblings({
          host,
          control: host.control,
          identity: readNodeIdentity(place.dir),
          places: () => node.places,
          onPlaces: (listener) => node.onPlaces(listener),
          clock,
          log,
        })
  // Loaded when the first login asks another directory: most installations have none.
  let asking: Promise<SourceLogins> | undefined
  const logins = (): Promise<SourceLogins> =>
    (asking ??= import('#engine/people/source-logins.ts').then(
      (loaded) => new loaded.SourceLogins(node.directory, clock),
    ))
  const stopping = new AbortController()
  const copy = join(dir, 'settings.json')
  await naming(copy, loadNode(node, { clock, log, signal: stopping.signal }))
  const uses = new ToldUses({ tell: (some) => node.link.used(some), clock })
  const watch = setInterval(() => {
    options.space?.().then(
      ({ full, freeBytes }) => (littleSpace = full ? { dir, freeBytes } : undefined),
      () => undefined,
    )
  }, LOOK_AT_SPACE_MS)
  watch.unref()
  return {
    host,
    identity,
    node,
    siblings,
    events,
    authenticator: createAuthenticator({
      directory: node.directory,
      clock,
      log,
      changes: (listener) =>
        node.onRows((keys) => {
          if (keys === 'all') return listener('all')
          const accounts = new Set(keys.flatMap((key) => accountIdOf(key) ?? []))
          if (accounts.size > 0) listener(accounts)
        }),
      scram: () => ({
        enabled: node.settings['auth.scram'],
        iterations: node.settings['auth.scramIterations'],
      }),
      binds: keptBinds({
        bind: async (origin, password) => (await logins()).check(origin, password),
        shelf: storage.service('binds'),
        settings: () => node.settings,
        onSettings: (listener) => node.onSettings(listener),
        clock,
        log,
      }),
      onAppPassword: ({ id: accountId, appPassword: id = '' }, { ip, protocol: at }) => {
        const protocol = appProtocolOf(at)
        if (protocol !== undefined) uses.used({ accountId, id, ip, protocol })
      },
      onDated: (account, password) => {
        // Where control is away, the next start of this process tries again.
        renewed(account, password, {
          settings: node.settings,
          sourceOf: (source) => node.directory.source(source),
        })
          .then(async (made) => {
            if (made !== undefined) await node.link.credential(made)
          })
          .catch((cause: unknown) => log.warn('auth.notRehashed', { cause: messageOf(cause) }))
      },
    }),
    state,
    standing,
    allowPlaintext: (ip) => isLoopback(ip) && node.settings['auth.allowPlaintext'],
    texts: () => ({
      authHost: `smtp.${host.domain}`,
      authPorts: [
        { port: portOf(host, 'submissions'), tls: 'implicit' },
        { port: portOf(host, 'submission'), tls: 'starttls' },
      ],
    }),
    stop: async (doors) => {
      stopping.abort()
      uses.stop()
      clearInterval(watch)
      await doors()
      node.stop()
      await events.flush().catch((cause: unknown) => {
        if (!isFault(cause)) throw cause
      })
      await storage.stop()
    },
  }
}

/** Of a machine that has joined: control is told where the others reach it, each time anew. */
function listens(host: Host): { listens?: { address: string; port: number } } {
  const [listener] = listenersOf(host, 'node')
  if (host.control === undefined || listener === undefined) return {}
  return { listens: { address: listener.address, port: listener.port } }
}
