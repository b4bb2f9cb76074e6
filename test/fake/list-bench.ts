import assert from 'node:assert/strict'
import { memoryLog } from '#base/log.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault, ok } from '#base/outcome.ts'
import { FakeClock } from '#base/time.ts'
import { storeReception } from '#engine/deliver/store-reception.ts'
import { UnheardAnswers } from '#engine/deliver/unheard-answers.ts'
import type { DmarcDemand } from '#engine/list/dmarc-demand.ts'
import { ListKeeper } from '#engine/list/keeper.ts'
import type { ListParts } from '#engine/list/list-parts.ts'
import { changeOwnMembership } from '#engine/list/own-membership.ts'
import { reachOf } from '#engine/list/reach.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import type { NewEvent } from '#model/event.ts'
import type { Uid } from '#model/mailbox.ts'
import type { Verdict } from '#model/verdict.ts'
import type { Directory, DirectoryRow } from '#store/directory/directory.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import type { OutboxItem } from '#store/mailbox/commit.ts'

import { addr } from './directory.ts'
import { FakeMailboxStore } from './mailbox-store.ts'

/** A verdict on clean mail, by which the account has logged in to send it. */
export const submitted = (by: string): Verdict => ({
  ...OUTSIDE,
  submittedBy: `id-${by}` as AccountId,
})

/** One on clean mail from outside, whose domain vouches for it. */
export const OUTSIDE: Verdict = {
  class: 'clean',
  score: 0,
  hits: [],
  virus: { kind: 'clean' },
  auth: [{ method: 'dmarc', result: 'pass', properties: [] }],
  caseId: 'C1',
  degraded: [],
}

export interface BenchMail {
  /** Header fields and body, lines ending in `\n`. */
  readonly text: string
  readonly to: string
  readonly from?: string | null
  /** Null: of a gateway of others, which tells none. */
  readonly verdict?: Verdict | null
  readonly deliveryId?: string
}

/** The way of mail to lists over the real mail store in memory: reception, then the lists' keeper. */
export class ListBench {
  readonly clock = new FakeClock()
  readonly store = new FakeMailboxStore(this.clock)
  readonly events: NewEvent[] = []
  readonly log = memoryLog()
  readonly keeper: ListKeeper
  readonly parts: ListParts
  directory: Directory
  demand: DmarcDemand = 'lax'
  publicUrl: string | undefined
  /** Whether control answers; else what needs it throws. */
  isControlThere = true
  /** Who has changed the directory by own wish, as its log names them. */
  readonly authors: string[] = []
  readonly #lives = new AccountClock({ clock: this.clock, rules: () => LIFE_RULES })
  readonly #rows = new Map<string, DirectoryRow>()
  #ids = 0

