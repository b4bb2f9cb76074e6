import type { FastifyError, FastifyReply } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import type { ErrorBody } from '#contract/admin/common.ts'

/** A refusal of the API; `remedy` says what to do instead. */
export class ApiError extends Error {
  readonly code: string
  readonly remedy: string
  constructor(code: string, message: string, remedy: string) {
    super(message)
    this.code = code
    this.remedy = remedy
  }
}

const STATUS: Readonly<Record<string, number>> = {
  invalid: 400,
  unauthorised: 401,
  forbidden: 403,
  slowed: 429,
  notFound: 404,
  conflict: 409,
  lastAdministrator: 409,
  limit: 413,
  full: 507,
  stalled: 503,
  unavailable: 503,
  timeout: 504,
  unreachable: 503,
  closed: 503,
}

/** Of a refusal or a fault, by its code. */
export const statusOf = (code: string): number | undefined => STATUS[code]

/** One answer for everything that goes wrong; causes, paths and stacks stay in the log. */
export function sendError(error: unknown, reply: FastifyReply, log: Log): void {
  if (error instanceof ApiError)
    return send(reply, STATUS[error.code] ?? 400, error.code, [error.message, error.remedy])
  if (isFault(error))
    return send(reply, STATUS[error.code] ?? 500, error.code, [
      error.message,
      error.code === 'stalled' || error.code === 'full'
        ? 'Look at the data disk of control, then try again.'
        : 'Try again; watari status shows how the nodes are.',
    ])
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issue = error.validation[0]
    const place = issue?.instancePath.replace(/^\//, '').replaceAll('/', '.') ?? ''
    return send(reply, 400, 'invalid', [
      `${place === '' ? 'the request' : place}: ${issue?.message ?? 'invalid'}`,
      '/api/v1/openapi.json describes each request.',
    ])
  }
  const status = (error as Partial<FastifyError>).statusCode ?? 500
  if (status < 500)
    return send(reply, status, status === 413 ? 'limit' : 'invalid', [
      messageOf(error),
      '/api/v1/openapi.json describes each request.',
    ])
  log.error('admin.failed', { reason: messageOf(error) })
  send(reply, 500, 'internal', [
    'the request failed',
    "Control's log has the reason under admin.failed.",
  ])
}

function send(
  reply: FastifyReply,
  status: number,
  code: string,
  [message, remedy]: readonly [string, string],
): void {
  const body: ErrorBody = { error: { code, message, remedy } }
  // Past the schemas of the route: an error has this shape everywhere.
  void reply
    .code(status)
    .type('application/json; charset=utf-8')
    .serializer(String)
    .send(JSON.stringify(body))
}
