import { isFault } from '#base/outcome.ts'
import type { CommitRefusal } from '#store/mailbox/commit.ts'

/** Ends one method call with an error of RFC 8620 §3.6.2. */
export class MethodError extends Error {
  readonly type: string
  readonly more: Readonly<Record<string, unknown>>
  constructor(type: string, description?: string, more: Readonly<Record<string, unknown>> = {}) {
    super(description ?? type)
    this.name = 'MethodError'
    this.type = type
    this.more = description === undefined ? more : { description, ...more }
  }
}

export const invalidArguments = (description: string): MethodError =>
  new MethodError('invalidArguments', description)

/** Why one object was not created, updated or destroyed (RFC 8620 §5.3). */
export interface SetError {
  readonly type: string
  readonly description?: string
  readonly properties?: readonly string[]
  readonly [more: string]: unknown
}

/** Ends the work on one object of a /set. */
export class SetRefusal extends Error {
  readonly error: SetError
  constructor(error: SetError) {
    super(error.type)
    this.name = 'SetRefusal'
    this.error = error
  }
}

export const invalidProperties = (
  description: string,
  ...properties: readonly string[]
): SetRefusal =>
  new SetRefusal({
    type: 'invalidProperties',
    description,
    ...(properties.length === 0 ? {} : { properties }),
  })

/** What the store's refusal is to JMAP. */
export function setErrorOf(refusal: CommitRefusal, property: string): SetError {
  switch (refusal.code) {
    case 'reserved':
    case 'noPermission':
      return { type: 'forbidden', description: refusal.text }
    case 'limit':
    case 'quota':
      return { type: 'overQuota', description: refusal.text }
    case 'noMailbox':
      return { type: 'notFound', description: refusal.text }
    case 'exists':
      return { type: 'alreadyExists', description: refusal.text, properties: [property] }
    case 'badName':
    case 'conflict':
      return { type: 'invalidProperties', description: refusal.text, properties: [property] }
  }
}

/** A failure of the world as a method's error: ours to mend, the client tries again later. */
export function errorOfThrown(thrown: unknown): MethodError | undefined {
  if (thrown instanceof MethodError) return thrown
  if (isFault(thrown, 'limit')) return new MethodError('requestTooLarge', thrown.message)
  if (isFault(thrown, 'full')) return new MethodError('serverUnavailable', 'The disk is full')
  if (isFault(thrown))
    return new MethodError('serverUnavailable', 'The mail store does not answer now')
  return undefined
}
