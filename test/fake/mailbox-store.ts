import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES, DELETED, SEEN } from '#model/mailbox.ts'
import type {
  EmailId,
  MailboxId,
  MailboxPath,
  ModSeq,
  SpecialUse,
  ThreadId,
  Uid,
  UidValidity,
} from '#model/mailbox.ts'
import type { MessageMeta } from '#model/message.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import { KEYWORDS_PER_MAILBOX_MAX } from '#store/mailbox/mailbox-store.ts'
import type {
  AccountCommit,
  AccountCommitResult,
  ChangeResult,
  CommitRefusal,
  CommitRequest,
  MailboxChange,
  MailboxChanged,
  MailboxRef,
  MailboxRow,
  MailboxStore,
  MailboxView,
} from '#store/mailbox/mailbox-store.ts'

interface Row {
  uid: number
  flags: number
  modSeq: number
  readonly octets: Octets
  readonly meta: MessageMeta
  readonly prefixBytes: number
  readonly internalDateMs: number
  readonly emailId: string
}

interface Box {
  readonly id: MailboxId
  path: MailboxPath
  readonly use: SpecialUse | undefined
  readonly uidValidity: number
  uidNext: number
  modSeq: number
  readonly keywords: string[]
  rows: Row[]
  /** Expunged rows, readable for ever here. */
  readonly gone: { readonly uid: number; readonly modSeq: number; readonly row: Row }[]
}

interface State {
  boxes: Box[]
  subscriptions: MailboxPath[]
}

type Of<K extends MailboxChange['kind']> = Extract<MailboxChange, { readonly kind: K }>

const EPOCH = 2 ** 40
const key = (path: MailboxPath): string => path.join('/')

class Refused extends Error {
  readonly refusal: CommitRefusal
  constructor(code: CommitRefusal['code'], text: string) {
    super(text)
    this.refusal = { code, text }
  }
}

/** MailboxStore in memory, for tests of what reads and writes mailboxes: right, small and slow. */
export class FakeMailboxStore implements MailboxStore {
  /** Thrown by the next calls while set. */
  fault: Fault | undefined
  /** Calls of `read` that have not been answered, at most so far. */
  readsAtOnceMax = 0
  #readsNow = 0
  #numbers = 1
  readonly #accounts = new Map<AccountId, State>()
  readonly #large = new Map<LargeHandle, Octets[]>()
  readonly #listeners = new Set<(change: MailboxChanged) => void>()

  changes = (listener: (change: MailboxChanged) => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get largeFiles(): number {
    return this.#large.size
  }

  #state(accountId: AccountId): State {
    const known = this.#accounts.get(accountId)
    if (known !== undefined) return known
    const state: State = { boxes: [], subscriptions: DEFAULT_MAILBOXES.map(({ path }) => path) }
    for (const { path, use } of DEFAULT_MAILBOXES) state.boxes.push(this.#newBox(path, use))
    this.#accounts.set(accountId, state)
    return state
  }

  #newBox(path: MailboxPath, use: SpecialUse | undefined): Box {
    return {
      id: `M${this.#numbers++}` as MailboxId,
      path,
      use,
      uidValidity: 1_000 + this.#numbers++,
      uidNext: 1,
      modSeq: EPOCH + this.#numbers++,
      keywords: [],
      rows: [],
      gone: [],
    }
  }

