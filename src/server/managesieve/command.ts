import type { ManageSieveCommand, ManageSieveVerb } from '#codec/managesieve/command.ts'
import type { ManageSieveResponse } from '#codec/managesieve/response.ts'
import type { ManageSieveSession } from './session.ts'

/** Before a login and after it (RFC 5804 §2). */
export type ManageSieveState = 'stranger' | 'loggedIn'

export const ANY: readonly ManageSieveState[] = ['stranger', 'loggedIn']
export const STRANGER: readonly ManageSieveState[] = ['stranger']
export const LOGGED_IN: readonly ManageSieveState[] = ['loggedIn']

/** Carries out commands of one verb; data goes before the response that it gives. */
export interface ManageSieveHandler<V extends ManageSieveVerb = ManageSieveVerb> {
  readonly verb: V
  readonly states: readonly ManageSieveState[]
  run(
    session: ManageSieveSession,
    command: Extract<ManageSieveCommand, { verb: V }>,
  ): ManageSieveResponse | Promise<ManageSieveResponse>
}
