import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { armFailpoints } from '#base/failpoint.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import { append, expunging } from '#store/mailbox/contract/contract-bench.ts'
import { messagePieces } from '#store/mailbox/message-pieces.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'

/*
 * This file is also the process that dies: `compact.test.ts child DIR FAILPOINTS` compacts the store
 * in DIR once.
 */
const ACCOUNTS = ['花子', '太郎', '次郎'] as AccountId[]
const MAILS = 120

const root = mkdtempSync(join(tmpdir(), 'watari-compact-'))
after(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'v-'))

async function open(dir: string): Promise<{ store: OpenMailboxes; clock: FakeClock }> {
  const clock = new FakeClock()
  const store = await openMailboxes({
    dir,
    clock,
    parser: () => new MimeIndexer(),
    onChange: () => undefined,
    reserveBytes: 0,
  })
  return { store, clock }
}

const mailOf = (accountId: string, n: number): string =>
  `Message-ID: <${n}@${encodeURIComponent(accountId)}>\r\nSubject: 会議 ${n}\r\n\r\n` +
  `${accountId}さん、来週の会議の資料 ${n} をお送りします。\r\n`.repeat(1 + (n % 40))
const SHARED = `Subject: 全学へ\r\n\r\n${'お知らせ。'.repeat(500)}`

/** Mail of three accounts in turn, one to all of them, one large: in a segment that is sealed and old. */
async function fill(): Promise<string> {
  const dir = folder()
  const { store } = await open(dir)
  const deliver = (to: readonly AccountId[], content: string): Promise<unknown> =>
    store.commit({
      contents: [{ octets: [fromUtf8(content)] }],
      commits: to.map((accountId) => ({ accountId, changes: [append(['INBOX'])] })),
    })
  const all: Promise<unknown>[] = []
  for (let n = 0; n < MAILS; n++)
    for (const accountId of ACCOUNTS) all.push(deliver([accountId], mailOf(accountId, n)))
  all.push(deliver(ACCOUNTS, SHARED))
  all.push(deliver(ACCOUNTS.slice(0, 1), LARGE))
  await Promise.all(all)
  await store.close()
  age(dir)
  return dir
}
const LARGE = `Subject: 大\r\n\r\n${'大'.repeat(100_000)}`

/** Nothing was written there for long. */
function age(dir: string): void {
  for (const name of readdirSync(join(dir, 'seg'))) utimesSync(join(dir, 'seg', name), 1, 1)
}

const segments = (dir: string): string[] => readdirSync(join(dir, 'seg')).toSorted()
const bytesOf = (dir: string): number =>
  segments(dir).reduce((sum, name) => sum + statSync(join(dir, 'seg', name)).size, 0)

async function inboxOf(store: OpenMailboxes, accountId: AccountId) {
  const { mailboxes } = await store.mailboxes({ accountId })
  const mailboxId = mailboxes.find(({ use }) => use === 'inbox')!.id
  const view = await store.view({ accountId, mailboxId })
  return { accountId, mailboxId, uids: [...view!.uids] as Uid[] }
}

type Inbox = Awaited<ReturnType<typeof inboxOf>>

const read = async (
  store: OpenMailboxes,
  inbox: Omit<Inbox, 'uids'>,
  uid: Uid,
): Promise<string> => {
  const { accountId, mailboxId } = inbox
  const ask = { accountId, mailboxId, uid, offset: 0, length: 1_000_000 }
  return toUtf8((await store.read(ask)).octets!)
}

