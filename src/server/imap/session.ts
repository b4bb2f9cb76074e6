import type { Socket } from 'node:net'
import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { AccountId, Account } from '#model/account.ts'
import type { QuotaRule } from '#model/quota.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { parseCommand } from '#codec/imap/command.ts'
import type { NameForm } from '#codec/imap/mailbox-name.ts'
import { formatSet } from '#codec/imap/sequence-set.ts'
import { channelBinding } from '#net/channel-binding.ts'
import { DeflatingWriter, InflatedStream } from '#net/deflate.ts'
import { closeSocket } from '#net/close.ts'
import { OctetReader } from '#net/lines.ts'
import { startTls } from '#net/tls.ts'
import type { TlsIdentity } from '#net/tls.ts'
import { OctetWriter } from '#net/writer.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import type { AccountNames } from './account-names.ts'
import { capabilities } from './capabilities.ts'
import { usesRows } from './command.ts'
import type { State } from './command.ts'
import { commandOf } from './commands.ts'
import { dropMessage } from './append-message.ts'
import { append } from './commands/append.ts'
import { readCommand } from './command-reader.ts'
import type { Received } from './command-reader.ts'
import { bad, formatCompletion, unavailable } from './completion.ts'
import type { Completion } from './completion.ts'
import { flagLine } from './fetch-lines.ts'
import type { Counts, ImapLimits } from './limits.ts'
import { Output } from './output.ts'
import { Selected } from './selected.ts'
import type { MailboxViews, Opening } from './mailbox-views.ts'
import type { ReadAhead } from './read-ahead.ts'
import { mayChange } from './mailboxes.ts'
import { joined } from './recent.ts'
import type { RecentMarks, RecentUids } from './recent.ts'
import type { ShownTexts } from './shown-texts.ts'

/** What all sessions of a process share. */
export interface ImapRoom {
  readonly store: MailboxStore
  readonly views: MailboxViews
  readonly recent: RecentMarks
  /** Absent: texts are read. */
  readonly search?: TextSearch
  readonly shownTexts: ShownTexts
  /** Names of other people; absent: nobody's mailboxes but one's own are to be had. */
  readonly names?: AccountNames
  /** What an account may hold; absent: nothing is limited. */
  readonly quotaOf?: (accountId: AccountId) => QuotaRule
  readonly readAhead: ReadAhead
  readonly authenticator: Authenticator
  readonly limits: ImapLimits
  readonly byAccount: Counts
  readonly clock: Clock
  readonly log: Log
}

/** What one listener says to its sessions. */
export interface ImapDoor {
  readonly hostname: string
  readonly identity: (() => TlsIdentity) | undefined
  readonly allowPlaintext: boolean
}

const CLOSE_TIMEOUT_MS = 2_000

/** One connection: reads commands one after another, runs them, tells what changed. */
export class ImapSession {
  readonly room: ImapRoom
  readonly door: ImapDoor
  readonly ip: string
  reader: OctetReader
  out: Output
  secure: boolean
  account: Account | undefined
  selected: Selected | undefined
  /** The selected mailbox while none of its rows was needed. */
  #opening:
    | { readonly opening: Opening; readonly readOnly: boolean; readonly recent: RecentUids }
    | undefined
  /** CONDSTORE was asked for: FETCH responses that are not asked for carry MODSEQ (RFC 7162 §3.1). */
  get condStore(): boolean {
    return this.#condStore
  }
  #condStore = false
  /** Expunged messages are told by UID, and only those (RFC 7162 §3.2). */
  qresync = false
  /** IMAP4rev2 was enabled: what rev2 took out of the protocol is not told any more (RFC 9051 §6.3.1). */
  rev2 = false
  /** UTF8=ACCEPT was enabled (RFC 9755 §3). */
  utf8Accepted = false
  isCompressed = false
  /** That the account is nearly full. */
  isQuotaTold = false
  /** Set by LOGOUT, and by whatever else ends the session after its answer. */
  ending = false
  loginFailures = 0
  #socket: Socket
  #errors = 0
  #bye: string | undefined
  #startedMs: number

  constructor(
    room: ImapRoom,
    door: ImapDoor,
    connection: { readonly socket: Socket; readonly ip: string; readonly secure: boolean },
  ) {
    this.room = room
    this.door = door
    this.ip = connection.ip
    this.secure = connection.secure
    this.#socket = connection.socket
    this.reader = new OctetReader(connection.socket, room.clock)
    this.out = this.#outputTo(connection.socket)
    this.#startedMs = room.clock.monotonicMs()
  }

