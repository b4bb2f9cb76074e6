import type { Fault } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { openDatabase } from '#store/db/database.ts'
import type { MailboxChanged, StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { Sql } from '#store/mailbox/rows/sql.ts'
import { SqliteMailboxes } from '#store/mailbox/sqlite-mailboxes.ts'
import { MemoryBlobs } from './memory-blobs.ts'

/**
 * The mail store over a database and octets in memory, for tests of what reads and writes mailboxes:
 * its rules are the store's own, its disk fails on demand.
 */
export class FakeMailboxStore implements MailboxStore {
  /** Thrown by the next calls while set. */
  fault: Fault | undefined
  /** Calls of `read` and `pieces` that have not been answered, at most so far. */
  readsAtOnceMax = 0
  readonly blobs = new MemoryBlobs()
  readonly clock: FakeClock
  #readsNow = 0
  readonly #listeners = new Set<(change: StoreChanged) => void>()
  readonly #store: SqliteMailboxes
  /** Writes into the rows what no commit would: a fault of ours. */
  readonly spoil: (statement: string) => void

  constructor(clock = new FakeClock()) {
    this.clock = clock
    const db = openDatabase({ path: ':memory:', kind: 'mailbox', migrations: MIGRATIONS })
    this.spoil = (statement) => db.exec(statement)
    this.#store = new SqliteMailboxes({
      db,
      sql: new Sql(db),
      blobs: this.blobs,
      clock: this.clock,
      parser: () => new MimeIndexer(),
      onChange: (change) => {
        for (const listener of this.#listeners) listener(change)
      },
    })
  }

  changes = (listener: (change: MailboxChanged) => void): (() => void) =>
    this.allChanges((change) => {
      if ('mailboxId' in change) listener(change)
    })
  allChanges = (listener: (change: StoreChanged) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Large files that wait for a commit. */
  get largeFiles(): number {
    return this.blobs.writing.size
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #run<T>(call: () => Promise<T>): Promise<T> {
    if (this.fault !== undefined) throw this.fault
    const value = await call()
    // oxlint-disable-next-line typescript/no-unnecessary-condition -- set while the call ran
    if (this.fault !== undefined) throw this.fault
    return value
  }

  openLarge: MailboxStore['openLarge'] = () => this.#run(() => this.#store.openLarge())
  appendLarge: MailboxStore['appendLarge'] = (part) =>
    this.#run(() => this.#store.appendLarge(part))
  abortLarge: MailboxStore['abortLarge'] = (part) => this.#store.abortLarge(part)
  commit: MailboxStore['commit'] = (request) => this.#run(() => this.#store.commit(request))
  outcome: MailboxStore['outcome'] = (ask) => this.#run(() => this.#store.outcome(ask))
  arrivals: MailboxStore['arrivals'] = (ask) => this.#run(() => this.#store.arrivals(ask))
  mailboxes: MailboxStore['mailboxes'] = (ask) => this.#run(() => this.#store.mailboxes(ask))
  sharedWith: MailboxStore['sharedWith'] = (ask) => this.#run(() => this.#store.sharedWith(ask))
  acl: MailboxStore['acl'] = (ask) => this.#run(() => this.#store.acl(ask))
  view: MailboxStore['view'] = (ask) => this.#run(() => this.#store.view(ask))
  metas: MailboxStore['metas'] = (ask) => this.#run(() => this.#store.metas(ask))
  ids: MailboxStore['ids'] = (ask) => this.#run(() => this.#store.ids(ask))
  emails: MailboxStore['emails'] = (ask) => this.#run(() => this.#store.emails(ask))
  threads: MailboxStore['threads'] = (ask) => this.#run(() => this.#store.threads(ask))
  emailChanges: MailboxStore['emailChanges'] = (ask) =>
    this.#run(() => this.#store.emailChanges(ask))
  mailboxChanges: MailboxStore['mailboxChanges'] = (ask) =>
    this.#run(() => this.#store.mailboxChanges(ask))
  objects: MailboxStore['objects'] = (ask) => this.#run(() => this.#store.objects(ask))
  objectChanges: MailboxStore['objectChanges'] = (ask) =>
    this.#run(() => this.#store.objectChanges(ask))
  objectStates: MailboxStore['objectStates'] = (ask) =>
    this.#run(() => this.#store.objectStates(ask))
  keepUpload: MailboxStore['keepUpload'] = (ask) => this.#run(() => this.#store.keepUpload(ask))
  upload: MailboxStore['upload'] = (ask) => this.#run(() => this.#store.upload(ask))
  readUpload: MailboxStore['readUpload'] = (ask) => this.#run(() => this.#store.readUpload(ask))
  texts: MailboxStore['texts'] = (ask) => this.#run(() => this.#store.texts(ask))
  emailNumbers: MailboxStore['emailNumbers'] = (ask) =>
    this.#run(() => this.#store.emailNumbers(ask))
  keptEmails: MailboxStore['keptEmails'] = (ask) => this.#run(() => this.#store.keptEmails(ask))
  nextEmails: MailboxStore['nextEmails'] = (ask) => this.#run(() => this.#store.nextEmails(ask))
  countFrom: MailboxStore['countFrom'] = (ask) => this.#run(() => this.#store.countFrom(ask))
  filing: MailboxStore['filing'] = (ask) => this.#run(() => this.#store.filing(ask))
  scripts: MailboxStore['scripts'] = (ask) => this.#run(() => this.#store.scripts(ask))
  scriptAccounts: MailboxStore['scriptAccounts'] = (ask) =>
    this.#run(() => this.#store.scriptAccounts(ask))
  script: MailboxStore['script'] = (ask) => this.#run(() => this.#store.script(ask))
  changeScript: MailboxStore['changeScript'] = (ask) =>
    this.#run(() => this.#store.changeScript(ask))
  junkReports: MailboxStore['junkReports'] = (ask) => this.#run(() => this.#store.junkReports(ask))
  junkReportsDone: MailboxStore['junkReportsDone'] = (done) =>
    this.#run(() => this.#store.junkReportsDone(done))
  scriptEvents: MailboxStore['scriptEvents'] = (ask) =>
    this.#run(() => this.#store.scriptEvents(ask))
  scriptEventsDone: MailboxStore['scriptEventsDone'] = (done) =>
    this.#run(() => this.#store.scriptEventsDone(done))
  remembered: MailboxStore['remembered'] = (ask) => this.#run(() => this.#store.remembered(ask))
  outbox: MailboxStore['outbox'] = (ask) => this.#run(() => this.#store.outbox(ask))
  readOutbox: MailboxStore['readOutbox'] = (ask) => this.#run(() => this.#store.readOutbox(ask))
  outboxDone: MailboxStore['outboxDone'] = (done) => this.#run(() => this.#store.outboxDone(done))
  expire: MailboxStore['expire'] = (ask) => this.#run(() => this.#store.expire(ask))
  lastExpiry: MailboxStore['lastExpiry'] = () => this.#run(() => this.#store.lastExpiry())
  lastPurge: MailboxStore['lastPurge'] = () => this.#run(() => this.#store.lastPurge())
  notePurge: MailboxStore['notePurge'] = (run) => this.#run(() => this.#store.notePurge(run))
  trustClock: MailboxStore['trustClock'] = () => this.#run(() => this.#store.trustClock())
  noteExpiry: MailboxStore['noteExpiry'] = (run) => this.#run(() => this.#store.noteExpiry(run))
  expunged: MailboxStore['expunged'] = (ask) => this.#run(() => this.#store.expunged(ask))
  scrub: MailboxStore['scrub'] = (ask) => this.#run(() => this.#store.scrub(ask))
  damaged: MailboxStore['damaged'] = () => this.#run(() => this.#store.damaged())
  compact: MailboxStore['compact'] = () => this.#run(() => this.#store.compact())
  keepAccounts: MailboxStore['keepAccounts'] = (ask) =>
    this.#run(() => this.#store.keepAccounts(ask))
  usage: MailboxStore['usage'] = (ask) => this.#run(() => this.#store.usage(ask))
  deletedBytes: MailboxStore['deletedBytes'] = (ask) =>
    this.#run(() => this.#store.deletedBytes(ask))
  noteRefused: MailboxStore['noteRefused'] = (ask) => this.#run(() => this.#store.noteRefused(ask))
  recount: MailboxStore['recount'] = (ask) => this.#run(() => this.#store.recount(ask))
  purge: MailboxStore['purge'] = (ask) => this.#run(() => this.#store.purge(ask))
  status: MailboxStore['status'] = () => this.#run(() => this.#store.status())

  read: MailboxStore['read'] = (ask) => this.#reading(() => this.#store.read(ask))
  pieces: MailboxStore['pieces'] = (ask) => this.#reading(() => this.#store.pieces(ask))

  #reading<T>(read: () => Promise<T>): Promise<T> {
    return this.#run(async () => {
      this.readsAtOnceMax = Math.max(this.readsAtOnceMax, ++this.#readsNow)
      await new Promise(setImmediate)
      this.#readsNow--
      return read()
    })
  }
}
