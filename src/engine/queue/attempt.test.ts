import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { DeliverBy, NotifyEvent } from '#model/envelope.ts'
import { QUEUED } from '#test/fake/admin-api.ts'

import { endOf } from './attempt.ts'
import type { Attempt } from './attempt.ts'

const { receivedAtMs } = QUEUED
const HOUR_MS = 3_600_000

/** What the sender is to hear of one answer, so long after the mail came. */
function told(
  code: number,
  with_: {
    readonly deliverBy?: Partial<DeliverBy>
    readonly notify?: readonly NotifyEvent[]
    readonly attempt?: Partial<Attempt>
    readonly afterMs?: number
  } = {},
) {
  const { notify, afterMs = 0 } = with_
  const by: DeliverBy = {
    atMs: receivedAtMs + HOUR_MS,
    mode: 'notify',
    isTraced: false,
    ...with_.deliverBy,
  }
  const { notify: _, ...queued } = QUEUED.recipients[0]!
  const recipient = { ...queued, delayNotified: false, ...(notify !== undefined && { notify }) }
  const message = {
    ...QUEUED,
    recipients: [recipient],
    expiresAtMs: by.mode === 'return' ? by.atMs : receivedAtMs + 100 * HOUR_MS,
    ...(with_.deliverBy !== undefined && { deliverBy: by }),
  }
  const attempt = { results: [], own: false, final: false, relayedDsn: true, ...with_.attempt }
  const { settlement, report } = endOf(message, recipient, {
    result: { reply: { code, text: 'x' }, by: 'peer' },
    attempt,
    nowMs: receivedAtMs + afterMs,
    retryMs: [HOUR_MS],
    delayNoticeMs: 50 * HOUR_MS,
  })
  return [settlement.kind, report && `${report.action} ${report.status}`]
}

describe('mail that is to arrive by a time (RFC 2852 §4.1)', () => {
  it('is returned when that is over, or its sender is told of the delay', () => {
    assert.deepEqual(told(451, { deliverBy: { mode: 'return' } }), ['deferred', undefined])
    const late = { afterMs: HOUR_MS }
    const back = { deliverBy: { mode: 'return' }, ...late } as const
    assert.deepEqual(told(451, back), ['failed', 'failed 5.4.7'])
    assert.deepEqual(told(451, { deliverBy: {}, ...late }), ['deferred', 'delayed 4.4.7'])
    assert.deepEqual(told(451, { deliverBy: {}, ...late, notify: [] }), ['deferred', undefined])
    assert.deepEqual(told(451, late), ['deferred', undefined])
  })

  it('is told of where it goes on to a host that knows of no time, or is traced', () => {
    const known = { relayedBy: true }
    assert.deepEqual(told(250, { deliverBy: {} }), ['delivered', 'relayed 2.0.0'])
    assert.deepEqual(told(250, { deliverBy: {}, attempt: known }), ['delivered', undefined])
    const traced = { deliverBy: { isTraced: true }, attempt: known }
    assert.deepEqual(told(250, traced), ['delivered', 'relayed 2.0.0'])
    assert.deepEqual(told(250, { ...traced, notify: [] }), ['delivered', undefined])
    assert.deepEqual(told(250, { deliverBy: {}, attempt: { final: true } }), [
      'delivered',
      undefined,
    ])
    assert.deepEqual(told(250), ['delivered', undefined])
  })
})
