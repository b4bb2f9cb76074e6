import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { putBy } from './spare.ts'

const BYTES = 3 * 1024 * 1024

test('room is put by once, whole, and does not hold up a start that cannot have it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-spare-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'spare')
  putBy(dir, BYTES)
  const { size, blocks, mtimeMs } = statSync(path)
  assert.equal(size, BYTES)
  assert.ok(blocks * 512 >= BYTES, 'a hole holds no room')
  putBy(dir, BYTES)
  assert.equal(statSync(path).mtimeMs, mtimeMs)
  truncateSync(path, 0)
  truncateSync(path, BYTES)
  putBy(dir, BYTES)
  assert.ok(statSync(path).blocks * 512 >= BYTES, 'what a power loss left of it is made anew')
  // More than any disk has free: what was put by is given back.
  putBy(dir, 2 ** 60)
  assert.throws(() => statSync(path), { code: 'ENOENT' })
  writeFileSync(path, '')
  putBy(join(dir, '無い'), BYTES)
  putBy(path, BYTES)
})

test('on a full disk each that starts gives its room back, whoever comes second too', (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'watari-spare-'))
  t.after(() => rmSync(disk, { recursive: true, force: true }))
  const dirs = ['gateway', 'store', 'control'].map((name) => join(disk, name))
  for (const dir of dirs) {
    mkdirSync(dir)
    putBy(dir, BYTES)
  }
  let freeBytes = 0
  for (const dir of dirs) {
    putBy(dir, BYTES, () => freeBytes)
    assert.throws(() => statSync(join(dir, 'spare')), { code: 'ENOENT' }, dir)
    freeBytes += BYTES
  }
  for (const dir of dirs) {
    putBy(dir, BYTES, () => freeBytes)
    assert.throws(() => statSync(join(dir, 'spare')), { code: 'ENOENT' }, 'and leaves it to them')
  }
  putBy(dirs[0]!, BYTES, () => freeBytes + BYTES)
  assert.equal(statSync(join(dirs[0]!, 'spare')).size, BYTES)
  putBy(dirs[0]!, BYTES, () => freeBytes)
  assert.equal(statSync(join(dirs[0]!, 'spare')).size, BYTES, 'what it took itself is no want')
})
