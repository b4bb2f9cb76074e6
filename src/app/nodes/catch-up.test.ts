import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/time.ts'
import { ROWS_PER_LINE } from '#contract/node/wire.ts'
import type { NodeId } from '#model/event.ts'
import { declaredNode, NodeHub } from '#server/node/node-hub.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import { JoinedNode } from './joined-node.ts'

const by = { who: '管理者', from: 'test' }
const WAIT_MS = 60_000
const domain = 'campus.example'

let dir = ''
let ends: (() => unknown)[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-catch-up-'))
  ends = []
})
afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  await rm(dir, { recursive: true, force: true })
})

async function until(is: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(WAIT_MS)
  while (!is()) {
    if (deadline.aborted) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Control on a Unix socket, whose log of the directory goes back `changesMax` changes. */
async function startControl(changesMax: number) {
  const log = new SqliteDirectoryLog(join(dir, 'directory.db'), changesMax)
  const store = new SqliteSettingsStore(join(dir, 'settings.db'))
  const index = new SqliteEventIndex({ path: join(dir, 'index.db') })
  const directory = new DirectoryMaster({ log, clock: systemClock })
  const settings = new SettingsMaster({ store, clock: systemClock })
  await directory.load()
  await settings.load()
  const clock = systemClock
  const parts = { settings, directory, log, index, clock, trouble: silentLog }
  const hub = new NodeHub({ ...parts, identify: declaredNode })
  const server = createServer(hub.listener).listen(join(dir, 'control.sock'))
  await once(server, 'listening')
  ends.push(() => {
    hub.close()
    server.close()
    server.closeAllConnections()
    log.close()
    store.close()
    index.close()
  })
  await directory.write([{ kind: 'put', row: { kind: 'domain', domain: { name: domain } } }], by)
  return { directory, settings, hub, index }
}

/** A node that notes what is done to its copy; `start` and `stop` as often as wanted. */
function aNode(eventsMax?: number) {
  const done: string[] = []
  const generations: number[] = []
  const start = async (during: (node: JoinedNode) => void = () => undefined) => {
    const replica = new SqliteReplica(join(dir, 'replica.db'))
    const events = new SqliteEventLog({
      path: join(dir, 'events.db'),
      node: 'gateway' as NodeId,
      ...(eventsMax !== undefined && { rowsMax: eventsMax }),
    })
    const noted: DirectoryReplica = {
      load: (ask) => replica.load(ask),
      removed: () => replica.removed(),
      apply: (batch) => {
        done.push(`apply ${batch.changes.length}`)
        return replica.apply(batch)
      },
      gather: (page) => {
        done.push(`gather ${page.rows.length}`)
        during(node)
        return replica.gather(page)
      },
      replace: (end) => {
        done.push(`replace ${end.seq}`)
        during(node)
        return replica.replace(end)
      },
    }
    const node: JoinedNode = new JoinedNode({
      dial: (options) => request({ ...options, socketPath: join(dir, 'control.sock') }),
      clock: systemClock,
      log: silentLog,
      node: 'gateway',
      role: 'gateway',
      replica: noted,
      copy: new FileSettingsCopy(join(dir, 'settings')),
      events,
      beat: () => ({ state: 'ready', version: '0.1.0', pid: process.pid }),
    })
    node.onSettings((settings) => generations.push(settings['mail.sizeBytesMax']))
    await node.load()
    const running = node.link.run()
    let isStopped = false
    const stop = async (): Promise<void> => {
      if (isStopped) return
      isStopped = true
      node.link.stop()
      await running
      replica.close()
      events.close()
    }
    ends.push(stop)
    return { node, stop }
  }
  return { done, generations, start }
}

const aliases = (count: number, name = '係'): DirectoryEdit[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: 'put',
    row: {
      kind: 'alias',
      alias: {
        from: { localpart: `${name}${i}`, domain },
        to: [{ localpart: 'hanako', domain }],
      },
    },
  }))
const aliasOf = (node: JoinedNode, localpart: string) => node.directory.alias({ localpart, domain })

