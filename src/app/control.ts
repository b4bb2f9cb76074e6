import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'

import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { pinOf } from '#base/pin.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, systemClock } from '#base/time.ts'
import { LMTP_PATH } from '#contract/node/wire.ts'
import { keptBinds } from './nodes/kept-binds.ts'
import { ExpiryNotices } from '#engine/people/expiry-notices.ts'
import { AccountUpkeep } from '#engine/people/account-upkeep.ts'
import { Calendar } from '#engine/people/calendar.ts'
import { HomeKeeper } from '#engine/home/home-keeper.ts'
import { ListFilters } from '#engine/people/list-filters.ts'
import { changeOwnMembership } from '#engine/list/own-membership.ts'
import { OwnChoices } from '#engine/people/own-choices.ts'
import { SourceKeeper } from '#engine/people/source-keeper.ts'
import { SourceLogins } from '#engine/people/source-logins.ts'
import { findCycle } from '#engine/route/check.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { joinDoor } from '#server/node/join-door.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { declaredNode, NodeHub } from '#server/node/node-hub.ts'
import { keyOf } from '#server/node/peer-key.ts'
import { ApiTokens } from '#store/directory/api-tokens.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { createAuthenticator } from '#store/directory/login.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { lifeRulesOf } from '#store/settings/life-rules.ts'
import { scriptFault } from '#engine/deliver/scripts.ts'
import { DkimRotation } from '#engine/sender/dkim-rotation.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'

import { readFirstRun } from './start/first-run.ts'
import { listenersOf, readHost } from './start/host.ts'
import { naming } from './start/naming.ts'
import { NodeCallers } from './nodes/node-callers.ts'
import {
  cutRemoved,
  openNodeDoor,
  passLmtp,
  refuseUpgrade,
  takeUpgrade,
} from './nodes/node-door.ts'
import {
  closeServer,
  openListeners,
  readNodeIdentity,
  roleState,
  servePath,
} from './nodes/node-parts.ts'
import { resolverOf } from './resolver.ts'
import { recurring } from './storage/recurring.ts'
import { runRole } from './role.ts'
import type { ScanBench } from './judging/scan-bench.ts'
import { sieveBench } from './judging/sieve-bench.ts'
import { StorageChild } from './storage/child-process.ts'
import { VERSION } from '#base/version.ts'
import { serveWeb } from './web/web.ts'
import { giveSaltKeys, seed } from './control/first-directory.ts'
import { lazyAdmin } from './control/lazy-admin.ts'
import { changeAppPassword, rehash } from './control/node-writes.ts'
import { sendNotice } from './control/notice.ts'
import { ownStore, stateOfStore } from './control/own-store.ts'
import { remoteRooms } from './control/remote-rooms.ts'
import { remoteScriptStore } from './nodes/script-home-calls.ts'

/** Control can tell nothing before it has read its directory, so that it waits for a slow disk at its start. */
const STORAGE_MS_MAX = 30 * SECOND_MS
const ROTATION_LOOKS = { name: 'dkim rotation', firstMs: MINUTE_MS, everyMs: HOUR_MS }

