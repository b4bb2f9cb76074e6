import { isFault } from '#base/outcome.ts'
import type { CommitRefusal } from '#store/mailbox/commit.ts'

/** The tagged response of a command. */
export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD'
  /** A response code without its brackets (RFC 5530 §3). */
  readonly code?: string
  readonly text: string
}

export const done = (text: string, code?: string): Completion => ({
  status: 'OK',
  text,
  ...(code === undefined ? {} : { code }),
})

export const no = (code: string, text: string): Completion => ({ status: 'NO', code, text })
export const bad = (text: string): Completion => ({ status: 'BAD', text })

export const formatCompletion = (tag: string, { status, code, text }: Completion): string =>
  `${tag} ${status} ${code === undefined ? '' : `[${code}] `}${text}`

const CODES: Readonly<Record<CommitRefusal['code'], string>> = {
  noMailbox: 'NONEXISTENT',
  exists: 'ALREADYEXISTS',
  limit: 'LIMIT',
  badName: 'CANNOT',
  conflict: 'INUSE',
  reserved: 'CANNOT',
  quota: 'OVERQUOTA',
  noPermission: 'NOPERM',
}

/** A refusal of the store; APPEND, COPY and MOVE say TRYCREATE where the mailbox is missing (RFC 9051 §6.3.12). */
export const refusal = ({ code, text }: CommitRefusal, missing = CODES.noMailbox): Completion =>
  no(code === 'noMailbox' ? missing : CODES[code], text)

/** RFC 5530 §3 CORRUPTION: which message it is stands in the store's events. */
export const damaged = (): Completion =>
  no('CORRUPTION', 'A message is damaged and cannot be read; your administrator has been told')

/** What a failure of our storage looks like from outside: ours, and for now (RFC 5530 §3 UNAVAILABLE). */
export function unavailable(thrown: unknown): Completion | undefined {
  if (isFault(thrown, 'full')) return no('UNAVAILABLE', 'Storage is full for now; try again later')
  if (isFault(thrown, 'limit')) return no('LIMIT', 'A limit was reached')
  if (isFault(thrown, 'corrupt')) return damaged()
  const ours = [
    'stalled',
    'io',
    'closed',
    'timeout',
    'unavailable',
    'unreachable',
    'locked',
  ] as const
  return ours.some((code) => isFault(thrown, code))
    ? no('UNAVAILABLE', 'Storage does not answer for now; try again later')
    : undefined
}
