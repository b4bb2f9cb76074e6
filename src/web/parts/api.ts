import type { ErrorBody } from '#contract/admin/common.ts'
import type { SessionBody } from '#contract/admin/session.ts'

/** What the API refused, or why it could not be asked: what happened, and what to do. */
export class ApiFailure extends Error {
  readonly status: number
  readonly code: string
  readonly remedy: string
  constructor(status: number, error: ErrorBody['error']) {
    super(error.message)
    this.status = status
    this.code = error.code
    this.remedy = error.remedy
  }
}

interface Ask {
  readonly body?: unknown
  /** A file in place of a body. */
  readonly file?: Blob
  /** The generation, or the version of a row, that the editor has seen. */
  readonly ifMatch?: number | string
  /** The page looks of its own accord: that keeps no session alive. */
  readonly background?: boolean
  readonly signal?: AbortSignal
}

const BASE = '/api/v1'

/** The cookie is the browser's; what a change needs besides is kept here, out of storage. */
const session: { csrfToken: string } = { csrfToken: '' }

export const remember = (body: SessionBody): SessionBody => {
  session.csrfToken = body.csrfToken
  return body
}

/** Asks `/api/v1`; rejects with an ApiFailure. */
export async function ask<T>(method: string, path: string, options: Ask = {}): Promise<T> {
  const response = await fetch(`${BASE}${path}`, {
    method,
    credentials: 'same-origin',
    headers: {
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(options.file !== undefined && { 'content-type': 'application/octet-stream' }),
      ...(options.ifMatch !== undefined && { 'if-match': `"${options.ifMatch}"` }),
      ...(options.background === true && { 'watari-background': '1' }),
      ...(method !== 'GET' && { 'x-csrf-token': session.csrfToken }),
    },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    ...(options.file !== undefined && { body: options.file }),
    ...(options.signal !== undefined && { signal: options.signal }),
  }).catch((cause: unknown) => {
    if (options.signal?.aborted === true) throw cause
    throw new ApiFailure(0, { code: 'unreachable', message: '', remedy: '' })
  })
  const text = await response.text()
  const found: unknown = text.startsWith('{') ? JSON.parse(text) : undefined
  if (response.ok) return found as T
  const { error } = (found ?? {}) as Partial<ErrorBody>
  throw new ApiFailure(
    response.status,
    error ?? { code: 'internal', message: `HTTP ${response.status}`, remedy: '' },
  )
}

/** One part of a path. */
export const part = (text: string): string => encodeURIComponent(text)

/** A query of what is given. */
export function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') query.set(name, String(value))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
