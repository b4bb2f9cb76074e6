import type { ServerResponse } from 'node:http'

const REQUEST_ERRORS = {
  notJSON: 400,
  notRequest: 400,
  unknownCapability: 400,
  limit: 400,
} as const

/** Ends a whole request with an error of RFC 8620 §3.6.1. */
export class RequestError extends Error {
  readonly problem: Problem
  constructor(
    kind: keyof typeof REQUEST_ERRORS,
    detail: string,
    limit?: string,
    status: number = REQUEST_ERRORS[kind],
  ) {
    super(detail)
    this.name = 'RequestError'
    this.problem = {
      type: `urn:ietf:params:jmap:error:${kind}`,
      status,
      detail,
      ...(limit === undefined ? {} : { limit }),
    }
  }
}

/** RFC 9457 §3. */
export interface Problem {
  readonly type?: string
  readonly title?: string
  readonly status: number
  readonly detail?: string
  readonly limit?: string
}

/** Answers with a problem document; nothing that a client sent is in its header. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return void response.destroy()
  const text = JSON.stringify({ type: 'about:blank', ...problem })
  response.writeHead(problem.status, {
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