runRole('control', async ({ place, log, atFailure }) => {
  const clock = systemClock
  const host = readHost(place.dir)
  const { apiTokenSha256, apiTokens = [] } = host
  if (apiTokenSha256 === undefined)
    throw new Fault('config', `${join(place.dir, 'host.yaml')}: apiTokenSha256 is missing`)
  const storage = new StorageChild({
    kind: 'control',
    dir: join(place.dir, 'control'),
    clock,
    log,
    startMsMax: STORAGE_MS_MAX,
  })
  atFailure.defer(() => storage.stop())
  await storage.start()
  const directoryLog = storage.service('directory')
  const settingsStore = storage.service('settings')
  const index = storage.service('index')
  const settings = new SettingsMaster({ store: settingsStore, clock, scriptFault })
  const lives = new AccountClock({
    clock,
    rules: () => lifeRulesOf(settings.loaded),
    onJump: (byMs) => log.warn('directory.clockJumped', { byMs }),
    isControls: true,
  })
  const notes = storage.service('upkeep')
  const calendar = new Calendar({ lives, notes, clock, log })
  await calendar.recall()
  const directory = new DirectoryMaster({
    log: directoryLog,
    clock,
    lives,
    checks: [findCycle],
    images: directoryLog,
    trouble: log,
  })
  await directory.load()
  if (directory.directory.seq === 0) await seed(directory, readFirstRun(place.dir))
  await naming(join(place.dir, 'control', 'settings.db'), settings.load())
  await calendar.begin()
  const nodeIdentity = readNodeIdentity(place.dir)
  const own = host.roles
    .filter((role) => role === 'store')
    .map((role) => ({ name: host.node, role, own: true }))
  const book = new NodeBook({
    registry: storage.service('nodes'),
    clock,
    pin: pinOf(nodeIdentity.certificate),
    own,
  })
  await book.load()
  const ownChoices = new OwnChoices({
    directory,
    settings: () => settings.settings,
    send: (mail) => sendNotice(callers, mail),
  })
  const hub = new NodeHub({
    settings,
    directory,
    log: directoryLog,
    index,
    clock,
    calendar,
    trouble: log,
    nodes: {
      get places() {
        return [...book.places, ...ownStore(host, pinOf(nodeIdentity.certificate))]
      },
      onChange: (listener) => book.onChange(listener),
      moved: (node, at) => book.moved(node, at),
    },
    ...(own.length > 0 && { storeState: () => stateOfStore(hub) }),
    credential: (made, node) => rehash(directory, settings, made, node),
    uses: storage.service('uses'),
    appPassword: (change, node) => changeAppPassword(directory, change, node),
    choices: (accountId, act, node) => ownChoices.act(accountId, act, `webmail at ${node}`),
    membership: (act, node) =>
      changeOwnMembership(directory, act, { from: `list mail at ${node}`, atMs: clock.nowMs() }),
    scripts: (change) => home.changeScripts(change),
    identify: (request) =>
      request.socket instanceof TLSSocket ? joinedNode(book, request) : declaredNode(request),
  })
  const callers = new NodeCallers({
    book,
    identity: nodeIdentity,
    own: host.roles,
    runDir: place.runDir,
    clock,
  })
  const home = new HomeKeeper({
    directory,
    log: directoryLog,
    shelf: storage.service('home'),
    scriptShelf: storage.service('scriptHome'),
    scriptStore: () => remoteScriptStore(callers.store().caller),
    clock,
    trouble: log,
    scramIterations: () =>
      settings.settings['auth.scram'] ? settings.settings['auth.scramIterations'] : undefined,
  })
  await home.start()
  // A disk that takes nothing just now keeps control from nothing: the next start tries again.
  await giveSaltKeys(directory).catch((cause: unknown) => {
    if (!isFault(cause)) throw cause
    log.warn('directory.noSaltKeys', { cause: messageOf(cause) })
  })
  // The judges are loaded when somebody first asks for them.
  let bench: Promise<ScanBench> | undefined
  const judges = (): Promise<ScanBench> =>
    (bench ??= import('./judging/scan-bench.ts').then(({ scanBench }) =>
      scanBench({ settings: () => settings.settings, clock, log }),
    ))
  const notices = new ExpiryNotices({
    directory,
    log,
    days: () => settings.settings['account.noticeBefore'].map((ms) => Math.round(ms / DAY_MS)),
    send: (mail) => sendNotice(callers, mail),
  })
  const texts = async (name: string): Promise<readonly string[] | undefined> => {
    const answer = await resolverOf(settings.settings).txt(name)
    return answer.kind === 'found' ? answer.records : answer.kind === 'none' ? [] : undefined
  }
  const rotation = new DkimRotation({
    directory,
    settings: () => settings.settings,
    texts,
    send: (mail) => sendNotice(callers, mail),
    clock,
    log,
  })
  const rotating = recurring(clock, ROTATION_LOOKS, (isClosed) => rotation.run(isClosed))
  const upkeep = new AccountUpkeep({ directory, notes, clock, log, notices, calendar })
  const filters = new ListFilters({ directory, clock, log })
  const sources = new SourceKeeper({
    directory,
    clock,
    log,
    news: filters.news,
    shelf: storage.service('sources'),
  })
  const logins = new SourceLogins(directory.directory, clock)
  const tokenLog = storage.service('tokens')
  const tokens = [{ name: 'admin', sha256: apiTokenSha256 }, ...apiTokens]
  const madeTokens = new ApiTokens({
    shelf: tokenLog,
    clock,
    log,
    taken: tokens.map(({ name }) => name),
  })
  await madeTokens.load()
  const deps: AdminDeps = {
    version: VERSION,
    clock,
    tokens,
    apiTokens: madeTokens,
    tokenLog,
    authenticator: createAuthenticator({
      directory: directory.directory,
      clock,
      log,
      binds: keptBinds({
        bind: (origin, password) => logins.check(origin, password),
        shelf: storage.service('binds'),
        settings: () => settings.settings,
        onSettings: (listener) => settings.onChange(listener),
        clock,
        log,
      }),
    }),
    sources,
    filters,
    upkeep,
    calendar,
    home,
    sessionShelf: storage.service('sessions'),
    uses: storage.service('uses'),
    directory,
    directoryLog,
    settings,
    settingsStore,
    hub,
    nodes: book,
    ...remoteRooms(callers),
    index,
    texts,
    scan: async (message) => (await judges()).scan(message),
    sieve: sieveBench,
  }
  const nodeServer = await servePath(join(place.runDir, 'node.sock'), hub.listener)
  const adminServer = await servePath(join(place.runDir, 'admin.sock'), lazyAdmin(deps, log))
  const nodeDoors = await openListeners(listenersOf(host, 'node'), log, (listener) =>
    openNodeDoor({
      identity: nodeIdentity,
      listener,
      onRequest: joinDoor({
        registry: storage.service('nodes'),
        clock,
        log,
        domain: host.domain,
        own,
        joined: (node) => book.joined(node),
        next: hub.listener,
      }),
      // The store of this machine has no door of its own for joined gateways.
      onUpgrade: (pin, path, socket, head) => {
        const isGateway = pin !== undefined && book.holder(pin)?.role === 'gateway'
        if (!isGateway || path !== LMTP_PATH || !host.roles.includes('store'))
          return refuseUpgrade(socket)
        passLmtp(takeUpgrade(socket, head), join(place.runDir, 'lmtp.sock'))
      },
    }),
  )
  book.onChange(cutRemoved(nodeDoors.opened, () => book.nodes.map(({ pin }) => pin)))
  // Where a store runs here as well, the web is its own: it works while control is down.
  const web = await openListeners(
    host.roles.includes('store') ? [] : listenersOf(host, 'https'),
    log,
    (listener) =>
      serveWeb({
        dir: place.dir,
        listener,
        adminSocket: join(place.runDir, 'admin.sock'),
        pages: place.pages,
      }),
  )
  return {
    listening: [...nodeDoors.listened, ...web.listened],
    state: () => roleState(storage.state()),
    stop: async () => {
      hub.close()
      await sources.close()
      await filters.close()
      await upkeep.close()
      calendar.close()
      rotating.close()
      await home.close()
      closeServer(nodeServer)
      closeServer(adminServer)
      await Promise.all([...nodeDoors.opened, ...web.opened].map((door) => door.close(0)))
      await (await bench)?.close()
      directory.stop()
      await storage.stop()
    },
  }
})

/** Who holds the key that the peer has shown; undefined: nobody of ours. */
function joinedNode(book: NodeBook, request: IncomingMessage) {
  const pin = keyOf(request)
  const node = pin === undefined ? undefined : book.holder(pin)
  return node && { node: node.name, role: node.role }
}
