import type { Pop3Verb } from '#codec/pop3/command.ts'
import type { Pop3Session } from './session.ts'

/** States of RFC 1939 §3; UPDATE is what QUIT does. */
export type Pop3State = 'authorization' | 'transaction'

export const BOTH: readonly Pop3State[] = ['authorization', 'transaction']
export const TRANSACTION: readonly Pop3State[] = ['transaction']
export const AUTHORIZATION: readonly Pop3State[] = ['authorization']

export interface Pop3Handler {
  readonly verb: Pop3Verb
  readonly states: readonly Pop3State[]
  run(session: Pop3Session, args: readonly string[]): Promise<void>
}
