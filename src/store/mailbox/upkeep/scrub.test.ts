import assert from 'node:assert/strict'
import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeSync,
  closeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { AccountId } from '#model/account.ts'
import type { Uid } from '#model/mailbox.ts'
import { append, expunging } from '#store/mailbox/contract/contract-bench.ts'
import type { DamagedMessage } from './damaged.ts'
import { storedMetas } from '#store/mailbox/meta-records.ts'
import { openMailboxes } from '#store/mailbox/open.ts'
import type { OpenMailboxes } from '#store/mailbox/open.ts'

const HANAKO = '花子' as AccountId
const TARO = '太郎' as AccountId
const MAILS = 40
const MIB = 1024 * 1024

const root = mkdtempSync(join(tmpdir(), 'watari-scrub-'))
after(() => rmSync(root, { recursive: true, force: true }))

const textOf = (n: number): string =>
  `Subject: =?utf-8?B?5Lya6K2w?= ${n}\r\n\r\n${'会議の資料です。'.repeat(200)}その${n}。\r\n`
const LARGE = `Subject: large\r\n\r\n${'大きな添付'.repeat(40_000)}末尾。\r\n`
const SHARED = `Subject: all\r\n\r\n${'全学へのお知らせ。'.repeat(300)}\r\n`

async function open(dir: string, clock = new FakeClock()) {
  const parser = () => new MimeIndexer()
  const onChange = (): void => undefined
  const store = await openMailboxes({ dir, clock, parser, onChange, reserveBytes: 0 })
  return { store, clock }
}

/** Mail of Hanako's, one that Taro has as well, and one in a file of its own. */
async function filled(): Promise<string> {
  const dir = mkdtempSync(join(root, 'v-'))
  const { store } = await open(dir)
  const file = (to: readonly AccountId[], text: string): Promise<unknown> =>
    store.commit({
      contents: [{ octets: [fromUtf8(text)] }],
      commits: to.map((accountId) => ({ accountId, changes: [append(['INBOX'])] })),
    })
  for (let n = 1; n <= MAILS; n++) await file([HANAKO], textOf(n))
  await file([HANAKO, TARO], SHARED)
  await file([HANAKO], LARGE)
  await store.close()
  return dir
}

/** Flips one octet of the last place where the text stands in some file of the folder. */
function damage(dir: string, folder: 'seg' | 'large', text: string): void {
  for (const name of readdirSync(join(dir, folder)).toSorted()) {
    const path = join(dir, folder, name)
    const octets = readFileSync(path)
    const at = octets.lastIndexOf(fromUtf8(text))
    if (at < 0) continue
    const fd = openSync(path, 'r+')
    writeSync(fd, Buffer.of(octets[at]! ^ 1), 0, 1, at)
    closeSync(fd)
    return
  }
  throw new Error(`nobody has ${text}`)
}

async function round(store: OpenMailboxes, limitBytes = 64 * MIB) {
  const damaged: DamagedMessage[] = []
  let [bytes, mended, steps] = [0, 0, 0]
  for (;;) {
    const step = await store.scrub({ limitBytes })
    damaged.push(...step.damaged)
    bytes += step.bytes
    mended += step.mended
    steps++
    if (!step.hasMore) return { damaged, bytes, mended, steps }
    assert.ok(steps < 10_000, 'a round ends')
  }
}

/** What SQLite says of the database: the look that a start, or the end of a round, has begun. */
async function looked(store: OpenMailboxes) {
  await store.idle()
  const { database } = await store.scrub({ limitBytes: 1 })
  return database
}

const lines = (damaged: readonly DamagedMessage[]): string[] =>
  damaged.map(({ accountId, path, uid }) => `${accountId} ${path.join('/')} ${uid}`)

async function inbox(store: OpenMailboxes, accountId: AccountId) {
  const { mailboxes } = await store.mailboxes({ accountId })
  return { accountId, mailboxId: mailboxes.find(({ use }) => use === 'inbox')!.id }
}

