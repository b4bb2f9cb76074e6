import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS } from '#base/time.ts'
import type { MailboxPath, Uid } from '#model/mailbox.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { append, Bench, expunging, hanako } from '#store/mailbox/contract/contract-bench.ts'

const PATHS: readonly MailboxPath[] = [['INBOX'], ['控え'], ['控え', '今年']]
const LARGE_BYTES = 270_000

type Step =
  | {
      readonly kind: 'append'
      readonly box: number
      readonly large: boolean
      readonly out: boolean
    }
  | {
      readonly kind: 'copy' | 'move'
      readonly box: number
      readonly to: number
      readonly at: number
    }
  | { readonly kind: 'expunge'; readonly box: number; readonly at: number }
  | { readonly kind: 'delete' | 'read'; readonly box: number }
  | { readonly kind: 'sent' | 'purge' | 'later' }

const box = fc.nat(PATHS.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      box,
      large: fc.boolean(),
      out: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('copy' as const, 'move' as const),
      box,
      to: box,
      at: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('expunge' as const), box, at: fc.nat(9) }),
  },
  fc.record({ kind: fc.constantFrom('delete' as const, 'read' as const), box }),
  fc.record({ kind: fc.constantFrom('sent' as const, 'purge' as const, 'later' as const) }),
)

/** The mailboxes of one run, and what each message that was appended says. */
class Run {
  readonly store = new FakeMailboxStore()
  readonly at = new Bench({
    store: this.store,
    clock: this.store.clock,
    changes: [],
    end: () => this.store.close(),
  })
  #count = 0
  readonly #said = new Map<string, string>()

  async #row(index: number) {
    return (await this.at.rows()).find((row) => row.path.join() === PATHS[index]!.join())
  }

  async #uidAt(index: number, at: number) {
    const row = await this.#row(index)
    if (row === undefined || row.noSelect) return undefined
    const { uids } = await this.at.view(row.id)
    const uid = uids[at % Math.max(1, uids.length)]
    return uid === undefined ? undefined : { mailboxId: row.id, uid: uid as Uid }
  }

  async take(each: Step): Promise<void> {
    const { at, store } = this
    switch (each.kind) {
      case 'append':
        return this.#append(each)
      case 'copy':
      case 'move': {
        const found = await this.#uidAt(each.box, each.at)
        if (found === undefined) return
        const to = { path: PATHS[each.to]!, create: true }
        await at.done([{ kind: each.kind, from: found.mailboxId, uids: [found.uid], to }])
        return
      }
      case 'expunge': {
        const found = await this.#uidAt(each.box, each.at)
        if (found !== undefined) await at.done([expunging(found.mailboxId, [found.uid])])
        return
      }
      case 'delete': {
        const row = await this.#row(each.box)
        if (row !== undefined && !row.noSelect && each.box > 0)
          await at.done([{ kind: 'delete', mailboxId: row.id }])
        return
      }
      case 'read': {
        const row = await this.#row(each.box)
        if (row !== undefined) await at.ids(row.id, ...Array.from({ length: 20 }, (_, i) => i + 1))
        return
      }
      case 'sent': {
        const { items } = await store.outbox({ limit: 2 })
        return store.outboxDone({ ids: items.map(({ id }) => id) })
      }
      case 'purge':
        await store.purge({ beforeMs: at.clock.nowMs() })
        return
      case 'later':
        at.clock.advance(DAY_MS / 3)
    }
  }

  async #append({ box: index, large, out }: Extract<Step, { kind: 'append' }>): Promise<void> {
    const n = this.#count++
    const body = large ? `渡り鳥 ${n} `.padEnd(LARGE_BYTES, 'x') : `渡り鳥 ${n}`
    const entry = { id: `${n}`, kind: 'redirect', reversePath: null, recipients: [] } as const
    const made = await this.at.one(
      'append',
      append([], { mailbox: { path: PATHS[index]!, create: true } }),
      {
        contents: [{ octets: [fromUtf8(body)] }],
        outbox: out ? [{ ...entry, body: '8bitmime', smtpUtf8: false, content: 0 }] : [],
      },
    )
    this.#said.set(made.emailId, body)
  }

  /** All that is there can be read; returns the emails that are a file of their own. */
  async check(): Promise<Set<string>> {
    const { at, store } = this
    const large = new Set<string>()
    for (const { id, noSelect } of await at.rows()) {
      if (noSelect) continue
      const { uids } = await at.view(id)
      const ids = await at.ids(id, ...uids)
      for (const [i, uid] of uids.entries()) {
        const said = this.#said.get(ids[i]!.emailId)!
        assert.equal(await at.read(id, uid), said)
        if (said.length >= LARGE_BYTES) large.add(ids[i]!.emailId)
      }
      const metas = await Array.fromAsync(
        storedMetas(store, {
          accountId: hanako,
          mailboxId: id,
          uids: [...uids] as Uid[],
        }),
      )
      assert.ok(metas.every((meta) => meta !== undefined))
    }
    for (const { id, sizeBytes } of (await store.outbox({ limit: 1_000 })).items) {
      const { octets } = await store.readOutbox({ id, offset: 0, length: sizeBytes })
      assert.match(toUtf8(octets), new RegExp(`^渡り鳥 ${id}( x*)?$`))
    }
    return large
  }
}

test('a purge at any time takes no octets that are named, and leaves none that are not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const run = new Run()
      for (const each of steps) await run.take(each)
      await run.check()
      // Nobody reads any more, but all that goes out is still to go.
      run.at.clock.advance(2 * DAY_MS)
      await run.store.purge({ beforeMs: run.at.clock.nowMs() })
      const large = await run.check()
      const { items } = await run.store.outbox({ limit: 1_000 })
      await run.store.outboxDone({ ids: items.map(({ id }) => id) })
      await run.check()
      assert.equal(run.store.blobs.files.size, large.size)
      assert.equal(run.store.blobs.writing.size, 0)
      await run.store.close()
    }),
    { numRuns: 120, seed: 7 },
  )
})