  get accountId(): AccountId {
    if (this.account === undefined) throw new Error('no account before login')
    return this.account.id
  }

  /** How mailbox names travel. */
  get nameForm(): NameForm {
    return this.rev2 || this.utf8Accepted ? 'utf8' : 'utf7'
  }

  /** What SCRAM binds; absent without TLS. */
  get channel(): ((type: string) => Octets | undefined) | undefined {
    return this.secure ? (type) => channelBinding(this.#socket, type) : undefined
  }

  get state(): State {
    if (this.account === undefined) return 'greeted'
    return this.selectedId === undefined ? 'loggedIn' : 'selected'
  }

  get selectedId(): MailboxId | undefined {
    return this.selected?.view.mailboxId ?? this.#opening?.opening.mailbox.id
  }

  /** Selects a mailbox whose rows are still to be read. */
  select(opening: Opening, readOnly: boolean, recent: RecentUids): void {
    this.#opening = { opening, readOnly, recent }
  }

  /** From here on the session speaks IMAP4rev2; in what is selected nothing is recent any more. */
  useRev2(): void {
    this.rev2 = true
    if (this.selected !== undefined) this.selected.recent = []
  }

  /** From here on MODSEQs are told; the first is that up to which the client knows its mailbox. */
  useCondStore(): void {
    if (this.#condStore) return
    this.#condStore = true
    // RFC 7162 §3.1.2.1 wants it of whatever enables CONDSTORE, not of SELECT alone.
    const told = this.selected?.toldModSeq ?? this.#opening?.opening.mailbox.highestModSeq
    if (told !== undefined) this.out.line(`* OK [HIGHESTMODSEQ ${told}] Highest`)
  }

  /** Reads the rows of the selected mailbox, where nobody needed them before. */
  async needRows(): Promise<void> {
    if (this.#opening === undefined) return
    const { opening, readOnly, recent } = this.#opening
    const realised = await this.room.views.realise(opening)
    this.#opening = undefined
    if (realised === undefined) return this.#lost()
    this.selected = new Selected(realised.view, readOnly, realised.since)
    this.selected.recent = this.rev2 ? [] : recent
    // What was told has to be what the rows say; a client's numbers would name other messages.
    if (this.selected.exists !== opening.mailbox.messages) this.#lost()
  }

  /**
   * Looks at what was just committed, so that it is told at once. The commit stands, and is told as done,
   * whatever becomes of looking: a client that heard NO would append once more. False where storage does
   * not answer; the next command looks again.
   */
  async caughtUp(): Promise<boolean> {
    try {
      await this.needRows()
      await this.selected?.view.refresh()
      return true
    } catch (thrown) {
      if (unavailable(thrown) === undefined) throw thrown
      this.room.log.warn('imap.behind', { ip: this.ip, error: messageOf(thrown) })
      return false
    }
  }

  #lost(): void {
    this.#bye ??= 'The selected mailbox is gone'
    this.ending = true
  }

  /** Serves until the connection ends. Never rejects. */
  async run(): Promise<void> {
    try {
      this.out.line(`* OK [CAPABILITY ${capabilities(this)}] ${this.door.hostname} IMAP4rev1 ready`)
      await this.out.flush()
      while (!this.ending) await this.#once()
      await this.#sayBye()
    } catch (thrown) {
      if (!isFault(thrown, 'closed')) {
        this.room.log.error('imap.failed', { ip: this.ip, error: messageOf(thrown) })
        this.#bye ??= 'Internal error'
        await this.#sayBye().catch(() => undefined)
      }
    } finally {
      this.deselect()
      if (this.account !== undefined) this.room.byAccount.leave(this.account.id)
      await closeSocket(this.#socket, {
        clock: this.room.clock,
        timeoutMs: CLOSE_TIMEOUT_MS,
      })
    }
  }

  /** Ends the session as soon as its client waits: for shutdown. */
  bye(text: string): void {
    this.#bye ??= text
    this.ending = true
    this.reader.detach()
  }

  /** Ends the connection amid a response that cannot be finished. */
  abort(): never {
    this.#socket.destroy()
    throw new Fault('closed', 'a response could not be finished')
  }

  deselect(): void {
    if (this.#opening !== undefined) this.room.views.abandon(this.#opening.opening)
    this.#opening = undefined
    const { selected } = this
    if (selected === undefined) return
    this.selected = undefined
    selected.close()
    this.room.views.release(selected.view)
  }

  /** As if the connection had just come, but for its TLS (RFC 8437 §3). */
  logOut(): void {
    this.deselect()
    if (this.account !== undefined) this.room.byAccount.leave(this.account.id)
    this.account = undefined
    this.#condStore = false
    this.qresync = false
    this.rev2 = false
    this.utf8Accepted = false
    this.#startedMs = this.room.clock.monotonicMs()
  }

  async #sayBye(): Promise<void> {
    if (this.#bye !== undefined) this.out.line(`* BYE ${this.#bye}`)
    await this.out.flush()
  }

  #idleMs(): number {
    const { loginTimeoutMs, idleTimeoutMs } = this.room.limits
    if (this.account !== undefined) return idleTimeoutMs
    return Math.max(0, this.#startedMs + loginTimeoutMs - this.room.clock.monotonicMs())
  }

  /** Who has not logged in gains no time by sending little by little. */
  #transferMs(timeoutMs = this.room.limits.transferTimeoutMs): number {
    return this.account === undefined ? Math.min(timeoutMs, this.#idleMs()) : timeoutMs
  }

  async #once(): Promise<void> {
    const received = await readCommand(this.reader, {
      loggedIn: this.account !== undefined,
      idleTimeoutMs: this.#idleMs(),
      transferTimeoutMs: () => this.#transferMs(),
      proceed: () => this.proceed(),
    })
    switch (received.kind) {
      case 'end':
        return this.#end(received.why)
      case 'fault':
        return this.#answer(received.tag ?? '*', {
          status: 'BAD',
          text: received.text,
          ...(received.code === undefined ? {} : { code: received.code }),
        })
      case 'append':
        return this.#answer(
          received.head.tag,
          await this.#guard(() => append(this, received.head.command, received.message)),
          true,
        )
      case 'badAppend':
        await dropMessage(this, received.message)
        return this.#answer(received.tag ?? '*', bad(received.text))
      case 'command':
        return this.#command(received)
    }
  }

  #end(why: (Received & { kind: 'end' })['why']): void {
    this.ending = true
    if (why === 'timeout')
      this.#bye ??= this.account === undefined ? 'Log in sooner' : 'Autologout; idle for too long'
    if (why === 'tooBig') this.#bye ??= '[TOOBIG] Literal too large'
  }

  async #command({ text }: { readonly text: string }): Promise<void> {
    const parsed = parseCommand(text)
    if (!parsed.ok) return this.#answer(parsed.error.tag ?? '*', bad(parsed.error.text))
    const { tag, command } = parsed.value
    const handler = commandOf(command)
    if (!handler.states.includes(this.state))
      return this.#answer(tag, bad(`${command.name} is not allowed now`))
    const completion = await this.#guard(() => handler.run(this, command, tag), usesRows(handler))
    // Who is logged in and gets things done may err now and then, for as long as it stays.
    if (completion.status === 'OK' && !handler.states.includes('greeted')) this.#errors = 0
    // RFC 9051 §7.5.1: no EXPUNGE while message sequence numbers are in use.
    const keeps =
      'uid' in command &&
      !command.uid &&
      ['FETCH', 'STORE', 'SEARCH', 'SORT', 'THREAD'].includes(command.name)
    await this.#answer(tag, completion, !keeps)
    if (command.name === 'STARTTLS' && completion.status === 'OK') await this.#secure()
    if (command.name === 'COMPRESS' && completion.status === 'OK') await this.#compress()
  }

  /** Runs a command; failures of the world become NO. */
  async #guard(run: () => Promise<Completion>, rows = false): Promise<Completion> {
    let selected: Selected | undefined
    try {
      if (rows) await this.needRows()
      if (this.selected?.view.isBehind === true) await this.caughtUp()
      selected = this.selected
      if (selected !== undefined) selected.busy = true
      return await run()
    } catch (thrown) {
      if (isFault(thrown, 'closed') && this.#socket.destroyed) throw thrown
      const completion = unavailable(thrown)
      if (completion === undefined) throw thrown
      this.room.log.warn('imap.unavailable', { ip: this.ip, error: messageOf(thrown) })
      return completion
    } finally {
      if (selected !== undefined) selected.busy = false
    }
  }

  async #answer(tag: string, completion: Completion, expunge = false): Promise<void> {
    this.tell(expunge)
    this.out.line(formatCompletion(tag, completion))
    if (completion.status === 'BAD' && ++this.#errors >= this.room.limits.errorsMax) {
      this.#bye ??= 'Too many errors'
      this.ending = true
    }
    // Pipelined commands share a write.
    if (this.reader.buffered === 0 || this.ending || this.out.full) await this.out.flush()
  }

  /** Puts what others changed in the selected mailbox: EXPUNGE, EXISTS, flags. */
  tell(expunge: boolean): void {
    const { selected } = this
    if (selected === undefined) return
    if (selected.view.lost) return this.#lost()
    const untold = selected.take({ expunge })
    this.announceKeywords()
    if (!this.qresync) for (const seq of untold.expunged) this.out.line(`* ${seq} EXPUNGE`)
    else if (untold.expungedUids.length > 0)
      this.out.line(`* VANISHED ${formatSet(untold.expungedUids)}`) // RFC 7162 §3.2.10
    if (untold.exists !== undefined) {
      this.out.line(`* ${untold.exists} EXISTS`)
      this.claimRecent(selected)
    }
    // RFC 9051 §7.5.2: what nobody asked for says which message it is about by its UID.
    for (const row of untold.changed) this.out.line(flagLine(selected, row, this.condStore, true))
    selected.view.tidy()
  }

  /** RFC 3501 §7.3.2; rev2 has it no more. */
  claimRecent(selected: Selected): void {
    if (this.rev2) return
    const { view, readOnly } = selected
    if (readOnly || !mayChange(view.mailbox)) return
    const come = this.room.recent.claim(view.asked, view.mailbox)
    if (come === undefined) return
    selected.recent = joined(selected.recent, come)
    this.out.line(`* ${selected.recentCount} RECENT`)
  }

  /** RFC 9051 §7.3.5: a keyword is announced before a message shows it. */
  announceKeywords(): void {
    const { selected } = this
    const keywords = selected?.view.mailbox.keywords ?? []
    if (selected === undefined || keywords.length === selected.keywordsTold) return
    selected.keywordsTold = keywords.length
    this.out.line(`* FLAGS (${[...SYSTEM_FLAGS, ...keywords].join(' ')})`)
  }

  /** Throws Fault `closed` where the client is gone; lets others run. */
  async stillThere(): Promise<void> {
    await new Promise(setImmediate)
    if (this.#socket.destroyed) throw new Fault('closed', 'the client is gone')
  }

  async proceed(): Promise<void> {
    this.out.line('+ Go ahead')
    await this.out.flush()
  }

  /** One line outside a command: SASL responses and DONE. */
  async continuation(lengthMax: number, timeoutMs: number): Promise<Octets | undefined> {
    const line = await this.reader.line(lengthMax, this.#transferMs(timeoutMs))
    if (typeof line !== 'string') return line
    if (line !== 'tooLong') this.#end(line)
    return undefined
  }

  async #secure(): Promise<void> {
    await this.out.flush()
    const identity = this.door.identity?.()
    // RFC 9051 §6.2.1: what was pipelined in plain text is not looked at; here it is forgotten.
    this.reader.detach()
    const secured =
      identity === undefined
        ? undefined
        : await startTls(this.#socket, identity, { clock: this.room.clock })
    if (secured === undefined) this.abort()
    this.#socket = secured
    this.secure = true
    this.reader = new OctetReader(secured, this.room.clock)
    this.out = this.#outputTo(secured)
  }

  async #compress(): Promise<void> {
    await this.out.flush()
    const { clock } = this.room
    // RFC 4978 §3: nothing may come before our answer was read.
    this.reader.detach()
    this.isCompressed = true
    this.reader = new OctetReader(new InflatedStream(this.#socket, clock), clock)
    this.out = new Output(new DeflatingWriter(this.#writerTo(this.#socket)), this.room.readAhead)
  }

  #outputTo(socket: Socket): Output {
    return new Output(this.#writerTo(socket), this.room.readAhead)
  }

  #writerTo(socket: Socket): OctetWriter {
    const { clock, limits } = this.room
    return new OctetWriter(socket, { clock, timeoutMs: limits.transferTimeoutMs })
  }

  /** Refuses commands once too many guesses failed. */
  loginFailed(): void {
    if (++this.loginFailures < this.room.limits.loginFailuresMax) return
    this.#bye ??= 'Too many failed logins'
    this.ending = true
  }
}
