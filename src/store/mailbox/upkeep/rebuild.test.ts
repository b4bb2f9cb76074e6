import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { Uid } from '#model/mailbox.ts'
import {
  append,
  Bench,
  expunging,
  hanako,
  taro,
  text,
} from '#store/mailbox/contract/contract-bench.ts'
import { shown } from '#store/mailbox/contract/shown.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'
import { rebuildMailboxes } from './rebuild.ts'
import type { RebuildReport } from './rebuild.ts'

/* This file is also the process that dies: `rebuild.test.ts fill|rebuild DIR FAILPOINTS`. */

const root = mkdtempSync(join(tmpdir(), 'watari-rebuild-'))
let count = 0
const folder = (): string => join(root, String(++count))

const openAt = (dir: string, clock = new FakeClock()): Promise<OpenMailboxes> =>
  openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
    reserveBytes: 0,
    onTrouble: (line) => assert.fail(line),
  })

const rebuild = (dir: string, dryRun = false): RebuildReport =>
  rebuildMailboxes({ dir, clock: new FakeClock(), dryRun, onProgress: () => undefined })

const benchOf = (store: OpenMailboxes, clock = new FakeClock()): Bench =>
  new Bench({ store, clock, changes: [], end: () => store.close() })

/** Mail, folders, flags, moves, deletions, scripts, memories and mail that goes out. */
async function live(store: OpenMailboxes): Promise<void> {
  const at = benchOf(store)
  const inbox = await at.fill(6)
  await at.done([{ kind: 'create', path: ['控え', '今年'] }])
  await at.done([{ kind: 'subscribe', path: ['控え', '今年'], on: true }])
  const to = { path: ['控え', '今年'], create: false }
  await at.done([{ kind: 'move', from: inbox, uids: [2, 3] as Uid[], to }])
  await at.done([{ kind: 'copy', from: inbox, uids: [4] as Uid[], to }])
  await at.done([
    {
      kind: 'setFlags',
      mailboxId: inbox,
      uids: [1, 5] as Uid[],
      mode: 'add',
      flags: 1,
      keywords: ['$Juuyou'],
    },
  ])
  await at.done([expunging(inbox, [6])])
  await at.done([append(['INBOX'])], { contents: [text('渡り'.padEnd(300_000, '鳥'))] })
  await at.done([append(['INBOX'])], {
    accountId: taro,
    deliveryId: 'D1',
    memories: [{ key: 'v:花子', untilMs: 9e12 }],
    outbox: [
      {
        id: '1:out',
        kind: 'reject',
        reversePath: null,
        recipients: [],
        body: '8bitmime',
        smtpUtf8: true,
        content: fromUtf8('断り'),
      },
    ],
  })
  await store.changeScript({
    accountId: hanako,
    change: { kind: 'put', name: '振り分け', text: 'keep;', activate: true },
  })
  await at.done([{ kind: 'rename', mailboxId: await at.idOf('控え'), path: ['保管'] }])
}

const lose = (dir: string): void => {
  for (const name of readdirSync(dir)) if (name.startsWith('mailbox.db')) rmSync(join(dir, name))
}

const lastJournal = (dir: string): string =>
  join(dir, 'journal', readdirSync(join(dir, 'journal')).toSorted().at(-1)!)

async function main(what: string, dir: string, failpoints: string): Promise<void> {
  if (what === 'rebuild') {
    armFailpoints(failpoints)
    rebuild(dir)
    return
  }
  const store = await openAt(dir)
  await live(store)
  process.kill(process.pid, 'SIGKILL')
}

const die = (...args: readonly string[]): void => {
  const { signal, stderr } = spawnSync(process.execPath, [import.meta.filename, ...args])
  assert.equal(signal, 'SIGKILL', stderr.toString())
}

