import { join } from 'node:path'

import { timedId } from '#base/id.ts'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import { scriptLists } from '#engine/deliver/script-lists.ts'
import { JunkReports } from '#engine/deliver/junk-reports.ts'
import { KnownFilings } from '#engine/deliver/known-filings.ts'
import { overlaid } from '#engine/deliver/overlaid.ts'
import { MailboxScripts } from '#engine/deliver/mailbox-scripts.ts'
import { HomedScripts } from '#engine/deliver/homed-scripts.ts'
import { mailOwner } from '#engine/deliver/mail-owner.ts'
import { Quotas } from '#engine/deliver/quotas.ts'
import type { AskedMailboxes } from '#engine/deliver/quotas.ts'
import { scriptsOf } from '#engine/deliver/scripts.ts'
import { toldScripts } from '#engine/deliver/told-scripts.ts'
import type { ScriptsBy } from '#engine/deliver/told-scripts.ts'
import type { LeaveLinks } from '#engine/list/leave-link.ts'
import { choicesView } from '#engine/people/choices-view.ts'
import { Expiry } from '#engine/retention/expiry.ts'
import { keepingOf } from '#engine/retention/keeping.ts'
import { Scrubbing } from '#engine/retention/scrubbing.ts'
import { accountNames } from '#server/imap/session/account-names.ts'
import { imapShared, serveImap } from '#server/imap/serve.ts'
import type { Jmap, JmapParts } from '#server/jmap/serve.ts'
import { manageSieveShared, serveManageSieve } from '#server/managesieve/serve.ts'
import { serveLeaving } from '#server/unsubscribe/serve.ts'
import { pop3Shared, servePop3 } from '#server/pop3/serve.ts'
import type { SessionShelf } from '#store/directory/session-shelf.ts'
import { SCRIPT_EVENTS_MAX } from '#store/mailbox/change/script-event.ts'
import type { MailboxChanged, StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { TextSearch } from '#store/search/text-search.ts'

import { openAddressBook } from './address-book.ts'
import { startLists } from './list-owner.ts'
import { listenersOf } from './start/host.ts'
import { openListeners } from './nodes/node-parts.ts'
import { startNode } from './nodes/node-role.ts'
import type { NodeRole } from './nodes/node-role.ts'
import { keepingCalls } from './nodes/keeping-calls.ts'
import { searchCalls } from './nodes/search-calls.ts'
import { postCalls } from './nodes/post-calls.ts'
import { scriptCalls } from './nodes/script-calls.ts'
import { scriptHomeCalls } from './nodes/script-home-calls.ts'
import { OutboxPump } from './nodes/outbox-pump.ts'
import type { RolePlace } from './role.ts'
import { FOLDERS } from './role-names.ts'
import { startSearch } from './search-owner.ts'
import { KnownMailboxes } from './storage/known-mailboxes.ts'
import { StorageChild } from './storage/child-process.ts'
import { LateCommits } from './storage/late-commits.ts'
import type { PurgeTold } from './storage/purge-daily.ts'
import type { DoorParts, OpenDoors } from './store-doors.ts'
import { serveWeb } from './web/web.ts'

export type ChangeListeners = Set<(change: StoreChanged) => void>

/** A node that owns mailboxes, with its storage and what hands on its outbox, before it opens doors. */
export interface MailboxOwner {
  readonly role: NodeRole
  /** Asked by quota. */
  readonly mailboxes: AskedMailboxes
  readonly quotas: Quotas
  readonly listeners: ChangeListeners
  readonly sessionShelf: SessionShelf
  readonly pump: OutboxPump
  readonly expiry: Expiry
  readonly search: TextSearch
  /** Users' own, as whoever changes them. */
  readonly scripts: ScriptsBy
  /** By which members of mailing lists leave them. */
  readonly leaveLinks: LeaveLinks
  /** Ends what it does by itself. */
  readonly close: () => Promise<void>
  /** What control may ask of it. */
  readonly calls: Readonly<Record<string, (argument: never) => Promise<unknown>>>
}

export async function startMailboxOwner(options: {
  readonly name: 'store' | 'serve'
  readonly place: RolePlace
  readonly clock: Clock
  readonly log: Log
  readonly atFailure: AsyncDisposableStack
}): Promise<MailboxOwner> {
  const { name, place, clock, log, atFailure } = options
  const listeners: ChangeListeners = new Set()
  const storage = new StorageChild({
    kind: 'mailbox',
    dir: join(place.dir, FOLDERS[name]),
    clock,
    log,
    onEnded: () => {
      filings.forgetAll()
      known.forgetAll()
    },
    onNotice: (topic, payload) => {
      if (topic === 'written') known.forgetAll()
      if (topic === 'changed') for (const tell of listeners) tell(payload as StoreChanged)
      if (topic === 'purge') tellPurge(payload as PurgeTold)
    },
    onLate: (late) => lateCommits.heard(late),
  })
  const lateCommits = new LateCommits({ mailboxes: storage.service('mailboxes'), clock, log })
  atFailure.defer(() => lateCommits.close())
  atFailure.defer(() => storage.stop())
  const tellPurge = ({ name, fields, remedy }: PurgeTold): void => {
    role.events.emit({ atMs: clock.nowMs(), name, fields })
    log.warn(name, { ...fields, remedy })
  }
  const filings = new KnownFilings({ mailboxes: storage.service('mailboxes'), clock })
  listeners.add(filings.changed)
  const known = new KnownMailboxes({
    store: storage.service('mailboxes'),
    isReady: () => storage.state().kind === 'ready',
  })
  const stored = overlaid(storage.service('mailboxes'), {
    filing: filings.filing,
    mailboxes: known.mailboxes,
  })
  let ailments = (): readonly string[] => []
  const role: NodeRole = await startNode({
    name,
    place,
    storage,
    space: () => stored.status(),
    ailments: () => ailments(),
    clock,
    log,
  })
  const quotas = new Quotas({
    mailboxes: stored,
    directory: role.node.directory,
    defaults: () => ({
      bytes: role.node.settings['mailbox.quotaBytes'],
      messages: role.node.settings['mailbox.quotaMessages'],
      warnPercent: role.node.settings['mailbox.quotaWarnPercent'],
      mailboxes: role.node.settings['mailbox.mailboxesMax'],
    }),
    newId: () => timedId(clock.nowMs()),
    events: role.events,
    clock,
    log,
  })
  const { mailboxes } = quotas
  const pump = new OutboxPump({
    mailboxes,
    queueFor: (entry) => role.siblings.queueFor(entry),
    clock,
    log,
  })
  const { events, node } = role
  const mailboxScripts = new MailboxScripts({
    mailboxes,
    owner: (id) => mailOwner(node.directory, id),
    nameOf: (id) => accountNames(node.directory).nameOf(id),
    lists: (id) => scriptLists(id, node.directory, clock.nowMs()),
    limits: () => ({ redirectsMax: node.settings['sieve.redirectsMax'] }),
    sent: () => pump.wake(),
    events,
    clock,
    log,
  })
  const junkReports = new JunkReports({ mailboxes, events, clock, log })
  listeners.add((change) => {
    if ('hasReports' in change) junkReports.wake()
    if (!('events' in change)) return
    if (change.events === 'leftOut')
      log.warn('sieve.eventsLeftOut', { accountId: change.accountId, max: SCRIPT_EVENTS_MAX })
    mailboxScripts.wake()
  })
  junkReports.wake()
  mailboxScripts.wake()
  const search = startSearch({ dir: join(place.dir, FOLDERS[name]), mailboxes, clock, log })
  ailments = search.ailments
  listeners.add(search.changed)
  atFailure.defer(() => search.close())
  const perRunMax = (): number => node.settings['mailbox.expiryPerRunMax']
  const homed = new HomedScripts({
    mailboxes,
    home: {
      isElsewhere: () => node.scriptHome !== undefined,
      write: async (change) => {
        const end = await node.link.scripts({ ...change, writes: [...change.writes] })
        if (end === 'here') await node.keepScriptHome(undefined)
      },
    },
    events,
    clock,
  })
  const scripts = toldScripts(scriptsOf(homed), { events, clock })
  const calls = {
    ...scriptCalls(scripts, mailboxes),
    ...scriptHomeCalls(homed, { mailboxes, node }),
    ...keepingCalls(keepingOf(mailboxes, clock), { events, clock }),
    ...searchCalls(search, { events, clock }),
  }
  const lists = startLists({
    role,
    mailboxes,
    clock,
    log,
    search: search.find,
    filed: () => pump.wake(),
  })
  listeners.add(lists.keeper.changed)
  lists.keeper.start()
  const expiry = new Expiry({ mailboxes, clock, log, events, perRunMax })
  const scrubbing = new Scrubbing({ mailboxes, clock, log, events })
  return {
    role,
    mailboxes,
    quotas,
    listeners,
    sessionShelf: storage.service('sessions'),
    pump,
    expiry,
    search: search.find,
    scripts,
    leaveLinks: lists.leaveLinks,
    close: async () => {
      await lists.keeper.close()
      lateCommits.close()
      await Promise.all([
        pump.stop(),
        junkReports.close(),
        mailboxScripts.close(),
        expiry.close(),
        scrubbing.close(),
        search.close(),
        quotas.idle(),
      ])
    },
    calls: { ...calls, ...postCalls(lists.desk) },
  }
}

interface OpenDoor {
  close(graceMs: number): Promise<void>
}

/** Lets users read: IMAP, POP3, the web with JMAP, which hands the API on to control; and filter: ManageSieve. */
export async function openReading(parts: DoorParts & MailboxOwner): Promise<OpenDoors> {
  const { role, place, mailboxes, scripts, quotas, search, clock, log } = parts
  const { listeners, sessionShelf, pump, leaveLinks } = parts
  const { host, identity, node, events, authenticator, allowPlaintext } = role
  const changes = (listener: (change: StoreChanged) => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const mailboxChanges = (listener: (change: MailboxChanged) => void): (() => void) =>
    changes((change) => {
      if ('mailboxId' in change) listener(change)
    })
  const messageBytesMax = (): number => node.settings['mail.sizeBytesMax']
  const shared = imapShared({
    store: mailboxes,
    search,
    messageBytesMax,
    names: accountNames(node.directory),
    quotaOf: quotas.quotaOf,
    jmapUrl: () => jmapUrlOf(node.settings['web.publicUrl']),
    events,
    sieveUrl: sieveUrlOf(listenersOf(host, 'managesieve')),
    changes: mailboxChanges,
  })
  const imap = await openListeners(listenersOf(host, 'imap', 'imaps'), log, (listener) =>
    serveImap({
      listen: { address: listener.address, port: listener.port },
      tls: listener.protocol === 'imaps' ? 'implicit' : 'starttls',
      identity: () => identity,
      hostname: listener.hostname,
      authenticator,
      allowPlaintext,
      shared,
      clock,
      log,
    }),
  )
  const pop3 = pop3Shared({
    store: mailboxes,
    withJunk: () => node.settings['pop3.withJunk'],
  })
  const pop3Doors = await openListeners(listenersOf(host, 'pop3', 'pop3s'), log, (listener) =>
    servePop3({
      listen: { address: listener.address, port: listener.port },
      tls: listener.protocol === 'pop3s' ? 'implicit' : 'starttls',
      identity: () => identity,
      hostname: listener.hostname,
      authenticator,
      allowPlaintext,
      shared: pop3,
      clock,
      log,
    }),
  )
  const sieve = manageSieveShared({ scripts, store: mailboxes })
  const sieveDoors = await openListeners(listenersOf(host, 'managesieve'), log, (listener) =>
    serveManageSieve({
      listen: { address: listener.address, port: listener.port },
      identity: () => identity,
      hostname: listener.hostname,
      authenticator,
      allowPlaintext,
      shared: sieve,
      clock,
      log,
    }),
  )
  const ldap = await openAddressBook(parts)
  const jmap = lazyJmap({
    store: mailboxes,
    search,
    changes,
    authenticator,
    directory: node.directory,
    lists: (id) => scriptLists(id, node.directory, clock.nowMs()),
    quotaOf: quotas.quotaOf,
    onLimits: (listener) => {
      node.onAccounts(listener)
      node.onSettings(() => listener('all'))
    },
    sessionShelf,
    appPasswords: {
      change: (change) => node.link.appPassword(change),
      usesOf: (accountId) => node.link.usesOf(accountId),
      iterations: () => node.settings['auth.scramIterations'],
      nowMs: () => clock.nowMs(),
    },
    choices: {
      view: (account) => choicesView(account, node.directory, node.settings),
      act: (accountId, act) => node.link.choices(accountId, act),
    },
    scripts,
    hostname: `mail.${host.domain}`,
    messageBytesMax,
    newDeliveryId: () => timedId(clock.nowMs()),
    events,
    submitted: () => pump.wake(),
    clock,
    log,
  })
  const web = await openListeners(listenersOf(host, 'https'), log, (listener) =>
    serveWeb({
      dir: place.dir,
      listener,
      adminSocket: join(place.runDir, 'admin.sock'),
      jmap: { load: jmap, log },
      leaving: serveLeaving({ links: leaveLinks, clock, log }),
      pages: place.pages,
    }),
  )
  const doors = [imap, pop3Doors, sieveDoors, ldap, web]
  return {
    listened: doors.flatMap(({ listened }) => listened),
    close: async (graceMs) => {
      const opened = doors.flatMap((each): readonly OpenDoor[] => each.opened)
      await Promise.all(opened.map((door) => door.close(graceMs)))
    },
  }
}

const jmapUrlOf = (publicUrl: string): string | undefined =>
  publicUrl === '' ? undefined : `${publicUrl}/.well-known/jmap`

/** RFC 5804 §3: where scripts are managed; undefined where nobody listens for it. */
function sieveUrlOf([listener]: ReturnType<typeof listenersOf>): string | undefined {
  if (listener === undefined) return undefined
  const { hostname, port } = listener
  return `sieve://${hostname}${port === MANAGESIEVE_PORT ? '' : `:${port}`}`
}
const MANAGESIEVE_PORT = 4190

type LazyParts = Omit<JmapParts, 'sessions'> & { readonly sessionShelf: SessionShelf }

/** One for all listeners, loaded when a program or a page first asks. */
function lazyJmap(parts: LazyParts): () => Promise<Jmap> {
  let jmap: Promise<Jmap> | undefined
  return () => {
    jmap ??= loadJmap(parts)
    jmap.catch(() => (jmap = undefined))
    return jmap
  }
}

async function loadJmap({ sessionShelf: shelf, ...parts }: LazyParts): Promise<Jmap> {
  const [{ serveJmap }, { BrowserSessions }, { WEB_SESSIONS }] = await Promise.all([
    import('#server/jmap/serve.ts'),
    import('#store/directory/browser-sessions.ts'),
    import('#server/jmap/limits.ts'),
  ])
  const sessions = new BrowserSessions({ rules: WEB_SESSIONS, clock: parts.clock, shelf })
  await sessions.load()
  return serveJmap({ ...parts, sessions })
}
