import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { healthApp } from './health.ts'

describe('the health of a role', () => {
  test('is alive, ready or not, with its reason, and has figures', async () => {
    let state: { state: string; reason?: string } = { state: 'ready' }
    const server = createServer(
      healthApp({
        role: 'gateway',
        state: () => state,
        metrics: () => [
          {
            name: 'watari_queue_messages',
            kind: 'gauge',
            help: 'Messages.\nIn the queue',
            values: [{ labels: { state: 'held "x"\\' }, value: 3 }, { value: 4 }],
          },
        ],
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
    state = { state: 'stalled', reason: 'the disk does not answer' }
    const stalled = await fetch(`${url}/readyz`)
    assert.equal(stalled.status, 503)
    assert.deepEqual(await stalled.json(), { status: 'failing', role: 'gateway', ...state })
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal(
      await (await fetch(`${url}/metrics`)).text(),
      '# HELP watari_queue_messages Messages.\\nIn the queue\n# TYPE watari_queue_messages gauge\nwatari_queue_messages{state="held \\"x\\"\\\\"} 3\nwatari_queue_messages 4\n',
    )
    assert.equal((await fetch(`${url}/other`)).status, 404)
    server.closeAllConnections()
    server.close()
  })
})
