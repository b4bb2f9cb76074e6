import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
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
