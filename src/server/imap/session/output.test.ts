import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output } from './output.ts'
import { ReadAhead } from './read-ahead.ts'

test('a client that takes all at once leaves others their turn after each piece', async () => {
  let bytes = 0
  const writer = {
    write: (octets: Uint8Array | string) => {
      bytes += octets.length
      return Promise.resolve('ok' as const)
    },
  }
  const out = new Output(writer, new ReadAhead(1_000_000))
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  for (let n = 1; n <= 100_000; n++) {
    out.line(`* ${n} FETCH (UID ${n} FLAGS (\\Seen))`)
    if (out.full) await out.flush()
  }
  await out.octets(new Uint8Array(64 * 1024))
  await out.flush()
  isOver = true
  assert.ok(bytes > 3_000_000)
  assert.ok(turns >= bytes / (70 * 1024), `${turns} turns for ${bytes} octets`)
})
