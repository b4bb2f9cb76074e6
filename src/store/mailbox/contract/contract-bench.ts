import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { FakeClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId, MailboxPath, ModSeq, Uid } from '#model/mailbox.ts'
import type { Content } from '#store/blob/blobs.ts'
import type {
  AccountCommit,
  AccountCommitResult,
  ChangeResult,
  MailboxChange,
} from '#store/mailbox/commit.ts'
import type {
  MailboxChanged,
  MailboxRow,
  MailboxView,
  ObjectsChanged,
  StoreChanged,
} from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** A mail store under test. */
export interface MailboxesUnderTest {
  readonly store: MailboxStore
  readonly clock: FakeClock
  /** What was told, in order. */
  readonly changes: readonly StoreChanged[]
  end(): Promise<void>
}

export const hanako = 'hanako' as AccountId
export const taro = 'taro' as AccountId

type Append = Extract<MailboxChange, { kind: 'append' }>
type ResultOf<K, R = ChangeResult> = R extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? R
    : never
  : never

/** An append of the commit's first content. */
export const append = (path: MailboxPath, more: Partial<Append> = {}): Append => ({
  kind: 'append',
  mailbox: { path, create: false },
  content: 0,
  flags: 0,
  keywords: [],
  internalDateMs: 1_000,
  ...more,
})

export const expunging = (
  mailboxId: MailboxId,
  uids: readonly number[] | 'all',
  deletedOnly = false,
): MailboxChange => ({ kind: 'expunge', mailboxId, uids: uids as Uid[] | 'all', deletedOnly })

export const uidsOf = (...uids: readonly number[]): Uid[] => uids as Uid[]
/** A mailbox of nobody. */
export const noMailbox = 'Mnone' as MailboxId

/** What the suites say to a store in one line. */
export class Bench {
  readonly #parts: MailboxesUnderTest
  constructor(parts: MailboxesUnderTest) {
    this.#parts = parts
  }

  get store(): MailboxStore {
    return this.#parts.store
  }

  get clock(): FakeClock {
    return this.#parts.clock
  }

  get changes(): readonly MailboxChanged[] {
    return this.#parts.changes.filter((change) => 'mailboxId' in change)
  }

  get objectsChanged(): readonly ObjectsChanged[] {
    return this.#parts.changes.filter((change) => 'objects' in change)
  }

  /** How often it was told that something was said of a mail. */
  get reported(): number {
    return this.#parts.changes.filter((change) => 'hasReports' in change).length
  }

  /** How often it was told that something has happened for which there is a script. */
  get happened(): number {
    return this.#parts.changes.filter((change) => 'events' in change).length
  }

  /** The commit of hanako, or of whom `more` names. */
  async commit(
    changes: readonly MailboxChange[],
    more: Partial<AccountCommit> & { readonly contents?: readonly Content[] } = {},
  ): Promise<AccountCommitResult> {
    const { contents, ...rest } = more
    const appends = changes.some(({ kind }) => kind === 'append')
    const { results } = await this.store.commit({
      contents: contents ?? (appends ? [text('Subject: 会議\r\n\r\n本文')] : []),
      commits: [{ accountId: hanako, changes, ...rest }],
    })
    assert.equal(results.length, 1)
    return results[0]!
  }

  async done(...[changes, more]: Parameters<Bench['commit']>): Promise<readonly ChangeResult[]> {
    const result = await this.commit(changes, more)
    assert.ok(result.kind === 'committed', inspect(result))
    assert.equal(result.results.length, changes.length)
    return result.results
  }

  /** The result of one change that must be of the kind. */
  async one<K extends ChangeResult['kind']>(
    kind: K,
    change: MailboxChange,
    more?: Parameters<Bench['commit']>[1],
  ): Promise<ResultOf<K>> {
    const [result] = await this.done([change], more)
    assert.equal(result?.kind, kind)
    return result as ResultOf<K>
  }

  /** The code with which the changes are refused. */
  async refused(...[changes, more]: Parameters<Bench['commit']>): Promise<string> {
    const result = await this.commit(changes, more)
    assert.ok(result.kind === 'refused', inspect(result))
    assert.match(result.refusal.text, /^[A-Z].*[^.]$/, 'one line for people')
    return result.refusal.code
  }

  async rows(accountId = hanako): Promise<readonly MailboxRow[]> {
    return (await this.store.mailboxes({ accountId })).mailboxes
  }

  async names(accountId = hanako): Promise<string[]> {
    return (await this.rows(accountId)).map(({ path }) => path.join('/')).toSorted()
  }

  async row(path: MailboxPath, accountId = hanako): Promise<MailboxRow> {
    const found = (await this.rows(accountId)).find((row) => row.path.join() === path.join())
    assert.ok(found !== undefined, path.join('/'))
    return found
  }

  async idOf(...path: readonly string[]): Promise<MailboxId> {
    return (await this.row(path)).id
  }

  async subscriptions(): Promise<string[]> {
    const { subscriptions } = await this.store.mailboxes({ accountId: hanako })
    return subscriptions.map((path) => path.join('/')).toSorted()
  }

  async view(mailboxId: MailboxId, since?: ModSeq): Promise<MailboxView> {
    const ask = { accountId: hanako, mailboxId, ...(since !== undefined && { since }) }
    const view = await this.store.view(ask)
    assert.ok(view !== undefined)
    return view
  }

  async read(mailboxId: MailboxId, uid: number, offset = 0, length = 1_000_000): Promise<string> {
    const ask = { accountId: hanako, mailboxId, uid: uid as Uid, offset, length }
    const { octets } = await this.store.read(ask)
    assert.ok(octets !== undefined, `no octets of ${uid}`)
    return toUtf8(octets)
  }

  async ids(mailboxId: MailboxId, ...uids: readonly number[]) {
    return (await this.store.ids({ accountId: hanako, mailboxId, uids: uids as Uid[] })).ids
  }

  /** So many messages in INBOX, UIDs from 1. */
  async fill(count: number, more?: Partial<Append>): Promise<MailboxId> {
    await this.done(Array.from({ length: count }, () => append(['INBOX'], more)))
    return this.idOf('INBOX')
  }
}

export const text = (content: string): Content => ({ octets: [fromUtf8(content)] })

/** A content that stands in a file of its own. */
export async function largeContent(store: MailboxStore, octets: Octets): Promise<Content> {
  const { handle } = await store.openLarge()
  for (let at = 0; at < octets.length; at += 100_000)
    await store.appendLarge({ handle, octets: octets.slice(at, at + 100_000) })
  return { prefix: fromUtf8('Received: から\r\n'), large: handle }
}