describe('a node that was away', { timeout: 180_000 }, () => {
  test('goes along the changes, a line at a time, and says what it has in force', async () => {
    const { directory, hub } = await startControl(1_000_000)
    const { done, start } = aNode()
    const first = await start()
    await until(() => first.node.directory.seq === 1)
    await first.stop()
    await directory.write(aliases(2 * ROWS_PER_LINE + 1), by)
    done.length = 0
    const { node } = await start()
    await until(() => node.directory.seq === directory.directory.seq)
    assert.deepEqual(done, [`apply ${ROWS_PER_LINE}`, `apply ${ROWS_PER_LINE}`, 'apply 1'])
    assert.ok(aliasOf(node, `係${2 * ROWS_PER_LINE}`))
    await until(() => hub.nodes()[0]?.seq === directory.directory.seq)
    assert.deepEqual(await hub.settled(WAIT_MS), [])
  })

  test('longer than the log goes back gets a whole copy, and answers from the old one meanwhile', async () => {
    const { directory, hub } = await startControl(500)
    const { done, start } = aNode()
    await directory.write(aliases(1_000, '古い'), by)
    const first = await start()
    await until(() => first.node.directory.seq === directory.directory.seq)
    await first.stop()
    await directory.write([{ kind: 'remove', key: `alias:古い0@${domain}` }], by)
    // Fewer changes than rows: along the log it would be shorter.
    for (let i = 0; i < 9; i++) await directory.write(aliases(100, '新しい'), by)
    done.length = 0
    const seen: boolean[] = []
    const { node } = await start((now) =>
      seen.push(aliasOf(now, '古い0') !== undefined, aliasOf(now, '新しい0') === undefined),
    )
    await until(() => node.directory.seq === directory.directory.seq)
    assert.deepEqual(done, [`gather 1100`, `replace ${directory.directory.seq}`])
    assert.deepEqual(seen, [true, true, true, true])
    assert.equal(aliasOf(node, '古い0'), undefined)
    assert.ok(aliasOf(node, '古い999') && aliasOf(node, '新しい99'))
    assert.equal(node.directory.size, directory.directory.size)
    await directory.write(aliases(1, '後'), by)
    assert.deepEqual(await hub.settled(WAIT_MS), [])
    assert.ok(aliasOf(node, '後0'), 'and goes on along the log')
    assert.equal(done.at(-1), 'apply 1')
  })

  test('for more changes than there are rows gets a whole copy', async () => {
    const { directory } = await startControl(1_000_000)
    const { done, start } = aNode()
    const first = await start()
    await until(() => first.node.directory.seq === 1)
    await first.stop()
    for (let i = 0; i < 5; i++) await directory.write(aliases(ROWS_PER_LINE / 4), by)
    done.length = 0
    const { node } = await start()
    await until(() => node.directory.seq === directory.directory.seq)
    assert.deepEqual(done, [
      `gather ${ROWS_PER_LINE / 4 + 1}`,
      `replace ${directory.directory.seq}`,
    ])
  })

  test('for a week, past the log, its own events and many generations, catches up, and says what is lost', async () => {
    const { directory, settings, hub, index } = await startControl(500)
    const { done, generations, start } = aNode(1_000)
    const first = await start()
    await until(() => hub.nodes()[0]?.generation === 0)
    await first.stop()
    for (let i = 0; i < 9; i++) await directory.write(aliases(100, '新しい'), by)
    for (let i = 1; i <= 20; i++)
      assert.ok((await settings.set({ 'mail.sizeBytesMax': 50_000_000 + i }, { by })).ok)
    // What it told itself meanwhile, more than it may keep.
    const events = new SqliteEventLog({
      path: join(dir, 'events.db'),
      node: 'gateway' as NodeId,
      rowsMax: 1_000,
    })
    for (let day = 0; day < 7; day++)
      await events.append({
        events: Array.from({ length: 400 }, () => ({ atMs: day, name: '受信', fields: { day } })),
      })
    const { lost, waiting } = await events.status()
    assert.equal(lost + waiting, 2_800)
    assert.ok(lost >= 1_800)
    events.close()
    done.length = 0
    generations.length = 0
    const { node } = await start()
    await until(() => hub.nodes()[0]?.generation === 20)
    await until(() => node.directory.seq === directory.directory.seq)
    assert.deepEqual(done, ['gather 101', `replace ${directory.directory.seq}`])
    assert.deepEqual(generations, [50_000_020])
    const isTold = async (): Promise<boolean> =>
      (await index.latest({ limit: 1 })).items[0]?.seq === 2_800
    while (!(await isTold())) await new Promise((resolve) => setTimeout(resolve, 20))
    const { items } = await index.gaps({ limit: 10 })
    assert.deepEqual(
      items.map((gap) => [gap.node, gap.to - gap.from + 1]),
      [['gateway', lost]],
    )
  })

  test('for 200 generations takes the last one only', async () => {
    const { settings, hub } = await startControl(1_000_000)
    const { generations, start } = aNode()
    const first = await start()
    await until(() => hub.nodes()[0]?.generation === 0)
    await first.stop()
    for (let i = 1; i <= 200; i++)
      assert.ok((await settings.set({ 'mail.sizeBytesMax': 50_000_000 + i }, { by })).ok)
    generations.length = 0
    const { node } = await start()
    await until(() => hub.nodes()[0]?.generation === 200)
    assert.deepEqual(generations, [50_000_200])
    assert.equal(node.settings['mail.sizeBytesMax'], 50_000_200)
  })
})