describe('the scrubber', () => {
  it('reads all octets once a round, then rests for its month', async () => {
    const dir = await filled()
    const { store, clock } = await open(dir)
    const first = await round(store)
    assert.deepEqual([first.damaged, first.mended], [[], 0])
    assert.equal((await looked(store))?.kind, 'whole')
    const written = Buffer.byteLength(LARGE) + MAILS * Buffer.byteLength(textOf(1))
    assert.ok(first.bytes > written && first.bytes < 1.5 * written, `${first.bytes} of ${written}`)
    assert.equal((await store.scrub({ limitBytes: MIB })).bytes, 0)
    clock.advance(27 * DAY_MS)
    assert.equal((await store.scrub({ limitBytes: MIB })).bytes, 0)
    clock.advance(2 * DAY_MS)
    assert.equal((await round(store)).bytes, first.bytes)
    // A clock that went back by years costs one round, not all rounds to come.
    clock.advance(-3_650 * DAY_MS)
    assert.equal((await round(store)).bytes, first.bytes)
    assert.equal((await store.scrub({ limitBytes: MIB })).bytes, 0)
    await store.close()
  })

  it('goes on after a start where it was, and no step reads much more than it may', async () => {
    const dir = await filled()
    const clock = new FakeClock()
    const whole = await round((await open(await filled(), clock)).store)
    let bytes = 0
    for (let starts = 1; ; starts++) {
      const { store } = await open(dir, clock)
      const step = await store.scrub({ limitBytes: 20_000 })
      await store.close()
      assert.ok(step.bytes < 20_000 + Buffer.byteLength(LARGE) + 100, String(step.bytes))
      bytes += step.bytes
      if (step.hasMore) continue
      assert.ok(starts > 5, String(starts))
      break
    }
    // What lies in one record is read once, but for a start between two of its rows.
    assert.ok(bytes >= whole.bytes && bytes < 1.2 * whole.bytes, `${bytes} of ${whole.bytes}`)
  })

  it('ends a step when its time is over, and goes on from there', async () => {
    const dir = await filled()
    // Each look at this clock takes as long as a busy loop lets one wait.
    const clock = new FakeClock()
    const monotonicMs = clock.monotonicMs.bind(clock)
    let waitedMs = 0
    clock.monotonicMs = () => monotonicMs() + (waitedMs += 50)
    const { store } = await open(dir, clock)
    const first = await store.scrub({ limitBytes: 64 * MIB })
    assert.ok(first.bytes > 0 && first.bytes < MIB / 4 && first.hasMore, `${first.bytes} octets`)
    const rest = await round(store)
    assert.ok(rest.steps > 10, `${rest.steps} steps`)
    assert.deepEqual([rest.damaged, rest.mended], [[], 0])
    assert.equal((await looked(store))?.kind, 'whole')
    await store.close()
  })

  it('tells each damaged message once, with account, mailbox and UID, and deletes nothing', async () => {
    const dir = await filled()
    damage(dir, 'seg', 'その7。')
    damage(dir, 'seg', '全学へのお知らせ。\r\n')
    damage(dir, 'large', '末尾。')
    const { store, clock } = await open(dir)
    const found = await round(store)
    const expected = [
      `花子 INBOX 7`,
      `花子 INBOX ${MAILS + 1}`,
      `花子 INBOX ${MAILS + 2}`,
      '太郎 INBOX 1',
    ]
    assert.deepEqual(lines(found.damaged).toSorted(), expected.toSorted())
    assert.deepEqual(lines((await store.damaged()).messages).toSorted(), expected.toSorted())
    clock.advance(29 * DAY_MS)
    assert.deepEqual((await round(store)).damaged, [], 'told once')
    assert.equal((await store.damaged()).messages.length, 4)
    const of = await inbox(store, HANAKO)
    assert.equal((await store.view(of))!.uids.length, MAILS + 2)
    for (let uid = 1; uid <= MAILS; uid++) {
      const reading = store.read({ ...of, uid: uid as Uid, offset: 0, length: MIB })
      if (uid === 7) await assert.rejects(reading, { code: 'corrupt' })
      else assert.equal(toUtf8((await reading).octets!), textOf(uid))
    }
    // Whole again (a cable, a disk that was changed), or gone: the next round knows.
    damage(dir, 'large', '末尾。'.slice(1))
    await store.commit({
      contents: [],
      commits: [{ accountId: HANAKO, changes: [expunging(of.mailboxId, [7])] }],
    })
    clock.advance(29 * DAY_MS)
    await round(store)
    const { messages } = await store.damaged()
    assert.equal(messages.find(({ uid }) => uid === 7)?.isExpunged, true)
    await store.purge({ beforeMs: clock.nowMs() + DAY_MS })
    clock.advance(29 * DAY_MS)
    await round(store)
    assert.ok(!(await store.damaged()).messages.some(({ uid }) => uid === 7))
    await store.close()
  })

  it('finds a damaged block, and does not believe what is still in memory', async () => {
    const dir = await filled()
    // Nothing was written there for long.
    for (const name of readdirSync(join(dir, 'seg'))) utimesSync(join(dir, 'seg', name), 1, 1)
    const { store } = await open(dir)
    const { moved } = await store.compact()
    assert.ok(moved > MAILS)
    const of = await inbox(store, HANAKO)
    await store.read({ ...of, uid: 3 as Uid, offset: 0, length: MIB })
    const block = readdirSync(join(dir, 'seg')).toSorted().at(-1)!
    const fd = openSync(join(dir, 'seg', block), 'r+')
    writeSync(fd, Buffer.of(0xff, 0xff), 0, 2, 300)
    closeSync(fd)
    const found = await round(store)
    assert.ok(found.damaged.length >= MAILS / 2, String(found.damaged.length))
    await store.close()
  })

  it('makes a damaged meta anew from its message', async () => {
    const dir = await filled()
    const before = await metasOf(dir)
    damage(dir, 'seg', '"subject":"=?utf-8?B?5Lya6K2w?= 9"')
    damage(dir, 'seg', '"subject":"=?utf-8?B?5Lya6K2w?= 10"')
    damage(dir, 'seg', 'その10。')
    const { store, clock } = await open(dir)
    const found = await round(store)
    assert.equal(found.mended, 1)
    assert.deepEqual(lines(found.damaged), ['花子 INBOX 10'])
    clock.advance(29 * DAY_MS)
    assert.equal((await round(store)).mended, 0, 'it is whole on the disk')
    await store.close()
    const now = await metasOf(dir)
    now.splice(9, 1)
    before.splice(9, 1)
    assert.deepEqual(now, before)
  })

  it('tells what SQLite finds in its database, and what to do, for as long as it is so', async () => {
    const dir = await filled()
    const path = join(dir, 'mailbox.db')
    const db = new DatabaseSync(path)
    const { page } = db
      .prepare(`SELECT rootpage AS page FROM sqlite_schema WHERE name = 'email_thread'`)
      .get() as { page: number }
    db.close()
    // So many entries no page has room for.
    const fd = openSync(path, 'r+')
    writeSync(fd, Buffer.of(0xff, 0xff), 0, 2, (page - 1) * 2_048 + 3)
    closeSync(fd)
    const { store } = await open(dir)
    await store.scrub({ limitBytes: 1 })
    const database = await looked(store)
    assert.ok(database?.kind === 'damaged')
    assert.match(database.text, /mailbox\.db is damaged \(.*\); .*`watari store rebuild`/)
    assert.deepEqual(store.ailments(), [database.text])
    assert.equal(await looked(store), undefined, 'told once')
    assert.deepEqual(store.ailments(), [database.text])
    await store.close()
  })
})

async function metasOf(dir: string) {
  const { store } = await open(dir)
  const of = await inbox(store, HANAKO)
  const uids = [...(await store.view(of))!.uids] as Uid[]
  const metas = await Array.fromAsync(storedMetas(store, { ...of, uids }))
  await store.close()
  return metas
}
