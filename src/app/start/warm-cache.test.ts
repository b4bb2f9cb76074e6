import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { CARRIES_OCTETS, HANDS_OUT_OCTETS, heapFlags } from '#app/heap.ts'
import { warmCompileCache } from './warm-cache.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-warm-'))
after(() => rmSync(dir, { recursive: true }))

const APP = join(import.meta.dirname, '..')
const cached = (): readonly string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()

it('no process of a start compiles what it loads', { timeout: 120_000 }, async () => {
  const { NODE_COMPILE_CACHE: before } = process.env
  process.env['NODE_COMPILE_CACHE'] = dir
  try {
    // A machine that is very busy may need another go.
    while (!cached().includes('warmed')) await warmCompileCache(dir)
    const filled = cached()
    assert.ok(filled.length > 1_000, `${filled.length} files`)
    const processes: readonly (readonly [readonly string[], string])[] = [
      [heapFlags({ youngMiB: 4 }), 'control.ts'],
      [heapFlags({ youngMiB: 8 }), 'storage/kinds.ts'],
      [heapFlags(CARRIES_OCTETS), 'storage/kinds.ts'],
      [heapFlags(CARRIES_OCTETS), 'gateway.ts'],
      [heapFlags(HANDS_OUT_OCTETS), 'storage/kinds.ts'],
      [heapFlags(HANDS_OUT_OCTETS), 'store.ts'],
    ]
    for (const [flags, file] of processes) {
      const env = { ...process.env, WATARI_WARM: '1' }
      const { status, stderr } = spawnSync(process.execPath, [...flags, join(APP, file)], { env })
      assert.equal(status, 0, stderr.toString())
      const more = cached().filter((name) => !filled.includes(name))
      assert.deepEqual(more, [], `${file} ${flags.join(' ')}`)
    }
  } finally {
    if (before === undefined) delete process.env['NODE_COMPILE_CACHE']
    else process.env['NODE_COMPILE_CACHE'] = before
  }
})
