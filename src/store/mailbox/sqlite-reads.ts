import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { Blobs } from '#store/blob/blobs.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import { arrivalsOf } from '#store/mailbox/change/arrival.ts'
import { openAccount } from '#store/mailbox/change/account.ts'
import { emailChanges, mailboxChanges } from '#store/mailbox/view/changes.ts'
import { readEmails, readThreads } from '#store/mailbox/view/emails.ts'
import { lastExpiry } from '#store/mailbox/upkeep/expire.ts'
import { lastPurge } from '#store/mailbox/upkeep/purge-run.ts'
import type { MailboxStore } from './mailbox-store.ts'
import type { KeptViews } from '#store/mailbox/view/kept-views.ts'
import { readIds, readMessage, readMetas } from '#store/mailbox/view/messages.ts'
import { readPieces } from '#store/mailbox/view/pieces.ts'
import type { Source } from '#store/mailbox/view/source.ts'
import { listObjects, objectChanges, objectStates } from '#store/mailbox/objects/objects.ts'
import { readOutbox } from '#store/mailbox/change/outbox.ts'
import { strangerOf } from '#store/mailbox/rows/rights.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import { listDamaged } from '#store/mailbox/upkeep/damaged.ts'
import { listExpunged } from '#store/mailbox/change/restore.ts'
import { listScriptAccounts, listScripts, readScript } from '#store/mailbox/objects/scripts.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { deletedBytes, readUsage } from '#store/mailbox/change/quota.ts'
import {
  readEmailNumbers,
  readKeptEmails,
  readNextEmails,
  readTexts,
} from '#store/mailbox/view/texts.ts'
import { waitingEvents } from '#store/mailbox/change/script-event.ts'
import { waitingReports } from '#store/mailbox/change/junk-report.ts'
import { rememberedOf } from '#store/mailbox/change/memory.ts'
import { findUpload } from '#store/mailbox/objects/uploads.ts'
import { readFiling } from '#store/mailbox/view/filing.ts'
import {
  countFrom,
  listMailboxes,
  openedMailbox,
  readAcl,
  readView,
  sharedWith,
} from '#store/mailbox/view/view.ts'
import { readWholeView } from '#store/mailbox/view/whole-view.ts'
import { findAccount, saveAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

const EXPUNGED_MAX = 1_000
/** What a stranger finds of an account that has no mailbox yet. */
const NOBODYS = {
  state: { modSeq: 0, nextEmail: 0, nextMailbox: 0 },
  mailboxes: [],
  subscriptions: [],
} as const

/** What reading stands on. */
export interface ReadParts extends Source {
  readonly clock: Clock
  readonly group: GroupCommit
  /** Views of large mailboxes in files; without it they are read from their rows each time. */
  readonly kept?: KeptViews
}

/** What a mail store answers without changing it, but that accounts are made at their first use. */
export class SqliteReads {
  readonly #sql: Sql
  readonly #blobs: Blobs
  readonly #clock: Clock
  readonly #group: GroupCommit
  readonly #source: Source
  readonly #kept: KeptViews | undefined
  /** No view is kept any more. */
  protected isClosing = false

  constructor(parts: ReadParts) {
    this.#sql = parts.sql
    this.#blobs = parts.blobs
    this.#clock = parts.clock
    this.#group = parts.group
    this.#source = parts
    this.#kept = parts.kept
  }

  async mailboxes(ask: Asked): ReturnType<MailboxStore['mailboxes']> {
    const found = listMailboxes(this.#sql, ask)
    if (found !== undefined) return found
    if (strangerOf(ask) !== undefined) return NOBODYS
    await this.#openAccount(ask.accountId)
    return listMailboxes(this.#sql, ask)!
  }

  async arrivals(ask: { readonly door: string }): ReturnType<MailboxStore['arrivals']> {
    return { arrivals: arrivalsOf(this.#sql, ask.door) }
  }

  async sharedWith(ask: { readonly by: AccountId }): ReturnType<MailboxStore['sharedWith']> {
    return { owners: sharedWith(this.#sql, ask.by) }
  }

  async acl(ask: Parameters<MailboxStore['acl']>[0]): ReturnType<MailboxStore['acl']> {
    return { entries: readAcl(this.#sql, ask) }
  }

  #openAccount(accountId: AccountId): Promise<void> {
    const nowMs = this.#clock.nowMs()
    return this.#group.commit({
      apply: () => saveAccount(openAccount(this.#sql, accountId, nowMs)),
    })
  }

  async view(ask: Parameters<MailboxStore['view']>[0]): ReturnType<MailboxStore['view']> {
    const kept = this.#kept
    if (kept === undefined || ask.since !== undefined) return readView(this.#sql, ask)
    return readWholeView(
      {
        sql: this.#sql,
        kept,
        hasRoom: () => !this.isClosing && !this.#blobs.space().full,
        vouch: (apply) => this.#group.commit({ apply }),
      },
      ask,
    )
  }

  async countFrom(
    ask: Parameters<MailboxStore['countFrom']>[0],
  ): ReturnType<MailboxStore['countFrom']> {
    return { messages: countFrom(this.#sql, ask) }
  }

  async metas(ask: Parameters<MailboxStore['metas']>[0]): ReturnType<MailboxStore['metas']> {
    return readMetas(this.#source, ask)
  }

  async ids(ask: Parameters<MailboxStore['ids']>[0]): ReturnType<MailboxStore['ids']> {
    return { ids: readIds(this.#source, ask) }
  }

  async emails(ask: Parameters<MailboxStore['emails']>[0]): ReturnType<MailboxStore['emails']> {
    return readEmails(await this.#account(ask), ask.emailIds)
  }

  async threads(ask: Parameters<MailboxStore['threads']>[0]): ReturnType<MailboxStore['threads']> {
    return readThreads(await this.#account(ask), ask.threadIds)
  }

  async emailChanges(
    ask: Parameters<MailboxStore['emailChanges']>[0],
  ): ReturnType<MailboxStore['emailChanges']> {
    return emailChanges(await this.#account(ask), ask)
  }

  async mailboxChanges(
    ask: Parameters<MailboxStore['mailboxChanges']>[0],
  ): ReturnType<MailboxStore['mailboxChanges']> {
    return mailboxChanges(await this.#account(ask), ask.since)
  }

  /** Made at first use, as by `mailboxes`; not by strangers: Fault `notFound`. */
  async #account(ask: Asked): Promise<AccountWork> {
    const stranger = strangerOf(ask)
    const find = (): AccountWork | undefined => findAccount(this.#sql, ask.accountId, 0)
    const found = find()
    if (found === undefined && stranger !== undefined)
      throw new Fault('notFound', 'the account has no mailbox')
    if (found === undefined) await this.#openAccount(ask.accountId)
    const work = found ?? find()!
    if (stranger !== undefined) work.by = stranger
    return work
  }

  async read(ask: Parameters<MailboxStore['read']>[0]): ReturnType<MailboxStore['read']> {
    return { octets: await readMessage(this.#source, ask) }
  }

  async pieces(ask: Parameters<MailboxStore['pieces']>[0]): ReturnType<MailboxStore['pieces']> {
    return readPieces(this.#source, ask)
  }

  async texts(ask: Parameters<MailboxStore['texts']>[0]): ReturnType<MailboxStore['texts']> {
    return readTexts(this.#source, ask)
  }

  async emailNumbers(
    ask: Parameters<MailboxStore['emailNumbers']>[0],
  ): ReturnType<MailboxStore['emailNumbers']> {
    return readEmailNumbers(this.#sql, ask)
  }

  async keptEmails(
    ask: Parameters<MailboxStore['keptEmails']>[0],
  ): ReturnType<MailboxStore['keptEmails']> {
    return readKeptEmails(this.#sql, ask)
  }

  async nextEmails(
    ask: Parameters<MailboxStore['nextEmails']>[0],
  ): ReturnType<MailboxStore['nextEmails']> {
    return readNextEmails(this.#sql, ask)
  }

  async filing(ask: Parameters<MailboxStore['filing']>[0]): ReturnType<MailboxStore['filing']> {
    return { accounts: ask.accountIds.map((accountId) => readFiling(this.#sql, accountId)) }
  }

  async junkReports(
    ask: Parameters<MailboxStore['junkReports']>[0],
  ): ReturnType<MailboxStore['junkReports']> {
    return { reports: waitingReports(this.#sql, ask.limit) }
  }

  async scriptEvents(
    ask: Parameters<MailboxStore['scriptEvents']>[0],
  ): ReturnType<MailboxStore['scriptEvents']> {
    return { events: waitingEvents(this.#sql, ask) }
  }

  async remembered(
    ask: Parameters<MailboxStore['remembered']>[0],
  ): ReturnType<MailboxStore['remembered']> {
    return { keys: rememberedOf(this.#sql, ask, this.#clock.nowMs()) }
  }

  async scripts(ask: { readonly accountId: AccountId }): ReturnType<MailboxStore['scripts']> {
    return { scripts: listScripts(this.#sql, ask.accountId) }
  }

  async scriptAccounts(
    ask: Parameters<MailboxStore['scriptAccounts']>[0],
  ): ReturnType<MailboxStore['scriptAccounts']> {
    return listScriptAccounts(this.#sql, ask)
  }

  async script(ask: Parameters<MailboxStore['script']>[0]): ReturnType<MailboxStore['script']> {
    return { script: readScript(this.#sql, ask.accountId, ask.name) }
  }

  async readOutbox(
    ask: Parameters<MailboxStore['readOutbox']>[0],
  ): ReturnType<MailboxStore['readOutbox']> {
    return { octets: await readOutbox(this.#sql, this.#blobs, ask) }
  }

  async objects(ask: Parameters<MailboxStore['objects']>[0]): ReturnType<MailboxStore['objects']> {
    return listObjects(this.#sql, ask.accountId, ask.kind, ask.ids)
  }

  async objectChanges(
    ask: Parameters<MailboxStore['objectChanges']>[0],
  ): ReturnType<MailboxStore['objectChanges']> {
    return objectChanges(this.#sql, ask)
  }

  async objectStates(
    ask: Parameters<MailboxStore['objectStates']>[0],
  ): ReturnType<MailboxStore['objectStates']> {
    return { states: objectStates(this.#sql, ask.accountId) }
  }

  async usage(ask: Parameters<MailboxStore['usage']>[0]): ReturnType<MailboxStore['usage']> {
    return readUsage(this.#sql, ask)
  }

  async deletedBytes(
    ask: Parameters<MailboxStore['deletedBytes']>[0],
  ): ReturnType<MailboxStore['deletedBytes']> {
    const found = openedMailbox(this.#sql, ask)
    return { bytes: found === undefined ? 0 : deletedBytes(this.#sql, found.aid, found.row.mid) }
  }

  async upload(ask: Parameters<MailboxStore['upload']>[0]): ReturnType<MailboxStore['upload']> {
    const { type, sizeBytes } = findUpload(this.#sql, ask) ?? {}
    const isThere = type !== undefined && sizeBytes !== undefined
    return { upload: isThere ? { type, sizeBytes } : undefined }
  }

  async readUpload(
    ask: Parameters<MailboxStore['readUpload']>[0],
  ): ReturnType<MailboxStore['readUpload']> {
    const ref = findUpload(this.#sql, ask)?.ref
    return { octets: ref && (await this.#blobs.read(ref, ask.offset, ask.length)) }
  }

  async damaged(): ReturnType<MailboxStore['damaged']> {
    return { messages: listDamaged(this.#sql) }
  }

  async lastExpiry(): ReturnType<MailboxStore['lastExpiry']> {
    const ranAtMs = lastExpiry(this.#sql)
    return ranAtMs === undefined ? {} : { ranAtMs }
  }

  async lastPurge(): ReturnType<MailboxStore['lastPurge']> {
    const run = lastPurge(this.#sql)
    return run === undefined ? {} : { run }
  }

  async expunged(
    ask: Parameters<MailboxStore['expunged']>[0],
  ): ReturnType<MailboxStore['expunged']> {
    if (ask.limit > EXPUNGED_MAX)
      throw new Fault('limit', `at most ${EXPUNGED_MAX} emails can be asked for at once`)
    return { emails: listExpunged(await this.#account(ask), ask) }
  }

  /** Rows changed since the start, by whomever: as long as it is the same, so is each answer made of rows. */
  rowsChanged(): number {
    return this.#sql.get<[number]>('SELECT total_changes()')![0]
  }

  async status(): ReturnType<MailboxStore['status']> {
    const [accounts, messages, outbox] = this.#sql.get<[number, number, number]>(
      `SELECT count(*), coalesce(sum(used_messages), 0), (SELECT count(*) FROM outbox) FROM account`,
    ) ?? [0, 0, 0]
    return { accounts, messages, outbox, ...this.#blobs.space() }
  }
}
