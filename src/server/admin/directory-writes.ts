import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { err } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf, isoTime, taken } from './context.ts'
import type { AdminDeps } from './context.ts'
import { ApiError } from './errors.ts'
import { needTouchAll } from './permission.ts'

/** A row with its version: what is sent back as If-Match by whoever changes the row that was seen. */
export const versioned = <T extends object>(body: T): T & { readonly version: string } => ({
  ...body,
  version: createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16),
})

/** The row that a request is about. */
export interface Target {
  readonly key: string
  /** As people call it. */
  readonly name: string
  /** Its version as it stands; undefined: it is not there. */
  version(directory: Directory): string | undefined
}

/**
 * Writes to the directory; with If-Match only onto the row that the editor has seen, so that of two
 * who edit one row the second one learns of the first. Answers the nodes that lag behind.
 */
export async function writeDirectory(
  deps: AdminDeps,
  request: FastifyRequest,
  target: Target,
  make: (directory: Directory) => Outcome<readonly DirectoryEdit[], DirectoryRefusal>,
): Promise<{ node: string; reason: string }[]> {
  const seen = seenOf(request)
  let isStale = false
  const done = await deps.directory.update((now) => {
    isStale = seen !== undefined && target.version(now) !== seen
    if (isStale) return err({ code: 'conflict', message: '', remedy: '' })
    const made = make(now)
    if (made.ok) needTouchAll(request, now, made.value)
    return made
  }, authorOf(request))
  if (isStale) throw await staleError(deps, target)
  taken(done)
  return [...(await deps.hub.settled())]
}

/** The version in If-Match (RFC 9110 §13.1.1). */
export function seenOf(request: FastifyRequest): string | undefined {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return undefined
  const match = /^"([0-9a-f]{16})"$/.exec(header)
  if (match === null)
    throw new ApiError(
      'invalid',
      `If-Match ${header} names no version`,
      'Send the version of the row that you have seen: If-Match: "VERSION".',
    )
  return match[1]
}

export async function staleError(
  deps: AdminDeps,
  { key, name }: Pick<Target, 'key' | 'name'>,
): Promise<ApiError> {
  const { items } = await deps.directoryLog.history({ key, limit: 1 })
  const [last] = items
  return new ApiError(
    'conflict',
    last === undefined
      ? `${name} has changed meanwhile`
      : `${last.by.who} changed ${name} meanwhile, at ${isoTime(last.atMs)}`,
    'Nothing of yours was written. Look at it as it is now, then make your change again.',
  )
}
