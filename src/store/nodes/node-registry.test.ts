import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { isFault } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import { SqliteNodeRegistry } from './node-registry.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-nodes-'))
const NOW = 1_800_000_000_000
let count = 0
let path: string
let registry: SqliteNodeRegistry
beforeEach(() => {
  path = join(dir, `${count++}.db`)
  registry = new SqliteNodeRegistry(path)
})
after(() => rmSync(dir, { recursive: true, force: true }))

const issue = (name: string, secretSha256: string): Promise<void> =>
  registry.issue({
    name: name as NodeId,
    role: 'gateway',
    secretSha256,
    expiresAtMs: NOW + 1_000,
  })
const joinWith = (secretSha256: string, pin: string, nowMs = NOW) =>
  registry.join({ secretSha256, pin: pin as KeyPin, address: '192.0.2.1', port: 6_443, nowMs })
const refused = (work: Promise<unknown>, code: 'invalid' | 'conflict'): Promise<void> =>
  assert.rejects(work, (thrown) => isFault(thrown, code))

test('a right is used once; the same key may ask again, since an answer can be lost', async () => {
  await issue('gw-1', 's1')
  const { node } = await joinWith('s1', 'key-a')
  assert.deepEqual([node.name, node.role, node.draining], ['gw-1', 'gateway', false])
  assert.equal((await joinWith('s1', 'key-a', NOW + 5_000)).node.name, 'gw-1')
  await refused(joinWith('s1', 'key-b'), 'invalid')
  await refused(issue('gw-1', 's2'), 'conflict')
})

test('a right that is unknown, over, or replaced by a later one opens nothing', async () => {
  await issue('gw-1', 's1')
  await refused(joinWith('other', 'key-a'), 'invalid')
  await refused(joinWith('s1', 'key-a', NOW + 1_000), 'invalid')
  await issue('gw-1', 's2')
  await refused(joinWith('s1', 'key-a'), 'invalid')
  assert.deepEqual((await registry.nodes()).items, [])
})

test('nodes stay over a restart; a removed one is gone with its right', async () => {
  await issue('gw-1', 's1')
  await joinWith('s1', 'key-a')
  assert.deepEqual(await registry.drain({ name: 'gw-1', draining: true }), { found: true })
  registry.close()
  registry = new SqliteNodeRegistry(path)
  assert.deepEqual(
    (await registry.nodes()).items.map(({ name, draining }) => [name, draining]),
    [['gw-1', true]],
  )
  assert.deepEqual(await registry.remove({ name: 'gw-1' }), { found: true })
  assert.deepEqual(await registry.remove({ name: 'gw-1' }), { found: false })
  await refused(joinWith('s1', 'key-a'), 'invalid')
})
