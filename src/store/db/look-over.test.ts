import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { faultyDisk, NO_FAULTY_DISK } from '#test/fake/faulty-disk.ts'
import { openDatabase } from './database.ts'
import type { Database } from './database.ts'
import { LookOver } from './look-over.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-look-over-'))
after(() => rmSync(root, { recursive: true, force: true }))

const MIB = 1024 * 1024
const MIGRATIONS = [
  'CREATE TABLE letter (id INTEGER PRIMARY KEY, text BLOB) STRICT',
  'CREATE TABLE envelope (id INTEGER PRIMARY KEY, sender TEXT) STRICT; CREATE INDEX by_sender ON envelope (sender)',
]

function open(dir = mkdtempSync(join(root, 'v-'))): {
  readonly db: Database
  readonly path: string
} {
  const path = join(dir, '手紙.db')
  const db = openDatabase({ path, kind: 'test', migrations: MIGRATIONS, walAhead: true })
  return { db, path }
}

const fill = (db: Database, count: number, bytes: number): void =>
  db.transaction(() => {
    for (let n = 0; n < count; n++) {
      db.query('INSERT INTO letter (text) VALUES (randomblob(?))').run(bytes)
      db.query('INSERT INTO envelope (sender) VALUES (?)').run(`差出人 ${n}`)
    }
  })

/** Says that the root page of the index has more entries than any page has room for. */
function damage(path: string, db: Database): void {
  const { page } = db
    .query<{ page: number }>(`SELECT rootpage AS page FROM sqlite_schema WHERE name = 'by_sender'`)
    .get()!
  db.close()
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.of(0xff, 0xff), 0, 2, (page - 1) * 2_048 + 3)
  closeSync(fd)
}

const autoCheckpoint = (db: Database): unknown =>
  Object.values(db.query('PRAGMA wal_autocheckpoint').get()!)[0]

describe('a look over a database that is in use', () => {
  for (const [size, count, bytes] of [
    ['a small one', 200, 1_000],
    ['one of more than 64 MiB, table by table', 80, MIB],
  ] as const)
    it(`finds it whole while others write, and finds damage: ${size}`, async () => {
      const { db, path } = open()
      fill(db, count, bytes)
      const before = autoCheckpoint(db)
      const looking = new LookOver({ db, path }).attempt()
      const file = statSync(path)
      fill(db, 50, 100)
      const { mtimeMs, size: sizeBytes } = statSync(path)
      assert.deepEqual([mtimeMs, sizeBytes], [file.mtimeMs, file.size], 'the file stands still')
      assert.deepEqual(await looking, { kind: 'whole' })
      assert.equal(autoCheckpoint(db), before)
      assert.equal(db.query<{ n: number }>('SELECT count(*) AS n FROM letter').get()!.n, count + 50)
      damage(path, db)
      const again = open(join(path, '..'))
      const found = await new LookOver({ db: again.db, path }).attempt()
      assert.equal(found.kind, 'damaged')
      again.db.close()
    })

  it('is given up where too much is written meanwhile, or the store is closed', async () => {
    const { db, path } = open()
    fill(db, 20, 1_000)
    const before = autoCheckpoint(db)
    const hurried = await new LookOver({ db, path, walBytesMax: -1 }).attempt()
    assert.deepEqual(hurried, { kind: 'unknown', text: 'too much was written meanwhile' })
    assert.equal(autoCheckpoint(db), before)
    const closed = new LookOver({ db, path })
    const looking = closed.attempt()
    closed.close()
    db.close()
    assert.equal((await looking).kind, 'unknown')
    assert.equal((await closed.attempt()).kind, 'unknown')
  })

  it('takes what cannot be read for damage', async (t) => {
    const disk = await faultyDisk()
    if (disk === undefined) return t.skip(NO_FAULTY_DISK)
    try {
      const { db, path } = open(disk.dir)
      fill(db, 200, 1_000)
      await disk.fail({ error: 'EIO', ops: 'r', path: '手紙.db', skip: 10 })
      const found = await new LookOver({ db, path }).attempt()
      assert.equal(found.kind, 'damaged')
      db.close()
    } finally {
      await disk.clear()
      await disk.remove()
    }
  })
})
