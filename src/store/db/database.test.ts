import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { isFault } from '#base/outcome.ts'
import { openDatabase } from './database.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-db-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const V1 = ['CREATE TABLE letter (id TEXT PRIMARY KEY, subject TEXT) STRICT']
const V2 = [...V1, 'ALTER TABLE letter ADD COLUMN size INTEGER']

describe('openDatabase', () => {
  test('keeps rows over a restart, and a later version adds to them', () => {
    const path = join(dir, 'grow.db')
    const first = openDatabase({ path, kind: 'test', migrations: V1 })
    first.query('INSERT INTO letter VALUES (?, ?)').run('a', '会議のお知らせ')
    first.close()
    const second = openDatabase({ path, kind: 'test', migrations: V2 })
    assert.deepEqual(
      { ...second.query('SELECT * FROM letter').get() },
      { id: 'a', subject: '会議のお知らせ', size: null },
    )
    second.close()
  })

  test('refuses a later version with one line that names file and versions', () => {
    const path = join(dir, 'later.db')
    openDatabase({ path, kind: 'test', migrations: V2 }).close()
    assert.throws(
      () => openDatabase({ path, kind: 'test', migrations: V1 }),
      (thrown) =>
        isFault(thrown, 'version') &&
        thrown.message === `${path}: has version 2 of test, this program knows up to 1`,
    )
  })

  test('refuses a database of another kind, a foreign one, and what is no database', () => {
    const path = join(dir, 'kind.db')
    openDatabase({ path, kind: 'spool', migrations: V1 }).close()
    assert.throws(
      () => openDatabase({ path, kind: 'mailbox', migrations: V1 }),
      (thrown) => isFault(thrown, 'version') && thrown.message.includes('spool'),
    )
    const foreign = join(dir, 'foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE x (y)')
    other.close()
    const octets = readFileSync(foreign)
    assert.throws(
      () => openDatabase({ path: foreign, kind: 'test', migrations: V1 }),
      (thrown) => isFault(thrown, 'version'),
    )
    assert.deepEqual(readFileSync(foreign), octets, 'not even its journal mode')
    const text = join(dir, 'text.db')
    writeFileSync(text, '手紙'.repeat(1_000))
    assert.throws(
      () => openDatabase({ path: text, kind: 'test', migrations: V1 }),
      (thrown) => isFault(thrown, 'corrupt'),
    )
    assert.throws(
      () => openDatabase({ path: join(dir, 'none', 'x.db'), kind: 'test', migrations: V1 }),
      (thrown) => isFault(thrown, 'io') && thrown.message.startsWith(join(dir, 'none', 'x.db')),
    )
  })

  test('uses small pages, full syncs, and a WAL that a commit does not grow', () => {
    const path = join(dir, 'wal.db')
    const db = openDatabase({ path, kind: 'test', migrations: V1, walAhead: true })
    const pragma = (name: string): unknown => Object.values(db.query(`PRAGMA ${name}`).get()!)[0]
    assert.equal(pragma('page_size'), 2048)
    assert.equal(pragma('synchronous'), 2)
    assert.equal(pragma('journal_mode'), 'wal')
    const before = statSync(`${path}-wal`).size
    assert.ok(before >= 1_000 * 2_048)
    const insert = db.query('INSERT INTO letter VALUES (?, ?)')
    for (let i = 0; i < 300; i++) db.transaction(() => insert.run(`id-${i}`, '件名'.repeat(50)))
    assert.equal(statSync(`${path}-wal`).size, before)
    db.close()
  })

  test('opens what a process has left that died while it wrote the WAL ahead', () => {
    const path = join(dir, 'ahead.db')
    const died = openDatabase({ path, kind: 'test', migrations: V1 })
    died.exec('CREATE TABLE wal_ahead (zeros BLOB)')
    died.close()
    const db = openDatabase({ path, kind: 'test', migrations: V1, walAhead: true })
    assert.equal(db.query("SELECT 1 FROM sqlite_schema WHERE name = 'wal_ahead'").get(), undefined)
    assert.ok(statSync(`${path}-wal`).size >= 1_000 * 2_048)
    db.close()
  })

  test('makes all durable at a checkpoint, and leaves alone a file that is to stand still', () => {
    const path = join(dir, 'still.db')
    const db = openDatabase({ path, kind: 'test', migrations: V1, durable: 'checkpoint' })
    const sync = (): unknown => Object.values(db.query('PRAGMA synchronous').get()!)[0]
    assert.equal(sync(), 1)
    assert.equal(db.holdFile(), true)
    const before = readFileSync(path)
    db.query('INSERT INTO letter VALUES (?, ?)').run('a', '件名')
    db.checkpoint()
    assert.deepEqual(readFileSync(path), before)
    assert.equal(sync(), 1)
    db.releaseFile()
    db.checkpoint()
    assert.notDeepEqual(readFileSync(path), before)
    db.close()
  })

  test('takes a transaction back whole where its work throws', () => {
    const db = openDatabase({ path: join(dir, 'tx.db'), kind: 'test', migrations: V1 })
    assert.throws(
      () =>
        db.transaction(() => {
          db.query('INSERT INTO letter VALUES (?, ?)').run('a', 'x')
          throw new Error('もうだめ')
        }),
      /もうだめ/,
    )
    assert.equal(db.query('SELECT * FROM letter').get(), undefined)
    db.close()
  })
})