  #check(): void {
    if (this.fault !== undefined) throw this.fault
  }

  openLarge: MailboxStore['openLarge'] = async () => {
    this.#check()
    const handle = `large${this.#numbers++}` as LargeHandle
    this.#large.set(handle, [])
    return { handle }
  }

  appendLarge: MailboxStore['appendLarge'] = async ({ handle, octets }) => {
    this.#check()
    const parts = this.#large.get(handle)
    if (parts === undefined) throw new Fault('notFound', 'no such file')
    parts.push(Uint8Array.from(octets))
  }

  abortLarge: MailboxStore['abortLarge'] = async ({ handle }) => {
    this.#large.delete(handle)
  }

  commit = async (
    request: CommitRequest,
  ): Promise<{ readonly results: readonly AccountCommitResult[] }> => {
    this.#check()
    const changed: MailboxChanged[] = []
    const results = request.commits.map((commit) => this.#commit(commit, request.contents, changed))
    setImmediate(() => {
      for (const change of changed) for (const listener of this.#listeners) listener(change)
    })
    return { results }
  }

  #commit(
    commit: AccountCommit,
    contents: readonly Content[],
    changed: MailboxChanged[],
  ): AccountCommitResult {
    const state = this.#state(commit.accountId)
    const touched = new Set<Box>()
    try {
      const results = commit.changes.map((change) => this.#change(state, change, contents, touched))
      for (const box of touched)
        changed.push({
          accountId: commit.accountId,
          mailboxId: box.id,
          highestModSeq: BigInt(box.modSeq) as ModSeq,
        })
      return { kind: 'committed', results }
    } catch (thrown) {
      if (thrown instanceof Refused) return { kind: 'refused', refusal: thrown.refusal }
      throw thrown
    }
  }

  #change(
    state: State,
    change: MailboxChange,
    contents: readonly Content[],
    touched: Set<Box>,
  ): ChangeResult {
    switch (change.kind) {
      case 'append':
        return this.#append(state, change, contents, touched)
      case 'setFlags':
        return this.#setFlags(state, change, touched)
      case 'expunge':
        return this.#expunge(state, change, touched)
      case 'copy':
      case 'move':
        return this.#copy(state, change, touched)
      case 'create':
        return this.#create(state, change)
      case 'rename': {
        const box = boxOf(state, { id: change.mailboxId })
        if (state.boxes.some((other) => key(other.path) === key(change.path)))
          throw new Refused('exists', 'Mailbox exists already')
        const from = box.path
        for (const other of state.boxes)
          if (key(other.path) === key(from) || key(other.path).startsWith(`${key(from)}/`))
            other.path = [...change.path, ...other.path.slice(from.length)]
        return { kind: 'mailbox', mailbox: rowOf(state, box) }
      }
      case 'delete': {
        const box = boxOf(state, { id: change.mailboxId })
        if (box.path[0] === 'INBOX') throw new Refused('reserved', 'INBOX cannot be deleted')
        state.boxes = state.boxes.filter((other) => other !== box)
        touched.add(box)
        return { kind: 'done' }
      }
      case 'subscribe':
        state.subscriptions = state.subscriptions.filter((path) => key(path) !== key(change.path))
        if (change.on) state.subscriptions.push(change.path)
        return { kind: 'done' }
      case 'retain':
      case 'number':
        return { kind: 'done' }
    }
  }

  #create(state: State, { path, use }: Of<'create'>): ChangeResult {
    if (state.boxes.some((box) => key(box.path) === key(path)))
      throw new Refused('exists', 'Mailbox exists already')
    if (use !== undefined && state.boxes.some((box) => box.use === use))
      throw new Refused('conflict', 'Another mailbox has that special use')
    for (let depth = 1; depth <= path.length; depth++) {
      const part = path.slice(0, depth)
      if (!state.boxes.some((box) => key(box.path) === key(part)))
        state.boxes.push(this.#newBox(part, depth === path.length ? use : undefined))
    }
    state.boxes.sort((a, b) => (key(a.path) < key(b.path) ? -1 : 1))
    return { kind: 'mailbox', mailbox: rowOf(state, boxOf(state, { path, create: false })) }
  }

  #next(box: Box): number {
    box.modSeq = EPOCH + this.#numbers++
    return box.modSeq
  }

  #append(
    state: State,
    change: Of<'append'>,
    contents: readonly Content[],
    touched: Set<Box>,
  ): ChangeResult {
    const box = boxOf(state, change.mailbox)
    const content = contents[change.content]!
    const parts =
      'large' in content
        ? [content.prefix, ...(this.#large.get(content.large) ?? [])]
        : content.octets
    if ('large' in content) this.#large.delete(content.large)
    const octets = Uint8Array.from(concatOctets(parts))
    const indexer = new MimeIndexer()
    indexer.feed(octets)
    const prefix = change.prefix ?? emptyOctets
    const row: Row = {
      uid: box.uidNext++,
      flags: change.flags | keywordBits(box, change.keywords),
      modSeq: this.#next(box),
      octets: concatOctets([prefix, octets]),
      meta: indexer.finish(),
      prefixBytes: prefix.length,
      internalDateMs: change.internalDateMs,
      emailId: `E${this.#numbers++}`,
    }
    box.rows.push(row)
    touched.add(box)
    return {
      kind: 'append',
      mailboxId: box.id,
      uidValidity: box.uidValidity as UidValidity,
      uid: row.uid as Uid,
      emailId: row.emailId as EmailId,
      threadId: `T${row.emailId}` as ThreadId,
    }
  }

  #setFlags(state: State, change: Of<'setFlags'>, touched: Set<Box>): ChangeResult {
    const box = boxOf(state, { id: change.mailboxId })
    const bits = change.flags | keywordBits(box, change.keywords)
    const modSeq = this.#next(box)
    const updated: number[] = []
    const failed: number[] = []
    const wanted = new Set<number>(change.uids)
    for (const row of box.rows) {
      if (!wanted.has(row.uid)) continue
      if (change.unchangedSince !== undefined && row.modSeq > Number(change.unchangedSince)) {
        failed.push(row.uid)
        continue
      }
      const { mode } = change
      row.flags = mode === 'add' ? row.flags | bits : mode === 'remove' ? row.flags & ~bits : bits
      row.modSeq = modSeq
      updated.push(row.uid)
    }
    touched.add(box)
    return {
      kind: 'setFlags',
      updated: Uint32Array.from(updated),
      failed: Uint32Array.from(failed),
      modSeq: BigInt(modSeq) as ModSeq,
    }
  }

  #remove(box: Box, which: (row: Row) => boolean): { uids: Uint32Array; modSeq: ModSeq } {
    const modSeq = this.#next(box)
    const gone = box.rows.filter(which)
    box.rows = box.rows.filter((row) => !which(row))
    for (const row of gone) box.gone.push({ uid: row.uid, modSeq, row })
    return { uids: Uint32Array.from(gone, (row) => row.uid), modSeq: BigInt(modSeq) as ModSeq }
  }

  #expunge(state: State, change: Of<'expunge'>, touched: Set<Box>): ChangeResult {
    const box = boxOf(state, { id: change.mailboxId })
    const wanted = change.uids === 'all' ? undefined : new Set<number>(change.uids)
    touched.add(box)
    return {
      kind: 'expunge',
      ...this.#remove(
        box,
        (row) =>
          (wanted?.has(row.uid) ?? true) && (!change.deletedOnly || (row.flags & DELETED) !== 0),
      ),
    }
  }

  #copy(
    state: State,
    change: Extract<MailboxChange, { readonly from: MailboxId }>,
    touched: Set<Box>,
  ): ChangeResult {
    const from = boxOf(state, { id: change.from })
    const to = boxOf(state, change.to)
    const wanted = new Set<number>(change.uids)
    const sources = from.rows.filter((row) => wanted.has(row.uid))
    const modSeq = this.#next(to)
    const targets = sources.map((row) => {
      const names = from.keywords.filter((_, slot) => (row.flags & (32 << slot)) !== 0)
      to.rows.push({
        ...row,
        uid: to.uidNext++,
        modSeq,
        flags: (row.flags & 31) | keywordBits(to, names),
      })
      return to.uidNext - 1
    })
    if (change.kind === 'move') this.#remove(from, (row) => sources.includes(row))
    touched.add(from).add(to)
    return {
      kind: change.kind,
      mailboxId: to.id,
      uidValidity: to.uidValidity as UidValidity,
      sources: Uint32Array.from(sources, (row) => row.uid),
      targets: Uint32Array.from(targets),
      modSeq: BigInt(modSeq) as ModSeq,
    }
  }

  mailboxes: MailboxStore['mailboxes'] = async ({ accountId }) => {
    this.#check()
    const state = this.#state(accountId)
    return {
      mailboxes: state.boxes.map((box) => rowOf(state, box)),
      subscriptions: state.subscriptions,
    }
  }

  view: MailboxStore['view'] = async ({ accountId, mailboxId, since }) => {
    this.#check()
    const state = this.#state(accountId)
    const box = state.boxes.find(({ id }) => id === mailboxId)
    if (box === undefined) return undefined
    const least = since === undefined ? 0 : Number(since)
    const rows = box.rows.filter((row) => row.modSeq > least)
    const gone = since === undefined ? [] : box.gone.filter((entry) => entry.modSeq > least)
    return {
      mailbox: rowOf(state, box),
      uids: Uint32Array.from(rows, (row) => row.uid),
      flags: Uint32Array.from(rows, (row) => row.flags),
      modSeqs: Float64Array.from(rows, (row) => row.modSeq),
      sizes: Float64Array.from(rows, (row) => row.octets.length),
      internalDatesMs: Float64Array.from(rows, (row) => row.internalDateMs),
      savedAtMs: Float64Array.from(rows, (row) => row.internalDateMs),
      vanished: Uint32Array.from(gone, ({ uid }) => uid).toSorted(),
    } satisfies MailboxView
  }

  metas: MailboxStore['metas'] = async ({ accountId, mailboxId, uids }) => {
    this.#check()
    return { metas: uids.map((uid) => this.#row(accountId, mailboxId, uid)) }
  }

  ids: MailboxStore['ids'] = async ({ accountId, mailboxId, uids }) => {
    this.#check()
    return {
      ids: uids.map((uid) => {
        const row = this.#row(accountId, mailboxId, uid)
        return row === undefined
          ? undefined
          : {
              uid,
              emailId: row.emailId as EmailId,
              threadId: `T${row.emailId}` as ThreadId,
              uidl: `${mailboxId}.${uid}`,
            }
      }),
    }
  }

  read: MailboxStore['read'] = async ({ accountId, mailboxId, uid, offset, length }) => {
    this.#check()
    this.readsAtOnceMax = Math.max(this.readsAtOnceMax, ++this.#readsNow)
    await new Promise(setImmediate)
    this.#readsNow--
    this.#check()
    const row = this.#row(accountId, mailboxId, uid)
    return { octets: row?.octets.subarray(offset, offset + length) }
  }

  #row(accountId: AccountId, mailboxId: MailboxId, uid: Uid): Row | undefined {
    const box = this.#state(accountId).boxes.find(({ id }) => id === mailboxId)
    return (
      box?.rows.find((row) => row.uid === uid) ?? box?.gone.find((entry) => entry.uid === uid)?.row
    )
  }

  scripts: MailboxStore['scripts'] = async () => ({ scripts: [] })
  putScript: MailboxStore['putScript'] = async () => undefined
  outbox: MailboxStore['outbox'] = async () => ({ items: [] })
  readOutbox: MailboxStore['readOutbox'] = async () => ({ octets: emptyOctets })
  outboxDone: MailboxStore['outboxDone'] = async () => undefined
  status: MailboxStore['status'] = async () => ({
    accounts: this.#accounts.size,
    messages: 0,
    outbox: 0,
    freeBytes: 2 ** 40,
    full: false,
  })
}

function boxOf(state: State, ref: MailboxRef): Box {
  const box = state.boxes.find((other) =>
    'id' in ref ? other.id === ref.id : key(other.path) === key(ref.path),
  )
  if (box === undefined) throw new Refused('noMailbox', 'No such mailbox')
  return box
}

function keywordBits(box: Box, keywords: readonly string[]): number {
  let bits = 0
  for (const keyword of keywords) {
    let slot = box.keywords.indexOf(keyword)
    if (slot < 0) {
      if (box.keywords.length >= KEYWORDS_PER_MAILBOX_MAX)
        throw new Refused('limit', 'Too many keywords in this mailbox')
      slot = box.keywords.push(keyword) - 1
    }
    bits |= 32 << slot
  }
  return bits
}

function rowOf(state: State, box: Box): MailboxRow {
  return {
    id: box.id,
    path: box.path,
    ...(box.use === undefined ? {} : { use: box.use }),
    uidValidity: box.uidValidity as UidValidity,
    uidNext: box.uidNext as Uid,
    highestModSeq: BigInt(box.modSeq) as ModSeq,
    messages: box.rows.length,
    unseen: box.rows.filter((row) => (row.flags & SEEN) === 0).length,
    deleted: box.rows.filter((row) => (row.flags & DELETED) !== 0).length,
    sizeBytes: box.rows.reduce((sum, row) => sum + row.octets.length, 0),
    subscribed: state.subscriptions.some((path) => key(path) === key(box.path)),
    keywords: [...box.keywords],
    noSelect: false,
  }
}
