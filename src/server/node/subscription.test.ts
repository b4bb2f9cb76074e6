import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import { PING_MS, streamLine } from '#contract/node/wire.ts'
import type { StreamLine } from '#contract/node/wire.ts'
import type { HubParts } from './hub-parts.ts'
import { SharedLines } from './shared-lines.ts'
import { Subscription } from './subscription.ts'

/** What a node would hear, and whether its socket takes more. */
class Peer extends EventEmitter {
  text = ''
  status = 0
  isFull = false
  destroyed = false
  writeHead(status: number): void {
    this.status = status
  }
  flushHeaders(): void {}
  write(octets: string | Buffer): boolean {
    this.text += octets.toString()
    return !this.isFull
  }
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
  get lines(): readonly StreamLine[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => streamLine.parse(JSON.parse(line)))
  }
  /** What came since it was last asked. */
  take(): readonly string[] {
    const { lines } = this
    this.text = ''
    return lines.map(brief)
  }
}

function brief(line: StreamLine): string {
  switch (line.kind) {
    case 'ping':
      return 'ping'
    case 'settings':
      return `settings ${line.snapshot.generation}`
    case 'nodes':
      return `nodes ${line.nodes.map(({ name }) => name).join()}`
    case 'gather':
      return `gather${line.first ? ' first' : ''} ${line.rows.length}`
    case 'replace':
      return `replace ${line.seq}`
    case 'changes':
      return `changes ${line.changes.map(({ seq }) => seq).join()}`
  }
}

/** Control with so many changes in its log, which goes back to the one after `cutTo`. */
function controlOf(given: { seq: number; size?: number; cutTo?: number }) {
  const clock = new FakeClock()
  const directory = { seq: given.seq, size: given.size ?? 1 }
  const settings = { generation: 3, hash: 'h3', values: {}, tables: {} }
  const nodes = { places: [] as { name: string }[] }
  const row = { kind: 'domain', domain: { name: '大学.example' } }
  const log = {
    rows: async () => ({
      seq: directory.seq,
      json: fromUtf8(JSON.stringify([{ key: 'domain:x', row }])),
    }),
    changes: async ({ since }: { since: number }) => {
      const changes = []
      const end = Math.min(directory.seq, since + 2)
      for (let seq = since + 1; seq <= end; seq++) changes.push({ seq, key: 'domain:x', row })
      return {
        seq: directory.seq,
        json: fromUtf8(JSON.stringify(changes)),
        isCut: since < (given.cutTo ?? 0),
        ...(changes.length > 0 && { last: end }),
      }
    },
  }
  const parts = {
    settings: { snapshot: settings },
    directory: { directory },
    nodes,
    clock,
  } as unknown as HubParts
  const lines = new SharedLines({ log, clock })
  const subscribe = (has: { seq: number; hash?: string; generation?: number }) => {
    const peer = new Peer()
    const subscription = new Subscription({
      parts,
      lines,
      response: peer as unknown as ServerResponse,
      hash: has.hash ?? 'h3',
      generation: has.generation ?? 3,
      seq: has.seq,
    })
    return { peer, subscription, ended: subscription.run() }
  }
  return { clock, directory, settings, nodes, subscribe }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

describe("a node's stream", () => {
  it('brings what is missing, in order and once, and then pings', async () => {
    const control = controlOf({ seq: 5 })
    control.nodes.places = [{ name: '門' }]
    const { peer, subscription, ended } = control.subscribe({ seq: 1, hash: 'h2', generation: 2 })
    await settle()
    assert.deepEqual(peer.text.split('\n').length, 6)
    const [first = '', ...kinds] = peer.text.split('\n').slice(0, -1)
    // A node whose clock is wrong knows it before anything else.
    assert.deepEqual(JSON.parse(first), { kind: 'ping', atMs: control.clock.nowMs() })
    assert.match(kinds[0]!, /^\{"kind":"nodes","nodes":\[\{"name":"門"\}\]\}$/)
    peer.text = kinds.slice(1).join('\n') + '\n'
    assert.deepEqual(peer.take(), ['settings 3', 'changes 2,3', 'changes 4,5'])
    for (let n = 0; n < 2; n++) {
      control.clock.advance(PING_MS)
      await settle()
      assert.deepEqual(peer.take(), ['ping'])
    }
    control.directory.seq = 6
    control.settings.generation = 4
    subscription.wake()
    await settle()
    assert.deepEqual(peer.take(), ['settings 4', 'changes 6'])
    subscription.end()
    await ended
    assert.ok(peer.destroyed)
  })

  it('sees at the next ping what nobody woke it for', async () => {
    const control = controlOf({ seq: 1 })
    const { peer, subscription } = control.subscribe({ seq: 1 })
    await settle()
    peer.text = ''
    control.directory.seq = 2
    control.clock.advance(PING_MS)
    await settle()
    assert.deepEqual(peer.take(), ['ping', 'changes 2'])
    subscription.end()
  })

  for (const [what, has, given] of [
    ['has nothing yet', 0, { seq: 3 }],
    ['was away for longer than the log goes back', 2, { seq: 9, size: 100, cutTo: 5 }],
    ['is further behind than a whole copy is long', 1, { seq: 9_000 }],
    ['has the copy of a control that is gone', 12, { seq: 3 }],
  ] as const)
    it(`sends a whole copy to a node that ${what}`, async () => {
      const { peer, subscription } = (() => {
        const control = controlOf(given)
        return control.subscribe({ seq: has })
      })()
      await settle()
      const told = peer.take().filter((line) => !line.startsWith('nodes'))
      assert.deepEqual(told, ['ping', 'gather first 1', `replace ${given.seq}`])
      subscription.end()
    })

  it('waits for a node that reads slowly, and ends with its connection', async () => {
    const control = controlOf({ seq: 5 })
    const { peer, ended } = control.subscribe({ seq: 1 })
    peer.isFull = true
    await settle()
    const before = peer.text.length
    await settle()
    assert.equal(peer.text.length, before, 'nothing is piled up')
    peer.isFull = false
    peer.emit('drain')
    await settle()
    assert.ok(peer.text.length > before)
    peer.isFull = true
    control.directory.seq = 7
    control.clock.advance(PING_MS)
    await settle()
    peer.destroy()
    await ended
  })
})