/** Every mail of everybody, whole, with its meta; by account. */
async function readAll(store: OpenMailboxes): Promise<Map<AccountId, string[]>> {
  const found = new Map<AccountId, string[]>()
  for (const accountId of ACCOUNTS) {
    const inbox = await inboxOf(store, accountId)
    const texts: string[] = []
    for (const uid of inbox.uids) texts.push(await read(store, inbox, uid))
    const pieces = inbox.uids.map((uid) => ({ uid, offset: 3, length: 5_000 }))
    const parts = await messagePieces(store, { ...inbox, pieces })
    parts.forEach((part, index) => {
      const whole = fromUtf8(texts[index]!)
      assert.deepEqual(Buffer.from(part as Uint8Array), Buffer.from(whole.subarray(3, 5_003)))
    })
    const metas = await Array.fromAsync(storedMetas(store, inbox))
    metas.forEach((stored, index) => {
      assert.equal(stored?.meta.sizeBytes, Buffer.byteLength(texts[index]!))
    })
    found.set(accountId, texts.toSorted())
  }
  return found
}

function assertWhole(found: Map<AccountId, string[]>): void {
  for (const [index, accountId] of ACCOUNTS.entries()) {
    const own = Array.from({ length: MAILS }, (_, n) => mailOf(accountId, n))
    const expected = [...own, SHARED, ...(index === 0 ? [LARGE] : [])].toSorted()
    assert.deepEqual(found.get(accountId), expected)
  }
}

/** Flips an octet of a file. */
function damage(path: string, at: number): void {
  const fd = openSync(path, 'r+')
  const octet = Buffer.alloc(1)
  readSync(fd, octet, 0, 1, at)
  writeSync(fd, Buffer.of(octet[0]! ^ 1), 0, 1, at)
}

async function child(dir: string, failpoints: string): Promise<void> {
  const { store } = await open(dir)
  armFailpoints(failpoints)
  await store.compact()
  await store.close()
}