const suite = (): void => {
  after(() => rmSync(root, { recursive: true, force: true }))

  describe('a store without its database', () => {
    it('does not open, and says what to do', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await benchOf(store).fill(1)
      await store.close()
      lose(dir)
      await assert.rejects(openAt(dir), /mailbox\.db: is missing.*`watari store rebuild`/)
      assert.ok(!existsSync(join(dir, 'mailbox.db')))
    })

    it('does not open with one that is no database, and says what to do', async () => {
      const dir = folder()
      await (await openAt(dir)).close()
      writeFileSync(join(dir, 'mailbox.db'), Buffer.alloc(8_192, '壊'))
      await assert.rejects(openAt(dir), /`watari store rebuild`/)
    })

    it('comes back as it was: folders, UIDs, flags, scripts, expunged mail, what goes out', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await live(store)
      const [before, beforeTaro] = [await shown(store), await shown(store, taro)]
      await store.close()
      lose(dir)
      const report = rebuild(dir)
      assert.equal(report.proves, 'whole')
      assert.equal(report.accounts.length, 2)
      assert.ok(report.accounts.every((each) => each.refiled + each.renumbered === 0))
      const again = await openAt(dir)
      assert.deepEqual(await shown(again), before)
      assert.deepEqual(await shown(again, taro), beforeTaro)
      const at = benchOf(again)
      const state = (await again.mailboxes({ accountId: hanako })).state
      assert.ok(state.modSeq >= 2 * 2 ** 40, 'MODSEQs go on in a new epoch')
      assert.equal(
        (await at.commit([append(['INBOX'])], { accountId: taro, deliveryId: 'D1' })).kind,
        'duplicate',
      )
      await again.close()
    })

    it('comes back as it was after kill -9, also where the last commit was never made', async () => {
      const dir = folder()
      die('fill', dir)
      const copy = folder()
      spawnSync('cp', ['-r', dir, copy])
      const store = await openAt(copy)
      const before = await shown(store)
      await store.close()
      lose(dir)
      assert.equal(rebuild(dir).proves, 'whole')
      const again = await openAt(dir)
      assert.deepEqual(await shown(again), before)
      await again.close()
    })

    it('comes back a second time, from the snapshot that the first left', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await live(store)
      const before = await shown(store)
      await store.close()
      for (let round = 0; round < 2; round++) {
        lose(dir)
        assert.equal(rebuild(dir).proves, 'whole', `round ${round}`)
        const again = await openAt(dir)
        await again.idle()
        assert.deepEqual(await shown(again), before)
        await again.close()
      }
    })

    it('comes back after compaction and purge', async () => {
      const dir = folder()
      const clock = new FakeClock()
      const first = await openAt(dir, clock)
      await live(first)
      await first.close()
      clock.advance(2 * DAY_MS)
      const store = await openAt(dir, clock)
      clock.advance(DAY_MS)
      await store.purge({ beforeMs: clock.nowMs() })
      await store.compact()
      clock.advance(DAY_MS)
      await store.compact()
      const before = await shown(store)
      await store.close()
      lose(dir)
      assert.equal(rebuild(dir).proves, 'whole')
      const again = await openAt(dir, clock)
      assert.deepEqual(await shown(again), before)
      await again.close()
    })

    it('is damaged: it is kept aside, and a dry run leaves everything as it is', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await live(store)
      const before = await shown(store)
      await store.close()
      const path = join(dir, 'mailbox.db')
      const fd = openSync(path, 'r+')
      for (let page = 1; page < statSync(path).size / 2_048; page += 2)
        writeSync(fd, Buffer.alloc(100, 0xa5), 0, 100, page * 2_048)
      closeSync(fd)
      const damaged = readFileSync(path)
      const filesOf = () =>
        readdirSync(dir, { recursive: true }).filter((name) => name !== 'lock.db')
      const files = filesOf()
      assert.equal(rebuild(dir, true).aside, undefined)
      assert.deepEqual(filesOf(), files)
      const { aside } = rebuild(dir)
      assert.deepEqual(readFileSync(join(aside!, 'mailbox.db')), damaged)
      const again = await openAt(dir)
      assert.deepEqual(await shown(again), before)
      await again.close()
    })
  })

  describe('a journal that is damaged', () => {
    it('has lost its end: what was acknowledged is there once, UIDVALIDITY changes', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await store.idle()
      const at = benchOf(store)
      await at.fill(3)
      const cutAt = readFileSync(lastJournal(dir)).lastIndexOf('WEND') + 4
      await at.done([append(['INBOX'])], { contents: [text('Subject: 後\r\n\r\n一')] })
      await at.done([{ kind: 'create', path: ['失くす'] }])
      await at.done([append([], { mailbox: { id: await at.idOf('失くす') } })], {
        contents: [text('Subject: 後\r\n\r\n二')],
      })
      const before = await shown(store)
      await store.close()
      truncateSync(lastJournal(dir), cutAt)
      lose(dir)
      const report = rebuild(dir)
      assert.equal(report.proves, 'part')
      assert.equal(report.accounts[0]!.refiled, 2)
      const again = await openAt(dir)
      const seen = await shown(again)
      assert.deepEqual(
        seen.boxes.flatMap(({ texts }) => texts).toSorted(),
        before.boxes.flatMap(({ texts }) => texts).toSorted(),
      )
      for (const { row } of seen.boxes)
        assert.ok(before.boxes.every((other) => other.row.uidValidity < row.uidValidity))
      await again.close()
    })

    it('was written before the machine restarted: no UID is given twice, UIDVALIDITY stays', async () => {
      const dir = folder()
      die('fill', dir)
      const path = lastJournal(dir)
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
      const store = await openAt(dir)
      const before = await shown(store)
      await store.close()
      rmSync(lastJournal(dir))
      reboot(path, boot)
      lose(dir)
      const report = rebuild(dir)
      assert.equal(report.proves, 'tail')
      const again = await openAt(dir)
      const seen = await shown(again)
      for (const [i, { row, view, texts }] of seen.boxes.entries()) {
        const old = before.boxes[i]!
        assert.deepEqual(texts, old.texts)
        assert.deepEqual(view?.uids, old.view?.uids)
        assert.equal(row.uidValidity, old.row.uidValidity)
        assert.ok(row.uidNext > old.row.uidNext)
        assert.ok(row.highestModSeq > old.row.highestModSeq)
      }
      await again.close()
    })

    it('has a hole: what was acknowledged is there once', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await store.idle()
      const at = benchOf(store)
      await at.fill(2)
      const from = readFileSync(lastJournal(dir)).lastIndexOf('WEND') + 4
      await at.done([append(['INBOX'])], { contents: [text('Subject: 穴\r\n\r\n中')] })
      await at.fill(2)
      const before = await shown(store)
      await store.close()
      const fd = openSync(lastJournal(dir), 'r+')
      writeSync(fd, Buffer.alloc(8, 0xff), 0, 8, from + 40)
      closeSync(fd)
      lose(dir)
      const report = rebuild(dir)
      assert.equal(report.proves, 'part')
      assert.equal(report.damaged.length > 0, true)
      const again = await openAt(dir)
      assert.deepEqual(
        (await shown(again)).boxes.flatMap(({ texts }) => texts).toSorted(),
        before.boxes.flatMap(({ texts }) => texts).toSorted(),
      )
      await again.close()
    })

    it('is gone: nothing is made up', () => {
      const dir = folder()
      spawnSync('mkdir', ['-p', dir])
      assert.throws(
        () => rebuild(dir),
        (thrown) => isFault(thrown, 'notFound'),
      )
    })

    it('has lost a segment: its messages say so, all else is there', async () => {
      const dir = folder()
      const store = await openAt(dir)
      await benchOf(store).fill(2)
      await store.close()
      const later = await openAt(dir)
      await benchOf(later).fill(1)
      await later.close()
      lose(dir)
      const [first] = readdirSync(join(dir, 'seg')).toSorted()
      rmSync(join(dir, 'seg', first!))
      const report = rebuild(dir)
      assert.equal(report.accounts[0]!.unreadable, 2)
      const again = await openAt(dir)
      const at = benchOf(again)
      assert.deepEqual([...(await at.view(await at.idOf('INBOX'))).uids], [1, 2, 3])
      assert.equal((await again.damaged()).messages.length, 2)
      await again.close()
    })
  })

  for (const point of ['rebuild.written', 'rebuild.aside'])
    it(`killed at ${point}, a rebuild begins again`, async () => {
      const dir = folder()
      const store = await openAt(dir)
      await live(store)
      const before = await shown(store)
      await store.close()
      renameSync(join(dir, 'mailbox.db'), join(dir, 'kept'))
      copyFileSync(join(dir, 'kept'), join(dir, 'mailbox.db'))
      truncateSync(join(dir, 'mailbox.db'), 5_000)
      for (let round = 0; round < 2; round++) die('rebuild', dir, `${point}=die`)
      if (point === 'rebuild.aside') await assert.rejects(openAt(dir), /is missing/)
      rebuild(dir)
      const again = await openAt(dir)
      assert.deepEqual(await shown(again), before)
      await again.close()
    })
}

/** Makes the journal's starts say that they are of another run of the kernel. */
function reboot(path: string, boot: string): void {
  const octets = readFileSync(path)
  const at = octets.indexOf(boot)
  assert.ok(at > 0)
  // The CRC is of the content alone: made anew behind it.
  rewriteRecord(octets, at, (content) =>
    content.replaceAll(boot, boot.replaceAll(/[0-9a-f]/g, '0')),
  )
  writeFileSync(path, octets)
}

function rewriteRecord(octets: Buffer, within: number, change: (json: string) => string): void {
  const head = octets.lastIndexOf('WREC', within)
  const length = Number(octets.readBigUInt64LE(head + 8))
  const content = Buffer.from(change(octets.toString('utf8', head + 24, head + 24 + length)))
  assert.equal(content.length, length)
  content.copy(octets, head + 24)
  octets.writeUInt32LE(crc32(content), head + 24 + length)
}

const [what, dir, failpoints = ''] = process.argv.slice(2)
if (what === 'fill' || what === 'rebuild') await main(what, dir!, failpoints)
else suite()
