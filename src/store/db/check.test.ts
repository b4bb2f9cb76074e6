import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { isFault } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'
import { checkDatabase } from './check.ts'
import { openDatabase } from './database.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-check-'))
after(() => rmSync(root, { recursive: true, force: true }))

const MIGRATIONS = ['CREATE TABLE letter (subject TEXT) STRICT']
const LATER = [...MIGRATIONS, 'ALTER TABLE letter ADD COLUMN size INTEGER']

describe('checkDatabase', () => {
  /** A folder with one file, made by `make`; what a check of it does. */
  const checked = (make: (path: string) => void): FaultCode | undefined => {
    const dir = mkdtempSync(join(root, 'v-'))
    const path = join(dir, '手紙?#%.db')
    make(path)
    const before = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))])
    let code: FaultCode | undefined
    try {
      checkDatabase({ path, kind: 'test', migrations: MIGRATIONS })
    } catch (thrown) {
      assert.ok(isFault(thrown), String(thrown))
      assert.ok(thrown.message.startsWith(path), thrown.message)
      code = thrown.code
    }
    const now = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name))])
    assert.deepEqual(now, before, 'the folder is as it was')
    return code
  }
  const made = (kind: string, migrations: readonly string[]) => (path: string) =>
    openDatabase({ path, kind, migrations }).close()

  test('passes what can be opened: absent, empty, of this version, of an earlier one', () => {
    for (const make of [
      () => undefined,
      (path: string) => writeFileSync(path, ''),
      made('test', MIGRATIONS),
      made('test', []),
    ])
      assert.equal(checked(make), undefined)
  })

  test('refuses a later version, another kind, what is not ours and what is no database', () => {
    assert.equal(checked(made('test', LATER)), 'version')
    assert.equal(checked(made('spool', MIGRATIONS)), 'version')
    const foreign = (path: string): void => {
      const db = new DatabaseSync(path)
      db.exec('CREATE TABLE x (y)')
      db.close()
    }
    assert.equal(checked(foreign), 'version')
    assert.equal(
      checked((path) => writeFileSync(path, '手紙'.repeat(1_000))),
      'corrupt',
    )
  })

  test('leaves what a killed process left to the one who opens it', () => {
    const left = (path: string): void => {
      made('test', LATER)(path)
      writeFileSync(`${path}-wal`, 'x')
    }
    assert.equal(checked(left), undefined)
  })
})