  constructor(rows: readonly DirectoryRow[]) {
    for (const row of rows) this.#rows.set(rowKey(row), row)
    this.directory = new MemoryDirectory(rows, rows.length, this.#lives)
    // oxlint-disable-next-line typescript/no-this-alias -- the directory may change
    const bench = this
    this.parts = {
      mailboxes: this.store,
      get directory() {
        return bench.directory
      },
      reachOf: (list) => reachOf(list, this.directory, this.clock.nowMs()),
      demands: { of: () => Promise.resolve(this.demand) },
      membership: (act) =>
        this.isControlThere
          ? changeOwnMembership(this.#master, act, { from: 'test', atMs: this.clock.nowMs() })
          : Promise.reject(new Fault('unreachable', 'control is away')),
      pages: () => 'https://mail.campus.example',
      publicUrl: () => this.publicUrl,
      filed: () => undefined,
      newId: () => `N${++this.#ids}`,
      events: { emit: (event) => void this.events.push(event) },
      clock: this.clock,
      log: this.log,
    }
    this.keeper = new ListKeeper(this.parts)
  }

  /** The directory as control has it: written at once, and known at once. */
  get #master(): Parameters<typeof changeOwnMembership>[0] {
    return {
      directory: this.directory as never,
      update: (make, { who }) => {
        const made = make(this.directory)
        if (!made.ok) return Promise.resolve(made)
        for (const edit of made.value)
          if (edit.kind === 'put') this.#rows.set(rowKey(edit.row), edit.row)
          else this.#rows.delete(edit.key)
        if (made.value.length === 0) return Promise.resolve(ok({ seq: 1 }))
        this.authors.push(who)
        this.directory = new MemoryDirectory([...this.#rows.values()], this.#rows.size, this.#lives)
        return Promise.resolve(ok({ seq: 1 }))
      },
    }
  }

  async close(): Promise<void> {
    await this.keeper.close()
    await this.store.close()
  }

  /** LMTP's replies to one mail; nothing is made of it yet. */
  async receive(mail: BenchMail): Promise<string> {
    const reception = storeReception({
      directory: this.directory,
      mailboxes: this.store,
      hostname: 'mail.campus.example',
      newDeliveryId: () => `D${++this.#ids}`,
      unheard: new UnheardAnswers(this.clock),
      clock: this.clock,
      log: this.log,
      events: { emit: () => undefined },
      filed: () => undefined,
      unready: () => 'ready',
    })
    const { verdict = null, from = 'hanako@campus.example' } = mail
    const transaction = await reception.mail({
      door: 'lmtp',
      peer: { ip: '127.0.0.1', port: 24, helo: 'mx.campus.example' },
      reversePath: from === null ? null : addr(from),
      body: '8bitmime',
      smtpUtf8: false,
      ...(verdict !== null && {
        handed: { deliveryId: mail.deliveryId ?? `D${++this.#ids}`, verdict },
      }),
    })
    assert.ok(transaction.ok)
    const refused = await transaction.value.rcpt({ address: addr(mail.to) })
    if (refused !== undefined) return `${refused.code} ${refused.status}`
    const sink = await transaction.value.data()
    assert.ok(sink.ok)
    const octets = fromUtf8(mail.text.replaceAll('\n', '\r\n'))
    for (let at = 0; at < octets.length; at += 100_000)
      await sink.value.write(octets.subarray(at, at + 100_000))
    const [reply] = await sink.value.finish()
    return `${reply?.code} ${reply?.status}`
  }

  /** The same, and what the list makes of it. */
  async mail(mail: BenchMail): Promise<string> {
    const reply = await this.receive(mail)
    await this.settle()
    return reply
  }

  /** Waits until the keeper has nothing left to do. */
  async settle(): Promise<void> {
    this.keeper.start()
    for (const { id } of this.directory.lists())
      await this.keeper.inTurn(id, () => Promise.resolve())
  }

  /** What is on its way out, oldest first, with its octets as text. */
  async outbox(): Promise<readonly (OutboxItem & { readonly text: string })[]> {
    const { items } = await this.store.outbox({ limit: 1_000 })
    return Promise.all(
      items.map(async (item) => {
        const ask = { id: item.id, offset: 0, length: item.sizeBytes }
        return { ...item, text: toUtf8((await this.store.readOutbox(ask)).octets) }
      }),
    )
  }

  /** Takes all that is on its way out. */
  async sent(): Promise<
    readonly {
      readonly kind: string
      readonly from: string
      readonly to: readonly string[]
      readonly text: string
    }[]
  > {
    const items = await this.outbox()
    await this.store.outboxDone({ ids: items.map(({ id }) => id) })
    return items.map(({ kind, reversePath, recipients, text }) => ({
      kind,
      from: reversePath === null ? '' : formatAddress(reversePath),
      to: recipients.map(formatAddress).toSorted(),
      text,
    }))
  }

  /** The messages of a mailbox of the list as text, by UID. */
  async messages(list: string, path: string): Promise<ReadonlyMap<number, string>> {
    const accountId = `id-${list}` as AccountId
    const { mailboxes } = await this.store.mailboxes({ accountId })
    const found = mailboxes.find((row) => row.path.join('/') === path)
    const texts = new Map<number, string>()
    if (found === undefined) return texts
    const view = await this.store.view({ accountId, mailboxId: found.id })
    for (const uid of view?.uids ?? []) {
      const ask = { accountId, mailboxId: found.id, uid: uid as Uid, offset: 0, length: 1_000_000 }
      const { octets } = await this.store.read(ask)
      texts.set(uid, toUtf8(octets!))
    }
    return texts
  }

  told(name: string): readonly NewEvent['fields'][] {
    return this.events.filter((event) => event.name === name).map(({ fields }) => fields)
  }
}

/** A field of a message's text, unfolded. */
export const fieldOf = (text: string, name: string): string | undefined =>
  text
    .slice(0, text.indexOf('\r\n\r\n'))
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    ?.slice(name.length + 1)
    .trim()
