import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { MailboxPath, Uid } from '#model/mailbox.ts'
import { append, Bench, expunging, text } from '#store/mailbox/contract/contract-bench.ts'
import { shown } from '#store/mailbox/contract/shown.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { rebuildMailboxes } from './rebuild.ts'

const PATHS: readonly MailboxPath[] = [['INBOX'], ['控え'], ['控え', '今年']]

interface Step {
  readonly kind:
    | 'append'
    | 'large'
    | 'copy'
    | 'move'
    | 'expunge'
    | 'flag'
    | 'refused'
    | 'delete'
    | 'rename'
    | 'restart'
    | 'compact'
    | 'purge'
  readonly box: number
  readonly to: number
  readonly at: number
}

const one = (kind: Step['kind'], weight: number) => ({
  weight,
  arbitrary: fc.record({
    kind: fc.constant(kind),
    box: fc.nat(PATHS.length - 1),
    to: fc.nat(PATHS.length - 1),
    at: fc.nat(9),
  }),
})
const step = fc.oneof(
  one('append', 8),
  one('large', 1),
  one('copy', 2),
  one('move', 3),
  one('expunge', 3),
  one('flag', 3),
  one('refused', 1),
  one('delete', 1),
  one('rename', 1),
  one('restart', 1),
  one('compact', 1),
  one('purge', 1),
)

const root = mkdtempSync(join(tmpdir(), 'watari-rebuild-fuzz-'))
after(() => rmSync(root, { recursive: true, force: true }))
let runs = 0

/** A store on a disk of its own, and which mails nobody touched after they were acknowledged. */
class Run {
  readonly dir = join(root, String(++runs))
  readonly clock = new FakeClock()
  readonly untouched = new Set<string>()
  store!: OpenMailboxes
  at!: Bench
  #count = 0

  async open(): Promise<void> {
    this.store = await openMailboxes({
      dir: this.dir,
      clock: this.clock,
      parser: () => new MimeIndexer(),
      onChange: () => undefined,
      reserveBytes: 0,
      onTrouble: (line) => assert.fail(line),
    })
    this.at = new Bench({
      store: this.store,
      clock: this.clock,
      changes: [],
      end: () => this.store.close(),
    })
  }

  async #found({ box, at }: Step) {
    const row = (await this.at.rows()).find(({ path }) => path.join() === PATHS[box]!.join())
    if (row === undefined || row.noSelect) return undefined
    const { uids } = await this.at.view(row.id)
    return { row, uid: uids[at % Math.max(1, uids.length)] as Uid | undefined }
  }

  async take(each: Step): Promise<void> {
    const { at } = this
    this.clock.advance(1_000)
    const found = await this.#found(each)
    const { row, uid } = found ?? {}
    const to = { path: PATHS[each.to]!, create: true }
    switch (each.kind) {
      case 'append':
      case 'large': {
        const body = `Subject: ${this.#count++}\r\n\r\n渡り鳥`
        const octets = each.kind === 'large' ? body.padEnd(270_000, 'x') : body
        await at.done([append([], { mailbox: to })], { contents: [text(octets)] })
        this.untouched.add(octets)
        return
      }
      case 'refused':
        await at.refused([append(['無い'])], { contents: [text(`Subject: 拒む ${this.#count++}`)] })
        return
      case 'copy':
      case 'move':
      case 'expunge':
      case 'flag':
        if (row === undefined || uid === undefined) return
        this.untouched.delete(await at.read(row.id, uid))
        if (each.kind === 'expunge') await at.done([expunging(row.id, [uid])])
        else if (each.kind === 'flag')
          await at.done([
            {
              kind: 'setFlags',
              mailboxId: row.id,
              uids: [uid],
              mode: each.at % 2 === 0 ? 'add' : 'remove',
              flags: each.at,
              keywords: ['$Juuyou'],
            },
          ])
        else await at.done([{ kind: each.kind, from: row.id, uids: [uid], to }])
        return
      case 'delete':
        if (row === undefined || each.box === 0) return
        for (const other of (await at.view(row.id)).uids)
          this.untouched.delete(await at.read(row.id, other))
        await at.done([{ kind: 'delete', mailboxId: row.id }])
        return
      case 'rename':
        if (row !== undefined && each.box > 0)
          await at.done([{ kind: 'rename', mailboxId: row.id, path: [`移した ${this.#count++}`] }])
        return
      case 'restart':
        await this.store.close()
        return this.open()
      case 'compact':
        this.clock.advance(2 * DAY_MS)
        await this.store.compact()
        return
      case 'purge':
        await this.store.purge({ beforeMs: this.clock.nowMs() })
    }
  }

  lose(): void {
    for (const name of readdirSync(this.dir))
      if (name.startsWith('mailbox.db')) rmSync(join(this.dir, name))
  }

  rebuild() {
    const { dir, clock } = this
    return rebuildMailboxes({ dir, clock, dryRun: false, onProgress: () => undefined })
  }
}

test('a database that is lost at any time comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom('gone', 'cut', 'overwritten'),
      async (steps, damage) => {
        const run = new Run()
        await run.open()
        for (const each of steps) await run.take(each)
        await run.store.idle()
        const before = await shown(run.store)
        await run.store.close()
        const path = join(run.dir, 'mailbox.db')
        if (damage === 'gone') run.lose()
        else if (damage === 'cut') truncateSync(path, Math.floor(statSync(path).size / 3))
        else writeFileSync(path, Buffer.alloc(statSync(path).size, '壊'))
        assert.equal(run.rebuild().proves, 'whole')
        await run.open()
        assert.deepEqual(await shown(run.store), before)
        await run.store.close()
        rmSync(run.dir, { recursive: true })
      },
    ),
    { numRuns: 12, seed: 7 },
  )
})

test('with a journal that is cut anywhere, each mail that nobody touched is there once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (steps, share) => {
        const run = new Run()
        await run.open()
        await run.store.idle()
        const kinds = ['compact', 'purge', 'restart']
        for (const each of steps) if (!kinds.includes(each.kind)) await run.take(each)
        const old = new Set((await run.at.rows()).map(({ uidValidity }) => uidValidity))
        await run.store.close()
        run.lose()
        // An account of which nothing is left gets its UIDVALIDITY from the clock.
        run.clock.advance(DAY_MS)
        const [name] = readdirSync(join(run.dir, 'journal'))
        const path = join(run.dir, 'journal', name!)
        // A part of the first record at least is left.
        truncateSync(path, Math.floor(2_500 + share * Math.max(0, statSync(path).size - 2_501)))
        assert.equal(run.rebuild().proves, 'part')
        await run.open()
        const { boxes } = await shown(run.store)
        const texts = boxes.flatMap((each) => each.texts)
        for (const body of run.untouched)
          assert.equal(texts.filter((each) => each === body).length, 1, body.slice(0, 40))
        assert.ok(boxes.every(({ row }) => !old.has(row.uidValidity)))
        await run.store.close()
        rmSync(run.dir, { recursive: true })
      },
    ),
    { numRuns: 20, seed: 11 },
  )
})
