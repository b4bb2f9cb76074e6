import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'

import { FakeClock } from '#base/time.ts'

import { summedHealth } from './health.ts'
import { BEAT_MS_MAX } from './supervisor.ts'
import type { RoleStatus } from './supervisor.ts'

const BEATEN = { name: 'deliver', state: 'ready', detail: 'ready', lastBeatMs: 0, restarts: 0 }

function statusOf(path: string, role: object, clock = new FakeClock(0)): number {
  const roles = [{ ...BEATEN, ...role } as unknown as RoleStatus]
  const response = { statusCode: 0, setHeader: () => undefined, end: () => undefined }
  summedHealth(() => roles, clock)(
    { url: path } as IncomingMessage,
    response as unknown as ServerResponse,
  )
  return response.statusCode
}

test('/readyz is green while every role takes work, be it degraded, and red where one does not', () => {
  const answers = ['ready', 'degraded', 'stalled', 'full'].map((detail) => [
    detail,
    statusOf('/healthz', { detail }),
    statusOf('/readyz', { detail }),
  ])
  assert.deepEqual(answers, [
    ['ready', 200, 200],
    ['degraded', 200, 200],
    ['stalled', 200, 503],
    ['full', 200, 503],
  ])
})

test('a role that beats no more, or is not there, is neither healthy nor ready', () => {
  const later = new FakeClock(BEAT_MS_MAX + 1)
  for (const path of ['/healthz', '/readyz']) {
    assert.equal(statusOf(path, {}, later), 503)
    assert.equal(statusOf(path, { state: 'restarting' }), 503)
  }
  assert.equal(statusOf('/else', {}), 404)
})
