import { SYSTEM_FLAGS } from '#model/mailbox.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { AccountId } from '#model/account.ts'
import { messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { NameForm } from '#codec/imap/mailbox-name.ts'
import { formatSet } from '#codec/imap/sequence-set.ts'
import type { Admitted } from '#net/admission.ts'
import type { OctetReader } from '#net/lines.ts'
import { flagLine } from '#server/imap/view/fetch-lines.ts'
import type { Opening } from '#server/imap/view/mailbox-views.ts'
import { joined } from '#server/imap/view/recent.ts'
import type { RecentUids } from '#server/imap/view/recent.ts'
import { mayChange } from '#server/imap/view/rights.ts'
import { Selected } from '#server/imap/view/selected.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import type { State } from './command.ts'
import type { Received } from './command-reader.ts'
import { unavailable } from './completion.ts'
import { Connection } from './connection.ts'
import type { Client } from './connection.ts'
import type { Output } from './output.ts'
import type { ImapDoor, ImapRoom } from './room.ts'

/** Who is there, what is selected, and what of it is told; `Conversation` runs its commands. */
export class ImapSession {
  readonly room: ImapRoom
  readonly door: ImapDoor
  readonly connection: Connection
  account: Entrant | undefined
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
  /** That the account is nearly full. */
  isQuotaTold = false
  /** Set by LOGOUT, and by whatever else ends the session after its answer. */
  ending = false
  loginFailures = 0
  #bye: string | undefined
  #startedMs: number
  readonly #admitted: Admitted

  constructor(room: ImapRoom, door: ImapDoor, client: Client) {
    this.room = room
    this.door = door
    this.#admitted = client.admitted
    const { clock, limits, readAhead } = room
    const { transferTimeoutMs } = limits
    this.connection = new Connection(client, { clock, transferTimeoutMs, readAhead })
    this.#startedMs = clock.monotonicMs()
  }

  get ip(): string {
    return this.connection.ip
  }

  get reader(): OctetReader {
    return this.connection.reader
  }

  get out(): Output {
    return this.connection.out
  }

  get secure(): boolean {
    return this.connection.secure
  }

  get accountId(): AccountId {
    if (this.account === undefined) throw new Error('no account before login')
    return this.account.id
  }

  /** How mailbox names travel. */
  get nameForm(): NameForm {
    return this.rev2 || this.utf8Accepted ? 'utf8' : 'utf7'
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
    this.end('The selected mailbox is gone')
  }

  /** Ends the session after its answer; the first reason is the one that is told. */
  end(text: string): void {
    this.#bye ??= text
    this.ending = true
  }

  /** Ends the session as soon as its client waits: for shutdown. */
  bye(text: string): void {
    this.end(text)
    this.reader.detach()
  }

  /** What the end of a client's octets means. */
  ended(why: (Received & { kind: 'end' })['why']): void {
    this.ending = true
    if (why === 'timeout')
      this.#bye ??= this.account === undefined ? 'Log in sooner' : 'Autologout; idle for too long'
    if (why === 'tooBig') this.#bye ??= '[TOOBIG] Literal too large'
  }

  async sayBye(): Promise<void> {
    if (this.#bye !== undefined) this.out.line(`* BYE ${this.#bye}`)
    await this.out.flush()
  }

  /** Holds nothing of the process any more. */
  leave(): void {
    this.deselect()
    if (this.account !== undefined) this.room.byAccount.leave(this.account.id)
    this.account = undefined
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

  logIn(account: Entrant): void {
    this.account = account
    this.#admitted.loggedIn()
  }

  /** As if the connection had just come, but for its TLS (RFC 8437 §3). */
  logOut(): void {
    this.leave()
    this.#admitted.loggedOut()
    this.#condStore = false
    this.qresync = false
    this.rev2 = false
    this.utf8Accepted = false
    this.#startedMs = this.room.clock.monotonicMs()
  }

  idleMs(): number {
    const { loginTimeoutMs, idleTimeoutMs } = this.room.limits
    if (this.account !== undefined) return idleTimeoutMs
    return Math.max(0, this.#startedMs + loginTimeoutMs - this.room.clock.monotonicMs())
  }

  /** Who has not logged in gains no time by sending little by little. */
  transferMs(timeoutMs = this.room.limits.transferTimeoutMs): number {
    return this.account === undefined ? Math.min(timeoutMs, this.idleMs()) : timeoutMs
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
    const { recent } = this.room
    const looksOnly = readOnly || !mayChange(view.mailbox)
    const come = looksOnly ? recent.look(view.mailbox) : recent.claim(view.asked, view.mailbox)
    if (come === undefined) return
    selected.recent = looksOnly ? [come] : joined(selected.recent, come)
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

  async proceed(): Promise<void> {
    this.out.line('+ Go ahead')
    await this.out.flush()
  }

  /** One line outside a command: SASL responses and DONE. */
  async continuation(lengthMax: number, timeoutMs: number): Promise<Octets | undefined> {
    const line = await this.reader.line(lengthMax, this.transferMs(timeoutMs))
    if (typeof line !== 'string') return line
    if (line !== 'tooLong') this.ended(line)
    return undefined
  }

  /** Refuses commands once too many guesses failed. */
  loginFailed(): void {
    if (++this.loginFailures < this.room.limits.loginFailuresMax) return
    this.end('Too many failed logins')
  }
}
