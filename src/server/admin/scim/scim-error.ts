import type { FastifyError, FastifyReply } from 'fastify'
import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { Refused } from '#codec/scim/problem.ts'
import type { ScimProblem } from '#codec/scim/problem.ts'
import { ApiError, statusOf } from '#server/admin/errors.ts'

/** A refusal that SCIM has no word for, or has one for with another status than 400. */
export class ScimError extends Error {
  readonly status: number
  readonly scimType: ScimProblem['scimType'] | undefined
  constructor(status: number, detail: string, scimType?: ScimProblem['scimType']) {
    super(detail)
    this.status = status
    this.scimType = scimType
  }
}

export const gone = (name: string, id: string): ScimError =>
  new ScimError(404, `there is no ${name} ${id}`)

/** The answer to whatever went wrong (RFC 7644 §3.12); causes, paths and stacks stay in the log. */
export interface ScimErrorBody {
  readonly schemas: readonly ['urn:ietf:params:scim:api:messages:2.0:Error']
  /** A number, as text. */
  readonly status: string
  readonly scimType?: ScimProblem['scimType']
  readonly detail: string
}

export function errorBodyOf(thrown: unknown, log: Log): ScimErrorBody {
  if (thrown instanceof Refused) return body(400, thrown.detail, thrown.scimType)
  if (thrown instanceof ScimError) return body(thrown.status, thrown.message, thrown.scimType)
  if (thrown instanceof ApiError) return ofApi(thrown)
  if (isFault(thrown)) return body(statusOf(thrown.code) ?? 500, thrown.message)
  const { statusCode: status = 500 } = thrown as Partial<FastifyError>
  if (status === 400) return body(400, messageOf(thrown), 'invalidSyntax')
  if (status < 500) return body(status, messageOf(thrown))
  log.error('scim.failed', { reason: messageOf(thrown) })
  return body(500, "the request failed; control's log has the reason under scim.failed")
}

function ofApi({ code, message, remedy }: ApiError): ScimErrorBody {
  const status = statusOf(code) ?? 400
  const detail = `${message}. ${remedy}`
  // What is not there is a value of the request, such as a domain: who is asked for has been found.
  if (code === 'invalid' || code === 'limit' || code === 'notFound')
    return body(400, detail, 'invalidValue')
  return body(status, detail)
}

const body = (
  status: number,
  detail: string,
  scimType?: ScimProblem['scimType'],
): ScimErrorBody => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: String(status),
  ...(scimType !== undefined && { scimType }),
  detail,
})

export function sendScimError(thrown: unknown, reply: FastifyReply, log: Log): void {
  const error = errorBodyOf(thrown, log)
  if (error.status === '401') void reply.header('www-authenticate', 'Bearer realm="Watari SCIM"')
  sendScim(reply, Number(error.status), error)
}

export const SCIM_TYPE = 'application/scim+json; charset=utf-8'

export function sendScim(reply: FastifyReply, status: number, json: unknown): void {
  void reply.code(status).type(SCIM_TYPE).serializer(String).send(JSON.stringify(json))
}
