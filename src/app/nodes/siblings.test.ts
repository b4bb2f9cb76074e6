import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { FakeClock } from '#base/time.ts'
import type { NodePlace } from '#model/node.ts'
import { joinedSiblings } from './siblings.ts'

const place = (name: string, role: NodePlace['role']): NodePlace =>
  ({ name, role, address: '127.0.0.1', port: 1, pin: name, draining: false }) as NodePlace

test('what deliveries send waits with a deliver; submissions and posts of lists are a gateway’s', () => {
  const own = (...places: NodePlace[]): Parameters<typeof joinedSiblings>[0] =>
    ({
      control: { pin: 'control' },
      places: () => places,
      clock: new FakeClock(),
      log: silentLog,
    }) as unknown as Parameters<typeof joinedSiblings>[0]
  const queues = (siblings: ReturnType<typeof joinedSiblings>): (string | undefined)[] =>
    ['vacation', 'notice', 'submission', 'post'].map(
      (kind) => siblings.queueFor({ id: 'D1.0', kind })?.node,
    )
  const gateway = place('gw-1', 'gateway')
  const deliver = place('deliver-1', 'deliver')
  assert.deepEqual(queues(joinedSiblings(own(gateway, deliver))), [
    'deliver-1',
    'deliver-1',
    'gw-1',
    'gw-1',
  ])
  assert.deepEqual(queues(joinedSiblings(own(gateway))), ['gw-1', 'gw-1', 'gw-1', 'gw-1'])
  assert.deepEqual(queues(joinedSiblings(own(deliver))), [
    'deliver-1',
    'deliver-1',
    undefined,
    undefined,
  ])
})