function main(): void {
  describe('compaction', () => {
    it('leaves every octet as it was, in a fraction of the room', async () => {
      const dir = await fill()
      const before = bytesOf(dir)
      const { store, clock } = await open(dir)
      const names = segments(dir)
      const { moved, damaged } = await store.compact()
      // Contents and metas of each row; the large one has its meta here.
      assert.deepEqual([moved, damaged], [2 * (MAILS + 1) * ACCOUNTS.length + 1, 0])
      assertWhole(await readAll(store))
      assert.ok(segments(dir).includes(names[0]!), 'somebody may still read there')
      clock.advance(2 * MINUTE_MS)
      await store.compact()
      assert.ok(!segments(dir).includes(names[0]!))
      assertWhole(await readAll(store))
      await store.close()
      assert.ok(bytesOf(dir) < before / 3, `${bytesOf(dir)} of ${before}`)
      const again = await open(dir)
      assertWhole(await readAll(again.store))
      await again.store.close()
    })

    it('reads parts of a message, many metas, and what was expunged and comes back', async () => {
      const dir = await fill()
      const { store } = await open(dir)
      await store.compact()
      const inbox = await inboxOf(store, ACCOUNTS[1]!)
      const uid = inbox.uids[7]!
      const whole = await read(store, inbox, uid)
      const ask = { accountId: inbox.accountId, mailboxId: inbox.mailboxId, uid }
      const { octets } = await store.read({ ...ask, offset: 10, length: 30 })
      assert.deepEqual(Buffer.from(octets!), Buffer.from(whole).subarray(10, 40))
      const change = expunging(inbox.mailboxId, [uid])
      const { accountId } = inbox
      await store.commit({ contents: [], commits: [{ accountId, changes: [change] }] })
      assert.equal(await read(store, inbox, uid), whole)
      const { emails } = await store.expunged({ accountId, sinceMs: 0, limit: 9 })
      const restore = { kind: 'restore', emailIds: emails.map(({ emailId }) => emailId) } as const
      await store.commit({ contents: [], commits: [{ accountId, changes: [restore] }] })
      const back = (await inboxOf(store, accountId)).uids.at(-1)!
      assert.equal(await read(store, inbox, back), whole)
      await store.close()
    })

    it('gives back the room of what was purged', async () => {
      const dir = await fill()
      const { store, clock } = await open(dir)
      await store.compact()
      await store.close()
      const full = bytesOf(dir)
      const again = await open(dir)
      for (const accountId of ACCOUNTS.slice(1)) {
        const { mailboxId } = await inboxOf(again.store, accountId)
        const changes = [expunging(mailboxId, 'all')]
        await again.store.commit({ contents: [], commits: [{ accountId, changes }] })
      }
      again.clock.advance(clock.nowMs())
      await again.store.purge({ beforeMs: again.clock.nowMs() })
      // One run sees that most is dead, and rewrites it; a later one deletes what it left.
      for (let run = 0; run < 3; run++) {
        await again.store.compact()
        again.clock.advance(2 * MINUTE_MS)
      }
      const kept = await inboxOf(again.store, ACCOUNTS[0]!)
      assert.equal(kept.uids.length, MAILS + 2)
      for (const uid of kept.uids) await read(again.store, kept, uid)
      await again.store.close()
      assert.ok(bytesOf(dir) < full / 2, `${bytesOf(dir)} of ${full}`)
    })

    it('a damaged octet costs one message before, one block of one account after', async () => {
      const dir = await fill()
      const broken = async (): Promise<Map<AccountId, number>> => {
        const { store } = await open(dir)
        const lost = new Map<AccountId, number>()
        for (const accountId of ACCOUNTS) {
          const inbox = await inboxOf(store, accountId)
          for (const uid of inbox.uids)
            await read(store, inbox, uid).catch((thrown: unknown) => {
              assert.ok(isFault(thrown, 'corrupt'), String(thrown))
              lost.set(accountId, (lost.get(accountId) ?? 0) + 1)
            })
        }
        await store.close()
        return lost
      }
      const path = join(dir, 'seg', segments(dir)[0]!)
      // Within some mail's text: metas are shorter and have no such run.
      const octets = Buffer.alloc(statSync(path).size)
      readSync(openSync(path, 'r'), octets, 0, octets.length, 0)
      const at = octets.indexOf(fromUtf8('花子さん、来週の会議の資料 39 を'))
      damage(path, at)
      age(dir)
      assert.deepEqual([...(await broken())], [['花子', 1]])
      const { store } = await open(dir)
      const { damaged } = await store.compact()
      assert.equal(damaged, 1)
      await store.close()
      assert.deepEqual([...(await broken())], [['花子', 1]], 'all else has moved')
      assert.ok(segments(dir).includes(segments(dir)[0]!))
      const compacted = join(dir, 'seg', segments(dir)[1]!)
      damage(compacted, 300)
      const lost = await broken()
      // The others lose nothing but what they share with that account.
      const [first, ...others] = [...lost.values()].toSorted((x, y) => y - x)
      assert.ok(first! > 1 && others.every((count) => count <= 1), String([first, ...others]))
    })

    for (const [where, failpoints] of [
      ['between the write of the first blocks and their sync', 'mailbox.written=die@1'],
      ['between the sync of blocks and their COMMIT', 'mailbox.synced=die@1'],
      ['between a COMMIT and what follows', 'mailbox.committed=die@1'],
      ['between two commits', 'mailbox.compacted=die@1'],
    ] as const)
      it(`killed ${where}: nothing is lost, and the next run ends it`, async () => {
        const dir = await fill()
        for (let round = 0; round < 2; round++) {
          const dying = spawn(process.execPath, [import.meta.filename, 'child', dir, failpoints], {
            stdio: ['ignore', 'inherit', 'inherit'],
          })
          assert.deepEqual(await once(dying, 'exit'), [null, 'SIGKILL'])
          const copy = folder()
          cpSync(dir, copy, { recursive: true })
          const { store } = await open(copy)
          assertWhole(await readAll(store))
          await store.close()
          age(dir)
        }
        const { store, clock } = await open(dir)
        for (let run = 0; run < 4; run++) {
          await store.compact()
          clock.advance(2 * MINUTE_MS)
        }
        assertWhole(await readAll(store))
        await store.close()
      })
  })
}

if (process.argv[2] === 'child') await child(process.argv[3]!, process.argv[4]!)
else main()
