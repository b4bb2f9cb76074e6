import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Clock } from '#base/time.ts'

import { BEAT_MS_MAX } from './supervisor.ts'
import type { RoleStatus } from './supervisor.ts'

/** `/healthz`, `/readyz` and `/metrics` of all roles of this machine, from their heartbeats in memory. */
export function summedHealth(
  status: () => readonly RoleStatus[],
  clock: Clock,
): (request: IncomingMessage, response: ServerResponse) => void {
  const isUp = (role: RoleStatus): boolean =>
    role.state === 'ready' && clock.monotonicMs() - role.lastBeatMs < BEAT_MS_MAX
  // One that is degraded takes work all the same, and its state says so.
  const isReady = (role: RoleStatus): boolean =>
    isUp(role) && (role.detail === 'ready' || role.detail === 'degraded')
  return (request, response) => {
    const roles = status()
    const path = (request.url ?? '/').split('?')[0]
    if (path === '/healthz') return answer(response, roles, roles.every(isUp))
    if (path === '/readyz') return answer(response, roles, roles.every(isReady))
    if (path === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      return void response.end(metrics(roles, isReady))
    }
    response.statusCode = 404
    response.end()
  }
}

function answer(response: ServerResponse, roles: readonly RoleStatus[], isGood: boolean): void {
  response.statusCode = isGood ? 200 : 503
  response.setHeader('content-type', 'application/json')
  response.end(
    `${JSON.stringify({
      status: isGood ? 'ok' : 'failing',
      // JSON leaves a reason out where there is none.
      roles: roles.map(({ name, state, detail, restarts, reason }) => ({
        name,
        state,
        detail,
        restarts,
        reason,
      })),
    })}\n`,
  )
}

function metrics(roles: readonly RoleStatus[], isReady: (role: RoleStatus) => boolean): string {
  const lines = [
    '# HELP watari_role_ready 1 while the role answers and takes work.',
    '# TYPE watari_role_ready gauge',
    ...roles.map((role) => `watari_role_ready{role="${role.name}"} ${Number(isReady(role))}`),
    '# HELP watari_role_restarts_total Restarts since the supervisor began.',
    '# TYPE watari_role_restarts_total counter',
    ...roles.map((role) => `watari_role_restarts_total{role="${role.name}"} ${role.restarts}`),
    '# HELP watari_role_loop_delay_seconds How long a role stood still, the longest of each second.',
    '# TYPE watari_role_loop_delay_seconds histogram',
    ...roles.flatMap((role) =>
      role.loopDelays.lines('watari_role_loop_delay_seconds', `role="${role.name}"`),
    ),
  ]
  return `${lines.join('\n')}\n`
}
